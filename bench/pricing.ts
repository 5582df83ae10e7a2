import { readdirSync, readFileSync } from 'node:fs'
import { type PricedCall, price } from '../src/pricing/price.ts'
import { openPriceBook, type PriceFile } from '../src/pricing/price-book.ts'
import { parseInstant } from '../src/time.ts'
import type { Usage } from '../src/usage/usage.ts'

/** Measures how fast the book opens and how fast a call of four meters is priced: `node bench/pricing.ts`. About 10
 * seconds. The ratio compares with the plainest arithmetic that gives the same amounts, in the same rounds. */

const rounds = 15
const callsPerRound = 200_000

const folder = new URL('../prices/', import.meta.url)
const texts = readdirSync(folder)
  .filter((name) => name.endsWith('.json') && name !== 'schema.json')
  .map((name) => readFileSync(new URL(name, folder), 'utf8'))

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

const timed = (work: () => void): number => {
  const start = performance.now()
  work()
  return performance.now() - start
}

const files = texts.map((text): PriceFile => JSON.parse(text))
const first = timed(() => openPriceBook(files))
const openings = Array.from({ length: rounds }, () => timed(() => openPriceBook(files)))
const readings = Array.from({ length: rounds }, () => timed(() => texts.map((text) => JSON.parse(text))))
const book = openPriceBook(files)
console.log(
  `opening the book, ${book.prices.length + book.multipliers.length} rows: ${first.toFixed(0)} ms the first time, ` +
    `${median(openings).toFixed(0)} ms after; reading its JSON: ${median(readings).toFixed(0)} ms`,
)

const at = parseInstant('2026-11-23T12:00:00Z')
const calls: readonly (readonly [string, PricedCall])[] = [
  ['one card', { provider: 'openai', model: 'gpt-4o', at }],
  ['long and short card', { provider: 'openai', model: 'gpt-6.2-sol', at }],
  ['of a tier', { provider: 'openai', model: 'gpt-6.2-sol', at, attributes: { tier: 'flex' } }],
  ['with a factor', { provider: 'openai', model: 'gpt-6.2-sol', at, attributes: { residency: 'eu' } }],
]

/** Different usages, so that nothing learns one answer by heart. */
const usages: readonly Usage[] = Array.from({ length: 1024 }, (_, index) => ({
  input_text_tokens: 1000 + 7 * index,
  cached_input_tokens: 500 + 13 * index,
  output_text_tokens: 100 + index,
  output_reasoning_tokens: 1 + 3 * index,
}))

let sum = 0n
const priceAll = (call: PricedCall): void => {
  for (let index = 0; index < callsPerRound; index++) {
    sum += price(usages[index & 1023] ?? {}, call, book).pricedTotal
  }
}

/** Four rates at hand, in posted units: what is left when nothing has to be found, checked or named. */
const rates = [2_000_000n, 100_000n, 10_000_000n, 10_000_000n]
const multiplyAll = (): void => {
  for (let index = 0; index < callsPerRound; index++) {
    const quantities = Object.values(usages[index & 1023] ?? {})
    quantities.forEach((quantity, meter) => {
      sum += BigInt(Number(quantity)) * (rates[meter] ?? 0n)
    })
  }
}

for (const [name, call] of calls) {
  const cost = price(usages[0] ?? {}, call, book)
  if (cost.total === null) throw new Error(`${name} is not priced: ${cost.unpriced[0]?.message}`)
  priceAll(call)
  multiplyAll()
  const pairs = Array.from(
    { length: rounds },
    () => [timed(() => priceAll(call)), timed(multiplyAll)] as const,
  )
  const perSecond = (milliseconds: number): string =>
    Math.round((callsPerRound / milliseconds) * 1000).toLocaleString('en')
  const priced = pairs.map(([milliseconds]) => milliseconds)
  const ratio = median(pairs.map(([whole, bare]) => whole / bare))
  console.log(
    `four meters, ${name}: ${perSecond(median(priced))} calls a second (best ${perSecond(Math.min(...priced))}), ` +
      `${ratio.toFixed(1)} times the bare multiplications`,
  )
}
if (sum === 0n) throw new Error('nothing was priced')
