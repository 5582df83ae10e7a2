import type { Connection, Row, Verb } from '../../ledger/database.ts'
import type { DueDelivery, RaisedAlert, StoredAlert, TriedDelivery } from './alerts.ts'
import { text, whole } from './cells.ts'

/** Keeps an alert and whom it is to reach, and gives those whose queues are full; null where it is kept already. */
const raiseAlert = (
  connection: Connection,
  { alert, receivers, dueAt, pendingMax, full }: RaisedAlert,
): readonly string[] | null => {
  const { id, type, body, at } = alert
  const { changes } = connection.run(
    'INSERT INTO registry_alert (id, type, body, at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
    ...[id, type, body, at],
  )
  if (changes === 0) return null
  const dropped: string[] = []
  for (const receiver of receivers) {
    const [row] = connection.all(
      `SELECT count(*) AS pending FROM registry_alert_delivery WHERE receiver = ? AND state = 'pending'`,
      receiver,
    )
    const isFull = row !== undefined && (whole(row, 'pending') ?? 0) >= pendingMax
    if (isFull) dropped.push(receiver)
    connection.run(
      `INSERT INTO registry_alert_delivery (alert, receiver, state, attempts, next_at, said)
       VALUES (?, ?, ?, 0, ?, ?)`,
      ...[id, receiver, isFull ? 'given up' : 'pending', dueAt, isFull ? full : null],
    )
  }
  return dropped
}

/** Forgets alerts that were raised before an instant and whose window ended before it: nothing can raise them again. */
const forgetAlerts = (connection: Connection, { at, written }: { at: number; written: string }): void => {
  const past = `SELECT id FROM registry_alert
    WHERE at < ? AND (type = 'alert.test' OR json_extract(body, '$.data.resetsAt') < ?)`
  for (const rows of ['registry_alert_delivery WHERE alert', 'registry_alert WHERE id']) {
    connection.run(`DELETE FROM ${rows} IN (${past})`, at, written)
  }
}

/** What is due for a receiver, oldest first. */
const dueAlerts = (
  connection: Connection,
  { receiver, at, limit }: { receiver: string; at: number; limit: number },
): readonly DueDelivery[] =>
  connection
    .all(
      `SELECT a.*, d.attempts FROM registry_alert_delivery d JOIN registry_alert a ON a.id = d.alert
       WHERE d.receiver = ? AND d.state = 'pending' AND d.next_at <= ? ORDER BY a.at, a.id LIMIT ?`,
      ...[receiver, at, limit],
    )
    .map((row) => ({ alert: alertIn(row), attempts: whole(row, 'attempts') ?? 0 }))

const triedAlert = (
  connection: Connection,
  { alert, receiver, state, nextAt, said }: TriedDelivery,
): void => {
  connection.run(
    `UPDATE registry_alert_delivery SET state = ?, attempts = attempts + 1, next_at = ?, said = ?
     WHERE alert = ? AND receiver = ?`,
    ...[state, nextAt, said, alert, receiver],
  )
}

const listAlerts = (connection: Connection, limit: number) =>
  connection.all('SELECT * FROM registry_alert ORDER BY at DESC, id LIMIT ?', limit).map((row) => ({
    ...alertIn(row),
    deliveries: connection
      .all('SELECT * FROM registry_alert_delivery WHERE alert = ? ORDER BY receiver', text(row, 'id'))
      .map((delivery) => ({
        receiver: text(delivery, 'receiver') ?? '',
        state: text(delivery, 'state') ?? '',
        attempts: whole(delivery, 'attempts') ?? 0,
        said: text(delivery, 'said'),
      })),
  }))

const countAlerts = (connection: Connection): Readonly<Record<string, number>> =>
  Object.fromEntries(
    connection
      .all('SELECT state, count(*) AS times FROM registry_alert_delivery GROUP BY state')
      .map((row) => [text(row, 'state') ?? '', whole(row, 'times') ?? 0]),
  )

const alertIn = (row: Row): StoredAlert => ({
  id: text(row, 'id') ?? '',
  type: text(row, 'type') ?? '',
  body: text(row, 'body') ?? '',
  at: whole(row, 'at') ?? 0,
})

/** The verbs of alerts. */
export const alertVerbs = {
  raiseAlert,
  dueAlerts,
  triedAlert,
  listAlerts,
  countAlerts,
  forgetAlerts,
} satisfies Record<string, Verb>
