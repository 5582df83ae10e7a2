import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatPicos, parsePicos } from '../money/money.ts'
import { add, compare, parseDecimal, type Rational, rational, subtract, zero } from '../money/rational.ts'
import { parseInstant } from '../time.ts'
import type { Meter } from '../usage/meter.ts'
import type { Quantity } from '../usage/usage.ts'
import { type PricedCall, price } from './price.ts'
import { openPriceBook, type PriceRow } from './price-book.ts'

const row = (
  meter: Meter,
  attributes: PriceRow['attributes'],
  changes: Partial<PriceRow> = {},
): PriceRow => ({
  provider: 'acme',
  model: null,
  service: 'tool',
  meter,
  attributes,
  unitPrice: '0.3',
  per: 7,
  currency: 'USD',
  effectiveFrom: '2024-01-01',
  fromPrecision: 'exact',
  effectiveTo: null,
  confidence: 'high',
  source: 'a price list',
  ...changes,
})

const bookOf = (...prices: PriceRow[]) =>
  openPriceBook([{ schema: 'octroi-prices/1', provider: 'acme', prices }])

const call: PricedCall = { provider: 'acme', model: null, at: parseInstant('2024-06-01') }

const at = 'audio_seconds'
const exactQuantity = (quantity: Quantity | undefined): Rational =>
  typeof quantity === 'number' ? rational(BigInt(quantity)) : (quantity ?? zero)

/** A meter under one rule of billing: what is billed of a quantity, and what it costs exactly. */
const under = (meter: Meter, attributes: PriceRow['attributes']) => {
  const book = bookOf(row(meter, attributes))
  const charge = (quantity: Quantity, said: Partial<PricedCall> = {}) =>
    price({ [meter]: quantity }, { ...call, ...said }, book).charges[0]
  return {
    charge,
    billed: (quantity: Quantity, said?: Partial<PricedCall>) =>
      exactQuantity(charge(quantity, said)?.quantity),
    exact: (quantity: Quantity, said?: Partial<PricedCall>) => charge(quantity, said)?.exact ?? zero,
  }
}

/** Seconds, minutes or gigabyte-days with their fractions: up to 10^6, in parts of up to 1,000. */
const fractions = fc
  .tuple(fc.integer({ min: 1, max: 1_000_000 }), fc.integer({ min: 1, max: 1000 }))
  .map(([above, below]) => rational(BigInt(above), BigInt(below)))

describe('rounding to the nearest second', () => {
  const speech = under(at, { rounding: 'nearest_second' })

  it('takes half a second for a whole one', () => {
    expect(speech.billed(parseDecimal('61.4'))).toEqual(rational(61n))
    expect(speech.billed(parseDecimal('61.5'))).toEqual(rational(62n))
    expect(speech.billed(parseDecimal('0.4'))).toEqual(zero)
    expect(speech.charge(parseDecimal('61.4'))).toMatchObject({
      quantity: 61,
      measured: parseDecimal('61.4'),
    })
    expect(speech.charge(61)).not.toHaveProperty('measured')
  })

  it('is at most half a second off, for every length', () => {
    fc.assert(
      fc.property(fractions, (seconds) => {
        const off = subtract(speech.billed(seconds), seconds)
        expect(compare(off, rational(1n, 2n)) <= 0 && compare(rational(-1n, 2n), off) < 0).toBe(true)
      }),
    )
  })
})

describe('a minimum', () => {
  const short = under(at, { min_seconds: 10 })

  it('raises what is less, and leaves the rest', () => {
    expect(short.billed(3)).toEqual(rational(10n))
    expect(short.billed(10)).toEqual(rational(10n))
    expect(short.billed(parseDecimal('10.5'))).toEqual(parseDecimal('10.5'))
  })

  it('is in the unit of the meter', () => {
    const hours = under('code_execution_container_hours', { min_seconds: 300 })
    expect(hours.billed(rational(1n, 20n))).toEqual(rational(1n, 12n))
  })

  it('is of what is used: what is not used costs nothing', () => {
    expect(price({ audio_seconds: 0 }, call, bookOf(row(at, { min_seconds: 10 }))).total).toBe(0n)
  })

  it('makes a quantity in two parts never cheaper than in one, for every two lengths', () => {
    fc.assert(
      fc.property(fractions, fractions, (a, b) => {
        const apart = add(short.exact(a), short.exact(b))
        expect(compare(short.exact(add(a, b)), apart)).toBeLessThanOrEqual(0)
      }),
    )
  })
})

describe('a session', () => {
  const meter = 'container_session'
  const eligible = { session_seconds: 1200, eligible_sessions: { billing: 'per_minute', min_minutes: 5 } }
  const container = under(meter, eligible)
  const byTheMinute = { attributes: { eligible_sessions: 'true' } }
  const minutes = (count: number) => rational(BigInt(count), 20n)

  it('is billed whole', () => {
    expect(container.billed(minutes(7))).toEqual(rational(1n))
    expect(container.billed(minutes(21))).toEqual(rational(2n))
    expect(under(meter, { session_seconds: 1200 }).billed(minutes(7), byTheMinute)).toEqual(rational(1n))
    expect(under(meter, { session_seconds: null }).billed(rational(1n))).toEqual(rational(1n))
  })

  it('that is eligible is billed by the begun minute, and for five at least', () => {
    expect(container.billed(minutes(7), byTheMinute)).toEqual(minutes(7))
    expect(container.billed(minutes(2), byTheMinute)).toEqual(minutes(5))
    expect(container.billed(rational(13n, 40n), byTheMinute)).toEqual(minutes(7))
  })

  it('costs the same where its quantity was already what is billed, for every length', () => {
    fc.assert(
      fc.property(fractions, fc.boolean(), (sessions, isEligible) => {
        const said = isEligible ? byTheMinute : {}
        const billed = container.billed(sessions, said)
        expect(container.billed(billed, said)).toEqual(billed)
        expect(compare(billed, sessions)).toBeGreaterThanOrEqual(0)
      }),
    )
  })
})

describe('a free allowance', () => {
  const queries = under('grounding_search_query', { free_queries_per_month: 5000 })
  const earlier = (used: Quantity) => ({ earlier: { grounding_search_query: used } })

  it('is what is left of it after the earlier use of the account', () => {
    expect(queries.billed(5600, earlier(0))).toEqual(rational(600n))
    expect(queries.billed(600, earlier(4900))).toEqual(rational(500n))
    expect(queries.billed(600, earlier(5000))).toEqual(rational(600n))
    expect(queries.charge(600, earlier(0))).toMatchObject({ quantity: 0, measured: 600, amount: 0n })
  })

  it('is not taken off where the earlier use is not known: nothing is free by accident', () => {
    expect(queries.billed(5600)).toEqual(rational(5600n))
  })

  it('is refused where the earlier use is no quantity', () => {
    expect(() => queries.billed(1, earlier(-1))).toThrow('a quantity must be')
  })

  it('of requests is of a day', () => {
    const requests = under('grounding_request', { free_requests_per_day: 1500 })
    expect(requests.billed(1501, { earlier: { grounding_request: 0 } })).toEqual(rational(1n))
  })

  it('of hours is in hours, after the minimum', () => {
    const meter = 'code_execution_container_hours'
    const hours = under(meter, { free_hours_per_org_month: 1550, min_seconds: 300 })
    expect(hours.billed(1600, { earlier: { [meter]: 0 } })).toEqual(rational(50n))
    expect(hours.billed(rational(1n, 20n), { earlier: { [meter]: 1550 } })).toEqual(rational(1n, 12n))
  })

  it('of stored gigabytes is so many at every instant, so for as many days as the quantity spans', () => {
    const meter = 'file_search_gb_day'
    const stored = under(meter, { free_gb: 1, gb_bytes: 1_073_741_824 })
    const known = { earlier: { [meter]: 0 } }
    expect(stored.billed(165, { ...known, days: 30 })).toEqual(rational(135n))
    expect(stored.billed(parseDecimal('5.5'), known)).toEqual(parseDecimal('4.5'))
    expect(stored.billed(parseDecimal('0.5'), { ...known, days: rational(1n, 2n) })).toEqual(zero)
  })

  it('costs of a quantity in parts, each after the one before, what it costs at once: for every split', () => {
    const hours = under('code_execution_container_hours', { free_hours_per_org_month: 1550 })
    const used = (quantity: Rational) => ({ earlier: { code_execution_container_hours: quantity } })
    const near = fc
      .tuple(fc.integer({ min: 0, max: 3_200_000 }), fc.integer({ min: 1, max: 1000 }))
      .map(([above, below]) => rational(BigInt(above), BigInt(below)))
    fc.assert(
      fc.property(near, fractions, fractions, (before, a, b) => {
        const [first, second] = [hours.exact(a, used(before)), hours.exact(b, used(add(before, a)))]
        expect(add(first, second)).toEqual(hours.exact(add(a, b), used(before)))
      }),
    )
  })
})

describe('what is free beside a tool', () => {
  const meter = 'code_execution_container_hours'
  const hours = under(meter, { free_with: ['web_search_20260209 or later'] })

  it.each([
    ['web_search_20260209', 0],
    ['web_search_20270101', 0],
    ['web_search_20260208', 1],
    ['web_fetch_20270101', 1],
    ['web_search', 1],
  ])('beside %s bills %i of an hour', (tool, billed) => {
    expect(hours.billed(1, { attributes: { free_with: tool } })).toEqual(rational(BigInt(billed)))
  })

  it('is billed without one', () => {
    expect(hours.billed(1)).toEqual(rational(1n))
  })
})

describe('a block of tokens that each search adds', () => {
  const search = row(
    'web_search_call',
    { fixed_block_tokens: { small: 8000 } },
    { unitPrice: '10', per: 1000 },
  )
  const input = (model: string) => row('input_text_tokens', {}, { model, unitPrice: '0.4', per: 1_000_000 })
  const book = bookOf(search, input('small'), input('large'))
  const cost = (model: string) => price({ web_search_call: 3 }, { ...call, model }, book)

  it('is a charge of its own for the models it is for', () => {
    expect(cost('small').charges).toMatchObject([
      { meter: 'input_text_tokens', quantity: 24_000, broughtBy: 'web_search_call' },
      { meter: 'web_search_call', quantity: 3 },
    ])
    expect(formatPicos(cost('small').total ?? 0n)).toBe('0.0396')
    expect(cost('large').charges).toHaveLength(1)
  })

  it('without a price is named', () => {
    const lone = bookOf(search, row('output_text_tokens', {}, { model: 'small' }))
    expect(price({ web_search_call: 3 }, { ...call, model: 'small' }, lone)).toMatchObject({
      total: null,
      unpriced: [{ meter: 'input_text_tokens', quantity: 24_000 }],
      pricedTotal: parsePicos('0.03'),
    })
  })
})
