import { counterParts, type Hold, settledOf, unresolvedOf } from '../limits/hold.ts'
import type { Picos } from '../money/money.ts'
import { add, type Rational, rational, subtract, zero } from '../money/rational.ts'
import type { Accrued } from './accrual.ts'
import type { Reservation, Settlement, StoredEntry } from './entry.ts'
import type { ClosedPeriod } from './imported.ts'

/** What the entries come to, folded one by one in plain code, apart from the statements that keep the folds.
 * Keys are JSON arrays of names, so that both can be compared line by line. */
export type Books = {
  /** Call id to reservation, of calls that have not ended. */
  readonly open: Map<string, Reservation>
  /** Call id to reservation, of expired calls whose truth is not known. */
  readonly expired: Map<string, { readonly sequence: number; readonly reservation: Reservation }>
  readonly balances: Map<string, { settled: Picos; held: Picos; unresolved: Picos }>
  readonly chargeHours: Map<string, { quantity: Rational; amount: Picos }>
  readonly callHours: Map<string, CallSums>
  /** What each stay came to, with and without promotions, and until when it is posted. */
  readonly stays: Map<string, { posted: Picos; list: Picos; until: number }>
  readonly closed: ClosedPeriod[]
  /** Entries that break a rule: ended twice, corrected what does not stand, posted a stretch of time twice. */
  readonly faults: { readonly key: string; readonly rule: string }[]
}

/** Sums over calls. `unpriced` counts calls of which something had no price. */
export type CallSums = { calls: number; unpriced: number; resentTokens: number; resentAmount: Picos }

export const emptyBooks = (): Books => ({
  open: new Map(),
  expired: new Map(),
  balances: new Map(),
  chargeHours: new Map(),
  callHours: new Map(),
  stays: new Map(),
  closed: [],
  faults: [],
})

/** Adds one entry. Entries must come in order. `entriesOf` gives all entries of a call or an imported line: what a
 * correction takes the place of is read again, not remembered. */
export const foldEntry = (
  books: Books,
  entry: StoredEntry,
  entriesOf: (id: string) => readonly StoredEntry[],
): void => {
  if (entry.kind === 'reserved') foldReserved(books, entry)
  else if (entry.kind === 'accrued') foldAccrued(books, entry)
  else if (entry.kind === 'closed') foldClosed(books, entry)
  else if (entry.kind === 'imported') foldImported(books, entry, entriesOf)
  else if (entry.kind === 'adjusted' && books.expired.get(entry.callId)?.sequence !== entry.corrects) {
    foldAdjusted(books, entry, entriesOf(entry.callId))
  } else foldEnd(books, entry)
}

const foldAccrued = (books: Books, entry: StoredEntry & { readonly kind: 'accrued' }): void => {
  const { accrualId, object, from, to, owner, counts } = entry
  const fault = (rule: string) =>
    books.faults.push({ key: accrualId, rule: `entry ${entry.sequence} ${rule}` })
  if (to <= from) fault('is for no time')
  if (object !== null) {
    const stay = getOrMake(books.stays, accrualId, () => ({ posted: 0n, list: 0n, until: from }))
    if (from < stay.until) fault('is for a time that is posted already')
    stay.until = to
    stay.posted += totalOf(entry)
    stay.list += entry.list
  }
  addUses(books, placeKey(from, { ...entry, ...owner }), entry)
  for (const hold of counts) balanceOf(books, hold).settled += hold.amount
}

/** What an imported line corrects is taken back. */
const foldImported = (
  books: Books,
  entry: StoredEntry & { readonly kind: 'imported' },
  entriesOf: (id: string) => readonly StoredEntry[],
): void => {
  const { lineId, corrects, sequence, from, to, role, charges } = entry
  const fault = (rule: string) => books.faults.push({ key: lineId, rule: `entry ${sequence} ${rule}` })
  if (to <= from) fault('is for no time')
  if (role === 'bill' && charges.length > 0) fault('is of a bill, and posts spend')
  addLine(books, entry, 1n)
  if (corrects === null) return
  const before = entriesOf(lineId).findLast((each) => each.sequence < sequence)
  if (before?.kind === 'imported' && before.sequence === corrects) addLine(books, before, -1n)
  else fault('corrects what does not stand')
}

const addLine = (books: Books, line: StoredEntry & { readonly kind: 'imported' }, sign: 1n | -1n): void => {
  const basis = 'imported'
  const key = placeKey(line.from, { ...line, ...line.owner })
  addUses(books, key, { ...line, basis }, sign)
  if (line.calls === 0) return
  addCalls(books, [...key, basis], sign, {
    calls: line.calls,
    unpriced: line.unpriced.length > 0 ? line.calls : 0,
    resentTokens: 0,
    resentAmount: 0n,
  })
}

const foldClosed = (books: Books, entry: StoredEntry & { readonly kind: 'closed' }): void => {
  const { from, to, provider, sequence } = entry
  const fault = (rule: string) =>
    books.faults.push({ key: provider ?? '', rule: `entry ${sequence} ${rule}` })
  if (to <= from) fault('closes no time')
  const overlaps = books.closed.some(
    (each) => (each.provider ?? provider) === provider && Math.max(each.from, from) < Math.min(each.to, to),
  )
  if (overlaps) fault('closes what is closed')
  books.closed.push(entry)
}

/** Another settlement takes the place of the one that stands. */
const foldAdjusted = (
  books: Books,
  entry: StoredEntry & { readonly kind: 'adjusted' },
  entries: readonly StoredEntry[],
): void => {
  const reserved = entries.find((each) => each.kind === 'reserved')
  const before = entries.findLast(({ sequence }) => sequence < entry.sequence)
  const stands = before?.sequence === entry.corrects && isSettlement(before) ? before : undefined
  if (reserved === undefined || stands === undefined) {
    books.faults.push({ key: entry.callId, rule: `entry ${entry.sequence} corrects what does not stand` })
    return
  }
  const more = addSettlement(books, reserved, entry) + addSettlement(books, reserved, stands, -1n)
  for (const hold of reserved.holds) {
    if (hold.measure === undefined) balanceOf(books, hold).settled += more
  }
  for (const hold of stands.unresolved ?? []) balanceOf(books, hold).unresolved -= hold.amount
  leaveUnresolved(books, entry)
}

const isSettlement = (
  entry: StoredEntry,
): entry is StoredEntry & Settlement & { kind: 'settled' | 'adjusted' } =>
  entry.kind === 'settled' || entry.kind === 'adjusted'

const foldEnd = (
  books: Books,
  entry: Exclude<StoredEntry, { readonly kind: 'reserved' | 'accrued' | 'imported' | 'closed' }>,
): void => {
  const callId = entry.callId
  const corrected = 'corrects' in entry && entry.corrects !== null ? books.expired.get(callId) : undefined
  if (corrected !== undefined && 'corrects' in entry && entry.corrects === corrected.sequence) {
    books.expired.delete(callId)
    const total = 'charges' in entry ? addSettlement(books, corrected.reservation, entry) : 0n
    for (const hold of corrected.reservation.holds) {
      const balance = balanceOf(books, hold)
      balance.unresolved -= unresolvedOf(hold)
      if (isSettlement(entry)) balance.settled += settledOf(hold, total, entry.used)
    }
    leaveUnresolved(books, entry)
    return
  }
  const reservation = books.open.get(callId)
  if (reservation === undefined || entry.kind === 'adjusted') {
    books.faults.push({ key: callId, rule: `entry ${entry.sequence} ends a call that is not open` })
    return
  }
  books.open.delete(callId)
  if (entry.kind === 'expired') books.expired.set(callId, { sequence: entry.sequence, reservation })
  const total = entry.kind === 'settled' ? addSettlement(books, reservation, entry) : 0n
  for (const hold of reservation.holds) {
    const balance = balanceOf(books, hold)
    balance.held -= hold.amount
    if (entry.kind === 'expired') balance.unresolved += unresolvedOf(hold)
    else if (isSettlement(entry)) balance.settled += settledOf(hold, total, entry.used)
  }
  leaveUnresolved(books, entry)
}

/** What has no price counts on where a limit has a ceiling for it. */
const leaveUnresolved = (books: Books, entry: StoredEntry): void => {
  if (!isSettlement(entry)) return
  for (const hold of entry.unresolved ?? []) balanceOf(books, hold).unresolved += hold.amount
}

const foldReserved = (books: Books, entry: StoredEntry & { readonly kind: 'reserved' }): void => {
  const { call, holds } = entry
  if (books.open.has(call.id) || books.expired.has(call.id)) {
    books.faults.push({ key: call.id, rule: `entry ${entry.sequence} reserves a second time` })
    return
  }
  books.open.set(call.id, entry)
  for (const hold of holds) balanceOf(books, hold).held += hold.amount
}

const balanceOf = (books: Books, hold: Hold) =>
  getOrMake(books.balances, JSON.stringify([...counterParts(hold), hold.windowStart]), () => ({
    settled: 0n,
    held: 0n,
    unresolved: 0n,
  }))

/** Adds a settlement to its hour, or takes it back, and gives its sum with that sign. */
const addSettlement = (
  books: Books,
  { call }: Pick<Reservation, 'call'>,
  settlement: Settlement,
  sign: 1n | -1n = 1n,
): Picos => {
  const { model, currency, basis, unpriced, resent } = settlement
  const key = placeKey(call.at, { ...call, model, currency })
  addUses(books, key, settlement, sign)
  addCalls(books, [...key, basis], sign, {
    calls: 1,
    unpriced: unpriced.length > 0 ? 1 : 0,
    resentTokens: resent?.tokens ?? 0,
    resentAmount: resent?.amount ?? 0n,
  })
  return sign * totalOf(settlement)
}

/** What comes to nothing when it is taken back is gone. */
const addCalls = (books: Books, key: readonly unknown[], sign: 1n | -1n, more: CallSums): void => {
  const callKey = JSON.stringify(key)
  const sums = getOrMake(books.callHours, callKey, () => ({
    calls: 0,
    unpriced: 0,
    resentTokens: 0,
    resentAmount: 0n,
  }))
  const times = Number(sign)
  sums.calls += times * more.calls
  sums.unpriced += times * more.unpriced
  sums.resentTokens += times * more.resentTokens
  sums.resentAmount += sign * more.resentAmount
  const { calls, unpriced, resentTokens, resentAmount } = sums
  if (sign < 0n && calls === 0 && unpriced === 0 && resentTokens === 0 && resentAmount === 0n) {
    books.callHours.delete(callKey)
  }
}

const totalOf = ({ charges }: Pick<Settlement, 'charges'>): Picos =>
  charges.reduce((sum, { amount }) => sum + amount, 0n)

type Named = Accrued['owner'] & Pick<Accrued, 'provider' | 'model' | 'endpoint' | 'currency'>

const placeKey = (at: number, named: Omit<Named, 'endUser' | 'tags'>): readonly unknown[] => {
  const { organization, team, project, environment, key, provider, model, endpoint, currency } = named
  const hour = Math.floor(at / 3_600_000) * 3_600_000
  return [hour, organization, team, project, environment, key, provider, model, endpoint, currency]
}

const addUses = (
  books: Books,
  key: readonly unknown[],
  { basis, charges, unpriced }: Pick<Settlement, 'basis' | 'charges' | 'unpriced'>,
  sign: 1n | -1n = 1n,
): void => {
  const uses = [
    ...charges.map((charge) => ({ ...charge, priced: 1 })),
    ...unpriced.map((used) => ({ ...used, priced: 0, amount: 0n })),
  ]
  for (const { meter, quantity, amount, priced } of uses) {
    const useKey = JSON.stringify([...key, meter, basis, priced])
    const sums = getOrMake(books.chargeHours, useKey, () => ({ quantity: zero, amount: 0n }))
    const used =
      typeof quantity === 'number'
        ? rational(BigInt(quantity))
        : rational(quantity.numerator, quantity.denominator)
    sums.quantity = sign > 0n ? add(sums.quantity, used) : subtract(sums.quantity, used)
    sums.amount += sign * amount
    const mayVanish = sign < 0n || basis === 'imported'
    if (mayVanish && sums.quantity.numerator === 0n && sums.amount === 0n) books.chargeHours.delete(useKey)
  }
}

const getOrMake = <Value>(map: Map<string, Value>, key: string, make: () => Value): Value => {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}
