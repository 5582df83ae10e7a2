/** Converts a drop of price facts (a JSON array of rows in snake_case) into `prices/`:
 *
 *     node scripts/convert-prices.ts FILE
 *
 * Every fact of a row that is taken is carried over; how many are left, and why, is printed. */
import { readFileSync, writeFileSync } from 'node:fs'
import { attributeRules } from '../src/pricing/attributes.ts'
import { openPriceBook, type PriceFile, type PriceRow } from '../src/pricing/price-book.ts'
import { parseInstant } from '../src/time.ts'
import { isMeter } from '../src/usage/meter.ts'

type Fact = Readonly<Record<string, unknown>>

const provider = 'openai'
const foundingDay = parseInstant('2023-11-15')

/** The reason why a fact stays out of the book, or null. */
const leftOut = (fact: Fact): string | null => {
  if (fact['provider'] !== provider) return 'another provider'
  if (fact['service'] !== 'chat' && !holdsOn(fact, foundingDay)) return 'not chat, nor of 2023-11-15'
  if (fact['kind'] !== undefined) return `kind ${fact['kind']}`
  if (!isMeter(String(fact['meter']))) return `meter ${fact['meter']}`
  const unknown = Object.keys(Object(fact['attributes'])).find((name) => !Object.hasOwn(attributeRules, name))
  return unknown === undefined ? null : `attribute ${unknown}`
}

const holdsOn = (fact: Fact, at: number): boolean =>
  parseInstant(String(fact['effective_from'])) <= at &&
  (fact['effective_to'] === null || at < parseInstant(String(fact['effective_to'])))

const row = (fact: Fact): PriceRow => {
  const members = Object.entries(fact).map(([key, value]) => [camelCase(key), value])
  return Object.fromEntries(members)
}

const camelCase = (key: string): string => key.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())

/** By what is priced, then by date: a new price of a model stands beside the old one. */
const byPlace = (a: PriceRow, b: PriceRow): number => {
  const [left, right] = [placeOf(a), placeOf(b)]
  return left < right ? -1 : left > right ? 1 : 0
}

const placeOf = (r: PriceRow): string =>
  [
    r.service,
    r.model ?? '',
    JSON.stringify(r.attributes['tier'] ?? ''),
    r.meter,
    JSON.stringify(r.attributes),
    r.effectiveFrom,
    r.knownSince ?? '',
  ].join('\u0000')

const file = process.argv[2]
if (file === undefined) throw new Error('Say which file to convert: node scripts/convert-prices.ts FILE')
const facts: readonly Fact[] = JSON.parse(readFileSync(file, 'utf8'))
const left = new Map<string, number>()
for (const fact of facts) {
  const why = leftOut(fact)
  if (why !== null) left.set(why, (left.get(why) ?? 0) + 1)
}
const prices = facts
  .filter((fact) => leftOut(fact) === null)
  .map(row)
  .sort(byPlace)
const book: PriceFile = { schema: 'octroi-prices/1', provider, prices }
openPriceBook([book])
const lines = prices.map((price) => JSON.stringify(price)).join(',\n')
const text = `{"schema":"${book.schema}","provider":"${provider}","prices":[\n${lines}\n]}\n`
writeFileSync(new URL(`../prices/${provider}.json`, import.meta.url), text)
console.log(`prices/${provider}.json: ${prices.length} rows of ${facts.length}`)
for (const [why, count] of [...left].sort(([, a], [, b]) => b - a)) console.log(`left out: ${count} (${why})`)
