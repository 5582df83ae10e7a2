import { readdirSync, readFileSync } from 'node:fs'
import { calcPrice } from '@pydantic/genai-prices'
import { formatPicos } from '../src/money/money.ts'
import { type PricedCall, price } from '../src/pricing/price.ts'
import { openPriceBook, type PriceFile } from '../src/pricing/price-book.ts'
import { parseInstant } from '../src/time.ts'
import type { Usage } from '../src/usage/usage.ts'

/** Compares Octroi's `price` with `calcPrice` of `@pydantic/genai-prices` on calls that both can price:
 *
 *     node bench/peer-pricing.ts            about half a minute
 *     node bench/peer-pricing.ts --short    a tenth of the calls
 *
 * The two take turns within each round, and the ratio is taken within the round: what else the machine does touches
 * both. The amounts are compared first; the peer computes in floats, Octroi exactly. */

const rounds = 15
const callsPerRound = process.argv.includes('--short') ? 5000 : 50_000

const folder = new URL('../prices/', import.meta.url)
const book = openPriceBook(
  readdirSync(folder)
    .filter((name) => name.endsWith('.json') && name !== 'schema.json')
    .map((name): PriceFile => JSON.parse(readFileSync(new URL(name, folder), 'utf8'))),
)

/** The same call in both forms. The peer counts cached and written tokens within its input, Octroi beside it. */
type Case = {
  readonly name: string
  readonly call: PricedCall
  readonly providerId: string
  readonly usage: (index: number) => Usage
}

const at = parseInstant('2026-09-23T12:00:00Z')
const tokens = (index: number): Usage => ({
  input_text_tokens: 1000 + 7 * index,
  output_text_tokens: 100 + index,
})
const withCached = (index: number): Usage => ({ ...tokens(index), cached_input_tokens: 500 + 13 * index })
const withWrites = (index: number): Usage => ({
  ...withCached(index),
  cache_write_5m_tokens: 200 + 3 * index,
})

const cases: readonly Case[] = [
  {
    name: 'two meters, one card',
    call: { provider: 'openai', model: 'gpt-4o', at },
    providerId: 'openai',
    usage: tokens,
  },
  {
    name: 'three meters, long and short card',
    call: { provider: 'openai', model: 'gpt-5.5', at },
    providerId: 'openai',
    usage: withCached,
  },
  {
    name: 'four meters, one card',
    call: { provider: 'anthropic', model: 'claude-opus-5', at },
    providerId: 'anthropic',
    usage: withWrites,
  },
  {
    name: 'three meters, hours of the day',
    call: { provider: 'deepseek', model: 'deepseek-v4-pro', at },
    providerId: 'deepseek',
    usage: withCached,
  },
]

type PeerUsage = Record<string, number>

const peerUsage = (usage: Usage): PeerUsage => {
  const count = (meter: keyof Usage): number => Number(usage[meter] ?? 0)
  const [read, write] = [count('cached_input_tokens'), count('cache_write_5m_tokens')]
  return {
    input_tokens: count('input_text_tokens') + read + write,
    output_tokens: count('output_text_tokens'),
    ...(read > 0 && { cache_read_tokens: read }),
    ...(write > 0 && { cache_write_tokens: write }),
  }
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

const timed = (work: () => void): number => {
  const start = performance.now()
  work()
  return performance.now() - start
}

/** Keeps the work from being left out. */
let sum = 0

for (const { name, call, providerId, usage } of cases) {
  const usages = Array.from({ length: 1024 }, (_, index) => usage(index))
  const theirs = usages.map(peerUsage)
  const timestamp = new Date(at)
  const model = call.model ?? ''
  let furthest = 0
  usages.forEach((each, index) => {
    const ours = price(each, call, book)
    if (ours.total === null) throw new Error(`${name}: ${ours.unpriced[0]?.message}`)
    const peer = calcPrice(theirs[index] ?? {}, model, { providerId, timestamp })
    if (peer === null) throw new Error(`${name}: the peer has no price`)
    furthest = Math.max(furthest, Math.abs(peer.total_price - Number(formatPicos(ours.total))))
  })
  if (furthest > 1e-9) throw new Error(`${name}: the two differ by ${furthest}`)
  const ourRound = (): void => {
    for (let index = 0; index < callsPerRound; index++) {
      sum += price(usages[index & 1023] ?? {}, call, book).charges.length
    }
  }
  const theirRound = (): void => {
    for (let index = 0; index < callsPerRound; index++) {
      const found = calcPrice(theirs[index & 1023] ?? {}, model, { providerId, timestamp })
      sum += found === null ? 0 : 1
    }
  }
  ourRound()
  theirRound()
  const pairs = Array.from({ length: rounds }, (_, round) => {
    if (round % 2 === 0) return [timed(ourRound), timed(theirRound)] as const
    const peer = timed(theirRound)
    return [timed(ourRound), peer] as const
  })
  const perSecond = (milliseconds: number): string =>
    Math.round((callsPerRound / milliseconds) * 1000).toLocaleString('en')
  const ratio = median(pairs.map(([ours, peer]) => peer / ours))
  console.log(
    `${name} (${model}): octroi ${perSecond(median(pairs.map(([ours]) => ours)))} calls a second, ` +
      `genai-prices ${perSecond(median(pairs.map(([, peer]) => peer)))}; octroi is ${ratio.toFixed(1)} times as fast`,
  )
}
if (sum === 0) throw new Error('nothing was priced')
