import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { bundledBook } from '../cli/bundled.ts'
import { formatPicos } from '../money/money.ts'
import {
  add,
  divide,
  format,
  multiply,
  parseDecimal,
  type Rational,
  rational,
  zero,
} from '../money/rational.ts'
import { parseInstant } from '../time.ts'
import { parseMeter } from '../usage/meter.ts'
import { toQuantity, type Usage } from '../usage/usage.ts'
import { type Charge, type Cost, type PricedCall, price } from './price.ts'
import { openPriceBook, type PriceFile } from './price-book.ts'

const book = await bundledBook()

const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../test/vectors/pricing/${name}`, import.meta.url), 'utf8'))

const exactOf = (charges: readonly Charge[]): Rational =>
  charges.reduce((sum, { exact }) => add(sum, exact), zero)

const usageOf = (quantities: readonly (readonly [string, Rational])[]): Usage => {
  const sums = new Map<string, Rational>()
  for (const [meter, quantity] of quantities) sums.set(meter, add(sums.get(meter) ?? zero, quantity))
  return Object.fromEntries([...sums].map(([meter, sum]) => [parseMeter(meter), toQuantity(sum)])) as Usage
}

/** A decimal, or a fraction such as 61/1200. */
const numberOf = (text: string): Rational => {
  const [above = '', below = '1'] = text.split('/')
  return divide(parseDecimal(above), parseDecimal(below))
}

type Vector = {
  readonly id: string
  readonly rule: string
  readonly at: string
  readonly provider: string
  readonly model: string | null
  readonly currency: string
  readonly usage: Readonly<Record<string, unknown>>
  readonly lines: readonly {
    readonly meter: string
    readonly quantity: string
    readonly unit_price: string
    readonly per: number
    readonly amount: string
  }[]
  readonly multipliers?: readonly { readonly name: string; readonly factor: string }[]
  readonly expected_total: string | null
  readonly expected_error?: string
  readonly known_wrong?: Readonly<Record<string, string>>
}

const { vectors } = read('pricing.json') as { readonly vectors: readonly Vector[] }

const vectorOf = (id: string): Vector => {
  const found = vectors.find((vector) => vector.id === id)
  if (found === undefined) throw new Error(`there is no vector ${id}`)
  return found
}

const callOf = ({ provider, model, at, currency, usage }: Vector): PricedCall => {
  const asked = {
    tier:
      usage.response_service_tier ??
      usage.service_tier ??
      usage.service ??
      (usage.speed === 'fast' ? 'fast' : undefined),
    cache_ttl: usage.cache_ttl,
    size: usage.size,
    quality: usage.quality,
    residency: usage.residency,
    inference_geo: usage.inference_geo,
    memory_gib: usage.memory_gib === undefined ? undefined : String(usage.memory_gib),
  }
  const attributes = Object.fromEntries(
    Object.entries(asked).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
  )
  return { provider, model, at: parseInstant(at), currency, attributes }
}

const parts = (quantity: number, of: number): Rational => rational(BigInt(quantity), BigInt(of))

/** The vectors whose quantities the engine itself finds from what was measured: what goes in. One entry a call. */
const measured: Readonly<Record<string, readonly (Partial<PricedCall> & { readonly usage: Usage })[]>> = {
  V014: [{ usage: { audio_seconds: parseDecimal('61.4') } }],
  V054: [{ usage: { input_text_tokens: 300_000, output_text_tokens: 1000 } }],
  V090: [{ usage: { web_search_call: 3, input_text_tokens: 1200, output_text_tokens: 400 } }],
  V092: [
    { usage: { file_search_gb_day: parseDecimal('165') }, earlier: { file_search_gb_day: 0 }, days: 30 },
  ],
  V095: [7, 2].map((minutes) => ({
    usage: { container_session: parts(minutes, 20) },
    attributes: { memory_gib: '4', eligible_sessions: 'true' },
  })),
  V096: [
    {
      usage: { code_execution_container_hours: parts(3, 60) },
      earlier: { code_execution_container_hours: 1600 },
    },
  ],
  V097: [
    {
      usage: { code_execution_container_hours: 1600 },
      earlier: { code_execution_container_hours: 0 },
    },
  ],
  V099: [{ usage: { grounding_search_query: 5600 }, earlier: { grounding_search_query: 0 } }],
  V103: [{ usage: { audio_seconds: 3 } }],
}

/** Prices what a vector says was used. `requests`: how many calls alike it stands for. */
const priced = (vector: Vector): { readonly costs: readonly Cost[]; readonly requests: bigint } => {
  const { requests: said } = vector.usage
  const requests = BigInt(typeof said === 'number' ? said : 1)
  const each = vector.lines.map(
    ({ meter, quantity }) => [meter, divide(numberOf(quantity), rational(requests))] as const,
  )
  const inputs = measured[vector.id] ?? [{ usage: usageOf(each) }]
  const prices = vector.id === 'V107' ? operatorsBook(vector) : book
  const costs = inputs.map(({ usage, ...call }) => price(usage, { ...callOf(vector), ...call }, prices))
  return { costs, requests }
}

/** V107 verifies the formula alone: its rate is given with it, as an operator would give his own. */
const operatorsBook = ({ provider, usage }: Vector) => {
  const file: PriceFile = {
    schema: 'octroi-prices/1',
    provider,
    prices: [
      {
        provider,
        model: null,
        service: 'capacity',
        meter: 'ptu_hours',
        attributes: {},
        unitPrice: String(usage.usd_per_ptu_hour),
        per: 1,
        currency: 'USD',
        effectiveFrom: '2026-01-01',
        fromPrecision: 'exact',
        effectiveTo: null,
        confidence: 'low',
        source: 'given with the vector',
      },
    ],
  }
  return openPriceBook([file])
}

describe('the acceptance vectors', () => {
  it('are 84, and each is priced below', () => {
    expect(vectors).toHaveLength(84)
    expect(new Set(vectors.map(({ id }) => id)).size).toBe(84)
    expect(vectors.map(({ id }) => id)).toEqual(expect.arrayContaining(Object.keys(measured)))
  })

  it.each(vectors.map((vector) => [vector.id, vector.rule, vector] as const))(
    '%s: %s',
    (_id, _rule, vector) => {
      const { costs, requests } = priced(vector)
      const charges = costs.flatMap((cost) => cost.charges)
      if (vector.expected_total === null) {
        expect(costs.map(({ total }) => total)).toEqual([null])
        expect(charges).toEqual([])
        const codes = costs.flatMap(({ unpriced }) => unpriced.map(({ code }) => code))
        expect(new Set(codes)).toEqual(new Set([vector.expected_error]))
        return
      }
      expect(costs.flatMap(({ unpriced }) => unpriced)).toEqual([])
      const exact = multiply(exactOf(charges), rational(requests))
      expect(format(exact)).toBe(vector.expected_total)
      expect(Object.values(vector.known_wrong ?? {})).not.toContain(format(exact))
      const posted = costs.reduce((sum, { total }) => sum + (total ?? 0n), 0n) * requests
      const isDecimal = !vector.expected_total.includes('/')
      if (isDecimal) expect(formatPicos(posted)).toBe(vector.expected_total)
      expect(new Set(costs.map(({ currency }) => currency))).toEqual(new Set([vector.currency]))
    },
  )

  it.each(
    vectors
      .filter(({ id, lines }) => lines.length > 0 && id !== 'V107')
      .map((vector) => [vector.id, vector] as const),
  )('%s names the rows in force, with the price of each line', (_id, vector) => {
    const { costs, requests } = priced(vector)
    const at = parseInstant(vector.at)
    const found = costs
      .flatMap((cost) => cost.charges)
      .map((charge) => {
        const row = book.prices.find(({ id }) => id === charge.price)
        expect(row).toMatchObject({ provider: vector.provider, meter: charge.meter, source: charge.source })
        expect(row === undefined || (row.from <= at && at < (row.to ?? Number.POSITIVE_INFINITY))).toBe(true)
        const factors = (charge.multipliers ?? []).reduce(
          (product, { factor }) => multiply(product, parseDecimal(factor)),
          rational(1n),
        )
        const plain = divide(multiply(charge.exact, rational(requests)), factors)
        return [charge.meter, format(unitOf(charge.unitPrice, charge.per)), format(plain)].join(' ')
      })
    const expected = vector.lines.map(({ meter, unit_price, per, amount }) =>
      [meter, format(unitOf(unit_price, per)), amount].join(' '),
    )
    expect(found.sort()).toEqual(expected.sort())
  })

  const unitOf = (unitPrice: string, per: number): Rational =>
    divide(parseDecimal(unitPrice), rational(BigInt(per)))

  it.each(['V058', 'V059'])('%s: a published factor stands on every charge, with its row', (id) => {
    const vector = vectorOf(id)
    for (const { multipliers } of priced(vector).costs.flatMap(({ charges }) => charges)) {
      expect(multipliers?.map(({ name, factor }) => ({ name, factor }))).toEqual(vector.multipliers)
      const rows = multipliers?.map(({ price: row }) => book.multipliers.find(({ id }) => id === row)?.name)
      expect(rows).toEqual(vector.multipliers?.map(({ name }) => name))
    }
  })

  it('V060: no factor stands on a model that it is not for', () => {
    for (const charge of priced(vectorOf('V060')).costs.flatMap(({ charges }) => charges)) {
      expect(charge).not.toHaveProperty('multipliers')
    }
  })

  it('V015: a promotion whose end was moved, as finally applied and as first announced', () => {
    const usage = { code_interpreter_session: 10 }
    const sessions = { provider: 'openai', model: null, at: parseInstant('2023-11-20T12:00:00Z') }
    const announced = { ...sessions, asOf: parseInstant('2023-11-10') }
    const applied = price(usage, sessions, book)
    expect(format(exactOf(applied.charges))).toBe('0')
    expect(formatPicos(applied.listTotal)).toBe('0.3')
    expect(format(exactOf(price(usage, announced, book).charges))).toBe('0.3')
  })

  it.each(['V096', 'V101', 'V103'])('%s: is posted to 12 places where it is no finite decimal', (id) => {
    const vector = vectorOf(id) as Vector & { readonly expected_total_note: string }
    const [, posted = ''] = /half-even: ([\d.]+)/.exec(vector.expected_total_note) ?? []
    expect(formatPicos(priced(vector).costs[0]?.total ?? 0n)).toBe(posted)
  })

  it('V090: the tokens a search adds are a charge of their own, which says what brought it', () => {
    const charges = priced(vectorOf('V090')).costs.flatMap((cost) => cost.charges)
    const brought = charges.filter(({ broughtBy }) => broughtBy !== undefined)
    expect(brought).toMatchObject([
      { meter: 'input_text_tokens', quantity: 24_000, broughtBy: 'web_search_call' },
    ])
  })
})

type Case = {
  readonly id: string
  readonly usage: Readonly<Record<string, string | number>>
  readonly sessions?: number
  readonly tokens?: number
  readonly usd: string
  readonly at?: string
}

type Tariff = {
  readonly at: string
  readonly cases: readonly Case[]
  readonly promotions: readonly {
    readonly meter: string
    readonly at: string
    readonly quantity?: number
    readonly list_usd: string
    readonly effective_usd: string
  }[]
}

describe('the tariff of November 2023', () => {
  const tariff = read('tariff-2023-11.json') as Tariff

  const count = (value: string | number | undefined): Rational => parseDecimal(String(value ?? 0))

  /** Of the two images their stated tokens; counting them is not a matter of prices. */
  const quantitiesOf = ({ usage, sessions, tokens }: Case): readonly (readonly [string, Rational])[] => [
    ['input_text_tokens', count(usage.input_tokens ?? tokens)],
    ['output_text_tokens', count(usage.output_tokens)],
    ['code_interpreter_session', count(sessions)],
    [
      'retrieval_gb_day',
      [usage.gigabytes, usage.assistants, usage.days].map(count).reduce(multiply, rational(1n)),
    ],
    ['image', count(usage.n)],
    ['tts_characters', count(usage.characters)],
    ['audio_seconds', count(usage.seconds)],
  ]

  it('has 29 cases', () => {
    expect(tariff.cases).toHaveLength(29)
  })

  it.each(tariff.cases.map((one) => [one.id, one.usd, one] as const))('%s costs %s USD', (_id, usd, one) => {
    const { model, size, quality } = one.usage
    const said = Object.entries({ size, quality }).filter(([, value]) => value !== undefined)
    const call = {
      provider: 'openai',
      model: model === undefined ? null : String(model),
      at: parseInstant(one.at ?? tariff.at),
      attributes: Object.fromEntries(said) as Record<string, string>,
    }
    const cost = price(usageOf(quantitiesOf(one)), call, book)
    expect(cost.unpriced).toEqual([])
    expect(exactOf(cost.charges)).toEqual(parseDecimal(usd))
  })

  it.each(tariff.promotions.map((promotion) => [promotion.meter, promotion] as const))(
    'lists %s beside its promotion at launch, and charges the list price after it',
    (meter, { at, quantity = 1, list_usd, effective_usd }) => {
      const usage = usageOf([[meter, rational(BigInt(quantity))]])
      const call = { provider: 'openai', model: null, at: parseInstant(at) }
      const promoted = price(usage, call, book)
      expect(exactOf(promoted.charges)).toEqual(parseDecimal(effective_usd))
      expect(formatPicos(promoted.listTotal)).toBe(format(parseDecimal(list_usd)))
      const [charge] = promoted.charges
      expect(charge?.list).toMatchObject({
        unitPrice: format(divide(parseDecimal(list_usd), rational(BigInt(quantity)))),
        per: 1,
      })
      expect(charge?.price).not.toBe(charge?.list?.price)
      const later = price(usage, { ...call, at: parseInstant('2024-03-15') }, book)
      expect(exactOf(later.charges)).toEqual(parseDecimal(list_usd))
      expect(later.charges[0]).not.toHaveProperty('list')
      expect(later.listTotal).toBe(later.total)
    },
  )

  it('has no price for fine-tuning GPT-4: neither its training nor its use, and never zero', () => {
    const at = parseInstant(tariff.at)
    const training = price({ training_tokens: 1000 }, { provider: 'openai', model: 'gpt-4', at }, book)
    expect(training).toMatchObject({ total: null, unpriced: [{ code: 'no_price', quantity: 1000 }] })
    const tuned = { provider: 'openai', model: 'ft:gpt-4-0613:acme::abc123', at }
    expect(price({ input_text_tokens: 1 }, tuned, book)).toMatchObject({
      total: null,
      unpriced: [{ code: 'no_price' }],
    })
  })

  it('has the output of GPT-4 Turbo at fifteen times that of GPT-3.5 Turbo, and five times the tuned one', () => {
    const output = (model: string): Rational =>
      exactOf(
        price({ output_text_tokens: 1000 }, { provider: 'openai', model, at: parseInstant(tariff.at) }, book)
          .charges,
      )
    expect(divide(output('gpt-4-1106-preview'), output('gpt-3.5-turbo-1106'))).toEqual(rational(15n))
    expect(divide(output('gpt-4-1106-preview'), output('ft:gpt-3.5-turbo-1106:acme::a'))).toEqual(
      rational(5n),
    )
  })
})
