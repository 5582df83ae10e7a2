import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { add, type Rational, zero } from '../money/rational.ts'
import { parseFraction } from './columns.ts'
import type { StoredEntry } from './entry.ts'
import { type Books, emptyBooks, foldEntry } from './fold.ts'

/** Adds whole calls to books; entries in order. */
export const foldCalls = (books: Books, entries: readonly StoredEntry[]): void => {
  const calls = Map.groupBy(entries, (entry) => ('callId' in entry ? entry.callId : idOf(entry)))
  for (const of of calls.values()) {
    for (const entry of of) foldEntry(books, entry, () => of)
  }
}

/** Adds what a checkpoint says, with its sign. What comes to nothing is gone. */
export const addCheckpoint = (books: Books, fold: Uint8Array, sign: bigint): void => {
  const written: Written = JSON.parse(inflateRawSync(fold).toString('utf8'))
  for (const [key, ...sums] of written.balances) {
    const [settled, held, unresolved] = sums.map((sum) => sign * BigInt(sum))
    const before = books.balances.get(key) ?? { settled: 0n, held: 0n, unresolved: 0n }
    before.settled += settled ?? 0n
    before.held += held ?? 0n
    before.unresolved += unresolved ?? 0n
    books.balances.set(key, before)
  }
  for (const [key, quantity, amount] of written.charges) {
    const before = books.chargeHours.get(key) ?? { quantity: zero, amount: 0n }
    before.quantity = add(before.quantity, times(parseFraction(quantity), sign))
    before.amount += sign * BigInt(amount)
    if (before.quantity.numerator === 0n && before.amount === 0n && sign < 0n) books.chargeHours.delete(key)
    else books.chargeHours.set(key, before)
  }
  for (const [key, ...sums] of written.calls) {
    const [calls, unpriced, resentTokens, resentAmount] = sums.map((sum) => sign * BigInt(sum))
    const before = books.callHours.get(key) ?? { calls: 0, unpriced: 0, resentTokens: 0, resentAmount: 0n }
    before.calls += Number(calls)
    before.unpriced += Number(unpriced)
    before.resentTokens += Number(resentTokens)
    before.resentAmount += resentAmount ?? 0n
    if (before.calls === 0 && sign < 0n) books.callHours.delete(key)
    else books.callHours.set(key, before)
  }
}

/** Books of ended calls, to be kept as a checkpoint. */
export const writeCheckpoint = ({ balances, chargeHours, callHours }: Books): Uint8Array => {
  const written: Written = {
    balances: [...balances].map(([key, { settled, held, unresolved }]) => [
      key,
      ...[settled, held, unresolved].map(String),
    ]),
    charges: [...chargeHours].map(([key, { quantity, amount }]) => [
      key,
      `${quantity.numerator}/${quantity.denominator}`,
      `${amount}`,
    ]),
    calls: [...callHours].map(([key, { calls, unpriced, resentTokens, resentAmount }]) => [
      key,
      ...[calls, unpriced, resentTokens, resentAmount].map(String),
    ]),
  }
  return deflateRawSync(JSON.stringify(written))
}

/** Books as lines that can be compared, in no order: a key and its sums. */
export const checkpointLines = ({
  balances,
  chargeHours,
  callHours,
}: Books): readonly (readonly [key: string, sums: string])[] => [
  ...[...balances].map(
    ([key, { settled, held, unresolved }]) => [`balance ${key}`, `${settled} ${held} ${unresolved}`] as const,
  ),
  ...[...chargeHours].map(
    ([key, { quantity, amount }]) =>
      [`charges ${key}`, `${quantity.numerator}/${quantity.denominator} ${amount}`] as const,
  ),
  ...[...callHours].map(
    ([key, { calls, unpriced, resentTokens, resentAmount }]) =>
      [`calls ${key}`, `${calls} ${unpriced} ${resentTokens} ${resentAmount}`] as const,
  ),
]

/** The books that some checkpoints come to together. */
export const sumOfCheckpoints = (
  checkpoints: Iterable<{ readonly fold: Uint8Array; readonly sign: bigint }>,
): Books => {
  const books = emptyBooks()
  for (const { fold, sign } of checkpoints) addCheckpoint(books, fold, sign)
  return books
}

type Written = {
  readonly balances: readonly (readonly [key: string, ...sums: string[]])[]
  readonly charges: readonly (readonly [key: string, quantity: string, amount: string])[]
  readonly calls: readonly (readonly [key: string, ...sums: string[]])[]
}

const idOf = (entry: StoredEntry): string => (entry.kind === 'reserved' ? entry.call.id : '')

const times = ({ numerator, denominator }: Rational, sign: bigint): Rational => ({
  numerator: sign * numerator,
  denominator,
})
