import { describe, expect, it } from 'vitest'
import { bundledBook } from '../cli/bundled.ts'
import type { Instant } from '../time.ts'
import { attributeRules } from './attributes.ts'
import type { Price } from './price-book.ts'
import { type PricedCall, placeOf, priceOn } from './price-of.ts'

const book = await bundledBook()

/** What a call says that asks for just this price. */
const saidOf = ({ attributes }: Price): Record<string, string> => ({
  promotion: 'none',
  ...Object.fromEntries(
    Object.entries(attributes).flatMap(([name, value]) =>
      attributeRules[name]?.asked === true ? [[name, String(value)]] : [],
    ),
  ),
})

const inputTokensOf = ({ attributes }: Price): number =>
  attributes['context'] === 'long' ? Number(attributes['context_threshold_tokens']) + 1 : 0

const hour = 3_600_000

/** The first and the last instant of a row and one between; of a row with a time band, which holds at some hours
 * only, every hour of a week. */
const instantsOf = ({ from, to, attributes }: Price): readonly Instant[] => {
  const end = to ?? from + 10_000 * hour
  if (attributes['time_band'] === undefined) return [from, Math.floor((from + end) / 2), end - 1]
  const week = Array.from({ length: 24 * 7 }, (_, index) => from + index * hour)
  return week.filter((at) => at < end)
}

/** The ids of the prices that a call finds that asks for this one under a name, at each of its instants. */
const found = (price: Price, model: string | null): readonly string[] => {
  const call: Omit<PricedCall, 'at'> = {
    provider: price.provider,
    model,
    currency: price.currency,
    attributes: saidOf(price),
    ...(price.supersededOn !== null && { asOf: price.knownSince ?? price.from }),
  }
  return instantsOf(price).map((at) => {
    const answer = priceOn(placeOf({ ...call, at }, inputTokensOf(price), book), price.meter)
    return 'code' in answer ? answer.message : answer.cell.price.id
  })
}

/** Why a price is not found as it should be: always, or at some hours where it has a time band. */
const wrong = (price: Price, model: string | null): readonly string[] => {
  const answers = found(price, model)
  const others = answers.filter((answer) => answer !== price.id)
  const isBand = price.attributes['time_band'] !== undefined
  const bad =
    isBand && others.length < answers.length ? others.filter((answer) => answer.includes(' ')) : others
  return bad.map((answer) => `${price.row.effectiveFrom} ${model} ${price.meter}: ${answer}`)
}

describe('every row of the book', () => {
  it('is there: 1,879 prices and 4 multipliers, from eight providers, each under an id of its own', () => {
    expect(book.prices).toHaveLength(1879)
    expect(book.multipliers.map(({ name }) => name).sort()).toEqual([
      'fedramp',
      'inference_geo_us',
      'regional_processing',
      'vertex_regional_endpoint',
    ])
    expect(new Set(book.prices.map(({ provider }) => provider)).size).toBe(8)
    expect(new Set([...book.prices, ...book.multipliers].map(({ id }) => id)).size).toBe(1883)
  })

  it('is the one price found by a call that asks for it: none hides another, and no two hold at once', () => {
    const problems = book.prices.flatMap((price) =>
      wrong(price, price.model ?? price.row.resolved?.models?.[0] ?? null),
    )
    expect(problems).toEqual([])
  })

  it('is found under every alias it lists, too', () => {
    const problems = book.prices.flatMap((price) =>
      price.row.resolved?.aliases === undefined
        ? (price.row.aliases ?? []).flatMap((alias) => wrong(price, alias))
        : [],
    )
    expect(problems).toEqual([])
  })

  it('goes by a dated alias from its day on', () => {
    const name = 'mistral-medium-latest'
    const at = (day: string) => {
      const call = { provider: 'mistral', model: name, at: Date.parse(day) }
      const answer = priceOn(placeOf(call, 0, book), 'input_text_tokens')
      return 'code' in answer ? answer.code : answer.cell.price.model
    }
    expect(at('2026-06-15T23:59:59Z')).toBe('no_price')
    expect(at('2026-06-16')).toBe('mistral-medium-3-5')
  })
})
