import { createHash } from 'node:crypto'
import type { PriceFile, PriceRow } from '../src/pricing/price-book.ts'
import { calendars, type Fact, resolveSentences } from './price-sentences.ts'

/** What proves that files carry the facts of a drop: how many each provider has, and a hash of all of them. */
export type Proof = Readonly<Record<string, { readonly rows: number; readonly sha256: string }>>

/** Converts a drop of price facts into the files of `prices/`, one a provider. Every fact of every row is carried
 * over; what its sentences mean is put beside them, under `resolved`. */
export const filesOf = (facts: readonly Fact[]): readonly PriceFile[] =>
  [...Map.groupBy(facts, ({ provider }) => String(provider))].map(([provider, own]) => {
    const prices = own.map((fact) => rowOf(fact, facts)).sort(byPlace)
    const used = new Set(prices.map(({ resolved }) => resolved?.calendar))
    const theirs = Object.entries(calendars).filter(([name]) => used.has(name))
    return {
      schema: 'octroi-prices/1',
      provider,
      ...(theirs.length > 0 && { calendars: Object.fromEntries(theirs) }),
      prices,
    }
  })

/** The fact that a row was converted from: what is under `resolved` was not in it. */
export const factOf = ({ resolved: _, ...row }: PriceRow): Fact =>
  Object.fromEntries(Object.entries(row).map(([key, value]) => [snakeCase(key), value]))

/** The proof of a drop. It is recorded from the facts before they are converted; the same of the facts that the files
 * give back says that nothing was lost, changed or added. */
export const proofOf = (facts: readonly Fact[]): Proof =>
  Object.fromEntries(
    [...Map.groupBy(facts, ({ provider }) => String(provider))]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([provider, own]) => [provider, { rows: own.length, sha256: hashOf(own) }]),
  )

/** A file as it is written: one price a line, so that a change of a price is a change of one line. */
export const textOf = ({ prices, ...head }: PriceFile): string => {
  const lines = prices.map((price) => JSON.stringify(price)).join(',\n')
  return `${JSON.stringify(head).slice(0, -1)},"prices":[\n${lines}\n]}\n`
}

const rowOf = (fact: Fact, facts: readonly Fact[]): PriceRow => {
  const members = Object.entries(fact).map(([key, value]) => [camelCase(key), value])
  const resolved = resolveSentences(fact, facts)
  return Object.fromEntries(resolved === null ? members : [...members, ['resolved', resolved]])
}

/** The rows in any order and their members in any order have one hash. */
const hashOf = (facts: readonly Fact[]): string =>
  createHash('sha256')
    .update(
      facts
        .map((fact) => canonical(fact))
        .sort()
        .join('\n'),
    )
    .digest('hex')

const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  )

const camelCase = (key: string): string => key.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())

const snakeCase = (key: string): string => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** By what is priced, then by date: a new price of a model stands beside the old one. */
const byPlace = (a: PriceRow, b: PriceRow): number => {
  const [left, right] = [placeOf(a), placeOf(b)]
  return left < right ? -1 : left > right ? 1 : 0
}

const placeOf = (row: PriceRow): string =>
  [
    row.service,
    row.model ?? '',
    JSON.stringify(row.attributes['tier'] ?? ''),
    row.meter,
    JSON.stringify(row.attributes),
    row.currency,
    row.effectiveFrom,
    row.knownSince ?? '',
  ].join('\u0000')
