import type { Instant } from '../time.ts'
import { parseMeter } from '../usage/meter.ts'
import type { Accrued, EndedObjects, KeptObject, SessionUse, Stay, StayPosts } from './accrual.ts'
import { amount, amountColumn, number, numberOrNull, parseFraction, text } from './columns.ts'
import type { Connection, Row } from './database.ts'
import { insertEntry } from './entry-rows.ts'
import { nameId } from './names.ts'
import { jsonColumn, ownerId, readJson, readOwner } from './owners.ts'
import { addUses, moveBalances } from './running-folds.ts'

/** The verbs of accruals over SQL: an entry, its folds and how far its accrual is posted, in one atomic step. */

/** Opens a session and posts it, unless this use was told before or falls into one. A use just before a session
 * that began without it moves the session's hour back: told in order, it would have opened it. */
const useTool = (
  connection: Connection,
  { id, meter, posting }: SessionUse,
): 'opened' | 'running' | 'repeated' => {
  const { provider, holder, from, to } = posting
  const told = connection.get('SELECT 1 FROM session_uses WHERE upstream = ? AND use = ?', provider, id)
  if (told !== undefined) return 'repeated'
  const running = connection.get(
    `SELECT * FROM sessions WHERE upstream = ? AND meter = ? AND holder = ? AND to_at > ? AND from_at < ?
     ORDER BY from_at LIMIT 1`,
    ...[provider, meter, holder, from, to],
  )
  if (running !== undefined && number(running['from_at']) > from) {
    connection.run('UPDATE sessions SET from_at = ?, to_at = ? WHERE id = ?', from, to, running['id'] ?? null)
  }
  const session =
    running ??
    connection.get(
      'INSERT INTO sessions (upstream, meter, holder, from_at, to_at) VALUES (?, ?, ?, ?, ?) RETURNING id',
      ...[provider, meter, holder, from, to],
    )
  connection.run('INSERT INTO session_uses VALUES (?, ?, ?)', provider, id, session?.['id'] ?? null)
  if (running !== undefined) return 'running'
  appendAccrued(connection, { ...posting, accrualId: `session_${number(session?.['id'])}` })
  return 'opened'
}

/** Keeps an object from an instant on. A new size takes the place of the old one from that instant. */
const keepObject = (connection: Connection, kept: KeptObject): 'done' | 'repeated' => {
  const { upstream, meter, holder, object } = kept
  const key = [upstream, object, holder, meter]
  const later = connection.get(
    `SELECT * FROM stays WHERE upstream = ? AND object = ? AND holder = ? AND meter = ?
       AND (to_at IS NULL OR to_at > ?) ORDER BY to_at IS NULL DESC, to_at DESC LIMIT 1`,
    ...key,
    kept.from,
  )
  if (later === undefined) {
    insertStay(connection, kept)
    return 'done'
  }
  const isSame = number(later['amount']) === kept.amount || later['to_at'] !== null
  if (isSame || kept.from < number(later['from_at'])) return 'repeated'
  const from = Math.max(kept.from, number(later['closed_until']))
  connection.run('UPDATE stays SET to_at = ? WHERE id = ?', from, later['id'] ?? null)
  insertStay(connection, { ...kept, from })
  return 'done'
}

const insertStay = (connection: Connection, kept: KeptObject): void => {
  const { upstream, pricesFrom, endpoint, meter, holder, object, owner, from } = kept
  connection.run(
    `INSERT INTO stays (upstream, prices_from, endpoint, meter, holder, object, amount, from_at, closed_until,
       owner, end_user, tags, attributes, exact, posted, list_exact, list_posted)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '0', 0, '0', 0)`,
    ...[upstream, pricesFrom, endpoint, meter, holder, object, kept.amount, from, from],
    ...[ownerId(connection, owner), owner.endUser, jsonColumn(owner.tags), jsonColumn(kept.attributes)],
  )
}

const endObjects = (
  connection: Connection,
  { upstream, meter, holder, object, at }: EndedObjects,
): number => {
  const named = Object.entries({ meter, holder, object }).filter(([, value]) => value !== null)
  const { changes } = connection.run(
    `UPDATE stays SET to_at = max(?, closed_until) WHERE upstream = ? AND to_at IS NULL
     ${named.map(([column]) => `AND ${column} = ?`).join(' ')}`,
    ...[at, upstream, ...named.map(([, value]) => value)],
  )
  return changes
}

const dueStays = (
  connection: Connection,
  { before, limit }: { readonly before: Instant; readonly limit: number },
): readonly Stay[] =>
  connection
    .all(
      `SELECT s.*, o.name AS owner_name FROM stays s JOIN names o ON o.id = s.owner
       WHERE (s.to_at IS NULL OR s.closed_until < s.to_at) AND s.closed_until < ?
       ORDER BY s.closed_until LIMIT ?`,
      before,
      limit,
    )
    .map(readStay)

const readStay = (row: Row): Stay => ({
  id: stayId(row),
  upstream: text(row['upstream']),
  pricesFrom: text(row['prices_from']),
  endpoint: text(row['endpoint']),
  meter: parseMeter(text(row['meter'])),
  holder: text(row['holder']),
  object: text(row['object']),
  amount: number(row['amount']),
  from: number(row['from_at']),
  to: numberOrNull(row['to_at']),
  closedUntil: number(row['closed_until']),
  owner: readOwner(row),
  attributes: readJson(row['attributes']),
  exact: parseFraction(text(row['exact'])),
  posted: amount(row['posted']),
  listExact: parseFraction(text(row['list_exact'])),
  listPosted: amount(row['list_posted']),
})

const stayId = (row: Row): string => `stay_${number(row['id'])}`

const postStays = (connection: Connection, posts: readonly StayPosts[]): readonly string[] =>
  posts.filter((stay) => postStay(connection, stay)).map(({ id }) => id)

/** False, and nothing is written, when the stay is not where the posts begin. */
const postStay = (connection: Connection, { id, from, entries, now }: StayPosts): boolean => {
  const { changes } = connection.run(
    `UPDATE stays SET closed_until = ?, exact = ?, posted = ?, list_exact = ?, list_posted = ?
     WHERE id = ? AND closed_until = ? AND closed_until < ? AND (to_at IS NULL OR to_at >= ?)`,
    now.closedUntil,
    `${now.exact.numerator}/${now.exact.denominator}`,
    amountColumn(now.posted),
    `${now.listExact.numerator}/${now.listExact.denominator}`,
    amountColumn(now.listPosted),
    ...[Number(id.slice('stay_'.length)), from, now.closedUntil, now.closedUntil],
  )
  if (changes === 0) return false
  for (const entry of entries) appendAccrued(connection, entry)
  return true
}

const appendAccrued = (connection: Connection, entry: Accrued): void => {
  const { provider, model, endpoint, currency, owner, from } = entry
  const service = nameId(connection, 'service', [provider, model, endpoint, currency])
  insertEntry(connection, { kind: 'accrued', ...entry }, service)
  addUses(connection, { at: from, owner: ownerId(connection, owner), service }, entry)
  moveBalances(connection, entry.counts, (settled) => ({ settled }))
}

const openAccruals = (connection: Connection, at: Instant): { sessions: number; stays: number } => {
  const counted = connection.get(
    `SELECT (SELECT count(*) FROM sessions WHERE to_at > ? AND from_at <= ?) AS sessions,
       (SELECT count(*) FROM stays WHERE to_at IS NULL) AS stays`,
    at,
    at,
  )
  return { sessions: number(counted?.['sessions']), stays: number(counted?.['stays']) }
}

/** The verbs, for the database's thread. */
export const accrualVerbs = { useTool, keepObject, endObjects, dueStays, postStays, openAccruals }
