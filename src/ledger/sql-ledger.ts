import { OctroiError } from '../errors.ts'
import { type Balance, counterOf, type Hold, settledOf, unresolvedOf } from '../limits/hold.ts'
import type { Picos } from '../money/money.ts'
import type { Instant } from '../time.ts'
import { number, text, whole } from './columns.ts'
import { contentOf, isSameContent } from './content.ts'
import type { Connection } from './database.ts'
import type { Adjustment, Release, Reservation, Settlement, StoredEntry } from './entry.ts'
import { entriesOfCall, insertEntry } from './entry-rows.ts'
import type { Adjusted, Outcome } from './ledger.ts'
import { nameId, nameParts } from './names.ts'
import { close, open, openReservation, type Reserved, reservedEntry, writeOpen } from './open-reservations.ts'
import { addToHours, moveBalances, writeFolds } from './running-folds.ts'
import { accrualVerbs } from './sql-accruals.ts'
import { importVerbs } from './sql-imports.ts'
import { readLife, readLives } from './sql-lives.ts'
import { hasPromotions, readAccrued, readCalls, readSpend } from './sql-readings.ts'
import { rollupVerbs } from './sql-rollups.ts'
import { sealedSumsVerbs } from './sql-sealed-sums.ts'
import { sealVerbs } from './sql-seals.ts'
import { spendSumVerbs } from './sql-spend-sums.ts'
import { verifyEntries } from './verifying/verify.ts'

/** How many reservations one `expire` ends at most, so that others are not kept waiting. */
export const expiredPerStep = 1_000

const reserve = (connection: Connection, reservation: Reservation): Outcome => {
  const { call, holds } = reservation
  if (holds.some((hold) => hold.amount < 0n)) {
    throw new OctroiError('bad_number', `Call "${call.id}" holds less than nothing.`)
  }
  if (connection.get('SELECT 1 FROM entries WHERE call_id = ?', call.id) !== undefined) {
    const first = entriesOfCall(connection, call.id).filter((entry) => entry.kind === 'reserved')
    return compare(connection, { callId: call.id, kind: 'reserved' }, first, reservation)
  }
  open(connection, insertEntry(connection, { kind: 'reserved', ...reservation }), reservation)
  moveBalances(connection, holds, (held) => ({ held }))
  return 'done'
}

const settle = (connection: Connection, settlement: Settlement): Outcome => {
  const { callId } = settlement
  const reserved = openReservation(connection, callId)
  if (reserved !== null) {
    const total = bill(connection, reserved, { kind: 'settled', ...settlement })
    close(connection, callId)
    moveBalances(connection, reserved.holds, (amount, hold) => ({
      held: -amount,
      settled: settledOf(hold, total, settlement.used),
    }))
    leaveUnresolved(connection, settlement)
    return 'done'
  }
  const before = entriesOfCall(connection, callId)
  const last = before.at(-1)
  if (last === undefined) return 'unknown'
  if (last.kind !== 'expired') return compare(connection, { callId, kind: 'settled' }, before, settlement)
  const reservation = reservedEntry(connection, callId)
  const total = bill(connection, reservation, { kind: 'adjusted', corrects: last.sequence, ...settlement })
  moveBalances(connection, reservation.holds, (_, hold) => ({
    unresolved: -unresolvedOf(hold),
    settled: settledOf(hold, total, settlement.used),
  }))
  leaveUnresolved(connection, settlement)
  return 'late'
}

/** Puts another settlement in the place of the one that stands. How the attempt went stays what it was. */
const adjust = (connection: Connection, adjustment: Adjustment): Adjusted => {
  const { callId, corrects } = adjustment
  const before = entriesOfCall(connection, callId)
  const last = before.at(-1)
  if (last === undefined || (last.kind !== 'settled' && last.kind !== 'adjusted')) {
    return { outcome: 'unknown', ...nothingMoved }
  }
  if (last.sequence !== corrects) {
    const first = before.find((entry) => entry.kind === 'adjusted' && entry.corrects === corrects)
    const about = { callId, kind: 'adjusted' } as const
    return {
      outcome: compare(connection, about, first === undefined ? [] : [first], adjustment),
      ...nothingMoved,
    }
  }
  const reserved = reservedEntry(connection, callId)
  const { provider, endpoint, at, owner } = reserved
  const { attempt } = last
  const total = bill(connection, reserved, {
    ...{ kind: 'adjusted', ...(attempt !== undefined && { attempt }) },
    ...adjustment,
  })
  const service = nameId(connection, 'service', [provider, last.model, endpoint, last.currency])
  addToHours(connection, { at, owner, service }, last, -1)
  const more = total - last.charges.reduce((sum, charge) => sum + charge.amount, 0n)
  const settled = reserved.holds.filter(isOfCost).map((hold) => ({ ...hold, amount: more }))
  const unresolved = [
    ...(last.unresolved ?? []).map((hold) => ({ ...hold, amount: -hold.amount })),
    ...(adjustment.unresolved ?? []),
  ]
  moveBalances(connection, settled, (amount) => ({ settled: amount }))
  moveBalances(connection, unresolved, (amount) => ({ unresolved: amount }))
  return { outcome: 'done', settled, unresolved }
}

/** A better truth about a settled call moves its cost; what it counted of other measures stays. */
const isOfCost = ({ measure }: Hold): boolean => measure === undefined

const nothingMoved = { settled: [], unresolved: [] } as const

/** What has no price counts on where a limit has a ceiling for it. */
const leaveUnresolved = (connection: Connection, { unresolved = [] }: Settlement): void =>
  moveBalances(connection, unresolved, (amount) => ({ unresolved: amount }))

const release = (connection: Connection, asked: Release): Outcome => {
  const { callId } = asked
  const reserved = openReservation(connection, callId)
  if (reserved !== null) {
    insertEntry(connection, { kind: 'released', corrects: null, ...asked })
    close(connection, callId)
    moveBalances(connection, reserved.holds, (amount) => ({ held: -amount }))
    return 'done'
  }
  const before = entriesOfCall(connection, callId)
  const last = before.at(-1)
  if (last === undefined) return 'unknown'
  if (last.kind !== 'expired') return compare(connection, { callId, kind: 'released' }, before, asked)
  insertEntry(connection, { kind: 'released', corrects: last.sequence, ...asked })
  const { holds } = reservedEntry(connection, callId)
  moveBalances(connection, holds, (_, hold) => ({ unresolved: -unresolvedOf(hold) }))
  return 'late'
}

const renew = (connection: Connection, lease: { callIds: readonly string[]; until: Instant }): void => {
  connection.run(
    `UPDATE open_reservations SET lease_until = max(lease_until, ?)
     WHERE call_id IN (SELECT value FROM json_each(?))`,
    lease.until,
    JSON.stringify(lease.callIds),
  )
}

/** Expires the next reservations whose lease has passed; fewer than `expiredPerStep` when no more are left. */
const expire = (connection: Connection, at: Instant): readonly Reservation[] =>
  connection
    .all('SELECT call_id FROM open_reservations WHERE lease_until <= ? LIMIT ?', at, expiredPerStep)
    .map(({ call_id }) => {
      const callId = text(call_id)
      const reservation = storedReservation(entriesOfCall(connection, callId))
      insertEntry(connection, { kind: 'expired', callId, at })
      close(connection, callId)
      moveBalances(connection, reservation.holds, (amount, hold) => ({
        held: -amount,
        unresolved: unresolvedOf(hold),
      }))
      return reservation
    })

const unended = (connection: Connection, callId: string): Reservation | null => {
  const entries = entriesOfCall(connection, callId)
  const last = entries.at(-1)?.kind
  return last === 'reserved' || last === 'expired' ? storedReservation(entries) : null
}

const balances = (connection: Connection): readonly Balance[] =>
  connection
    .all(
      'SELECT b.*, n.name FROM balances b JOIN names n ON n.id = b."limit" ORDER BY b.window_start, n.name',
    )
    .map((row) => ({
      ...counterOf(nameParts(row['name'])),
      windowStart: number(row['window_start']),
      settled: whole(row['settled_units'], row['settled_picos']),
      held: whole(row['held_units'], row['held_picos']),
      unresolved: whole(row['unresolved_units'], row['unresolved_picos']),
    }))

/** The verbs of the ledger over SQL, for the database's thread. */
export const verbs = {
  reserve,
  settle,
  release,
  adjust,
  renew,
  expire,
  unended,
  balances,
  ...accrualVerbs,
  ...importVerbs,
  spend: readSpend,
  calls: readCalls,
  accrued: readAccrued,
  hasPromotions,
  life: readLife,
  lives: readLives,
  ...sealVerbs,
  ...sealedSumsVerbs,
  ...rollupVerbs,
  ...spendSumVerbs,
  verify: verifyEntries,
}

/** Appends the end of a call, adds it to its hour, and gives its sum. */
const bill = (
  connection: Connection,
  reserved: Reserved,
  entry: Settlement & ({ kind: 'settled' } | { kind: 'adjusted'; corrects: number }),
): Picos => {
  if (entry.currency !== reserved.currency) {
    throw new OctroiError(
      'currency_mismatch',
      `Call "${entry.callId}" was reserved in ${reserved.currency} and cannot be settled in ${entry.currency}.`,
    )
  }
  const { provider, endpoint, at, owner } = reserved
  const service = nameId(connection, 'service', [provider, entry.model, endpoint, entry.currency])
  insertEntry(connection, entry, service)
  addToHours(connection, { at, owner, service }, entry)
  return entry.charges.reduce((sum, charge) => sum + charge.amount, 0n)
}

/** Verbs that leave what they add to balances, hours and open reservations in memory until `write`. */
export const gathering = ['reserve', 'settle', 'release'] as const satisfies readonly (keyof typeof verbs)[]

/** Writes what was left in memory, before the commit and before any other verb. */
export const write = (connection: Connection): void => {
  writeOpen(connection)
  writeFolds(connection)
}

/** The same content was written before, or another stands: then what came is noted, and nothing changes. */
const compare = (
  connection: Connection,
  {
    callId,
    kind,
  }: { readonly callId: string; readonly kind: 'reserved' | 'settled' | 'released' | 'adjusted' },
  before: readonly StoredEntry[],
  content: Reservation | Settlement | Adjustment | Release,
): Outcome => {
  const alike = kind === 'settled' ? ['settled', 'adjusted'] : [kind]
  if (before.some((entry) => alike.includes(entry.kind) && isSameContent(entry, content))) return 'repeated'
  connection.run('INSERT OR IGNORE INTO conflicts VALUES (?, ?, ?)', callId, kind, contentOf(content))
  return 'conflict'
}

const storedReservation = (entries: readonly StoredEntry[]): Reservation => {
  const reserved = entries.find((entry) => entry.kind === 'reserved')
  if (reserved === undefined) {
    throw new OctroiError('ledger_corrupt', 'An open reservation has no entry. Run octroi ledger verify.')
  }
  const { call, currency, most, holds, leaseUntil } = reserved
  return { call, currency, most, holds, leaseUntil }
}
