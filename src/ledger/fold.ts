import type { Hold } from '../limits/hold.ts'
import type { Picos } from '../money/money.ts'
import { add, type Rational, rational, zero } from '../money/rational.ts'
import type { Reservation, Settlement, StoredEntry } from './entry.ts'

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
  /** Entries that break a rule: ended twice, corrected what was not expired. */
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
  faults: [],
})

/** Adds one entry. Entries must come in order. */
export const foldEntry = (books: Books, entry: StoredEntry): void => {
  if (entry.kind === 'reserved') foldReserved(books, entry)
  else foldEnd(books, entry)
}

const foldEnd = (books: Books, entry: Exclude<StoredEntry, { readonly kind: 'reserved' }>): void => {
  const callId = entry.callId
  const corrected = 'corrects' in entry && entry.corrects !== null ? books.expired.get(callId) : undefined
  if (corrected !== undefined && 'corrects' in entry && entry.corrects === corrected.sequence) {
    books.expired.delete(callId)
    const total = 'charges' in entry ? addSettlement(books, corrected.reservation, entry) : 0n
    for (const hold of corrected.reservation.holds) {
      const balance = balanceOf(books, hold)
      balance.unresolved -= hold.amount
      balance.settled += total
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
    if (entry.kind === 'expired') balance.unresolved += hold.amount
    else balance.settled += total
  }
  leaveUnresolved(books, entry)
}

/** What has no price counts on where a limit has a ceiling for it. */
const leaveUnresolved = (books: Books, entry: StoredEntry): void => {
  if (!('charges' in entry)) return
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

const balanceOf = (books: Books, { limit, windowStart }: Hold) =>
  getOrMake(books.balances, JSON.stringify([limit, windowStart]), () => ({
    settled: 0n,
    held: 0n,
    unresolved: 0n,
  }))

const addSettlement = (books: Books, { call }: Reservation, settlement: Settlement): Picos => {
  const { model, currency, basis, charges, unpriced, resent } = settlement
  const hour = Math.floor(call.at / 3_600_000) * 3_600_000
  const owner = [call.organization, call.team, call.project, call.environment, call.key]
  const key = [hour, ...owner, call.provider, model, call.endpoint, currency]
  let total = 0n
  const uses = [
    ...charges.map((charge) => ({ ...charge, priced: 1 })),
    ...unpriced.map((used) => ({ ...used, priced: 0, amount: 0n })),
  ]
  for (const { meter, quantity, amount, priced } of uses) {
    const sums = getOrMake(books.chargeHours, JSON.stringify([...key, meter, basis, priced]), () => ({
      quantity: zero,
      amount: 0n,
    }))
    sums.quantity = add(
      sums.quantity,
      typeof quantity === 'number'
        ? rational(BigInt(quantity))
        : rational(quantity.numerator, quantity.denominator),
    )
    sums.amount += amount
    total += amount
  }
  const sums = getOrMake(books.callHours, JSON.stringify([...key, basis]), () => ({
    calls: 0,
    unpriced: 0,
    resentTokens: 0,
    resentAmount: 0n,
  }))
  sums.calls += 1
  sums.unpriced += unpriced.length > 0 ? 1 : 0
  sums.resentTokens += resent?.tokens ?? 0
  sums.resentAmount += resent?.amount ?? 0n
  return total
}

const getOrMake = <Value>(map: Map<string, Value>, key: string, make: () => Value): Value => {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}
