import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { bundledBook } from '../cli/bundled.ts'
import { formatPicos } from '../money/money.ts'
import {
  add,
  compare,
  divide,
  format,
  multiply,
  parseDecimal,
  type Rational,
  rational,
  zero,
} from '../money/rational.ts'
import { parseInstant } from '../time.ts'
import { isMeter, parseMeter } from '../usage/meter.ts'
import { toQuantity, type Usage } from '../usage/usage.ts'
import { type Cost, type PricedCall, price } from './price.ts'

const book = await bundledBook()

const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../test/vectors/pricing/${name}`, import.meta.url), 'utf8'))

const exactOf = (cost: Cost): Rational => cost.charges.reduce((sum, charge) => add(sum, charge.exact), zero)

const usageOf = (quantities: readonly (readonly [string, Rational])[]): Usage => {
  const sums = new Map<string, Rational>()
  for (const [meter, quantity] of quantities) sums.set(meter, add(sums.get(meter) ?? zero, quantity))
  return Object.fromEntries([...sums].map(([meter, sum]) => [parseMeter(meter), toQuantity(sum)])) as Usage
}

type Vector = {
  readonly id: string
  readonly rule: string
  readonly at: string
  readonly provider: string
  readonly model: string | null
  readonly usage: Readonly<Record<string, unknown>>
  readonly lines: readonly {
    readonly meter: string
    readonly quantity: string
    readonly unit_price: string
    readonly per: number
  }[]
  readonly expected_total: string | null
  readonly expected_error?: string
}

/** OpenAI's vectors that wait for the rest of the book (issue 3), and what each waits for. */
const waiting: Readonly<Record<string, string>> = {
  V044: 'meters and rows of realtime sessions',
  V045: 'the meter of image tokens and the rows of gpt-image',
  V059: 'multipliers that the vendor publishes',
  V060: 'multipliers that the vendor publishes',
  V090: 'meters and rows of web search',
  V091: 'meters and rows of web search',
  V092: 'meters, rows and free allowance of file search',
  V093: 'meters and rows of file search',
  V094: 'meters and rows of containers',
  V095: 'meters, rows and minimum of containers',
  V100: 'rows of speech recognition in realtime',
  V101: 'the meter of live sessions',
  V102: 'the meter of training time',
}

const vectors = (read('pricing.json') as { vectors: readonly Vector[] }).vectors.filter(
  ({ provider }) => provider === 'openai',
)

const callOf = (vector: Vector): PricedCall => {
  const { usage } = vector
  const tier = usage.response_service_tier ?? usage.service_tier ?? usage.service
  const asked = { tier, cache_ttl: usage.cache_ttl, size: usage.size, quality: usage.quality }
  const said = Object.entries(asked).flatMap(([name, value]) =>
    typeof value === 'string' ? [[name, value]] : [],
  )
  return {
    provider: vector.provider,
    model: vector.model,
    at: parseInstant(vector.at),
    attributes: Object.fromEntries(said),
  }
}

/** What the vector says was used; where it has no lines, what its usage says. `requests`: how many alike. */
const usedIn = (vector: Vector): { readonly usage: Usage; readonly requests: bigint } => {
  const { usage, lines, id } = vector
  if (id === 'V054') return { usage: { input_text_tokens: 300_000, output_text_tokens: 1000 }, requests: 1n }
  if (id === 'V014')
    return { usage: { audio_seconds: parseDecimal(String(usage.audio_seconds)) }, requests: 1n }
  const requests = BigInt(typeof usage.requests === 'number' ? usage.requests : 1)
  const each = lines.map(
    ({ meter, quantity }) => [meter, divide(parseDecimal(quantity), rational(requests))] as const,
  )
  return { usage: usageOf(each), requests }
}

describe('the acceptance vectors of OpenAI', () => {
  const now = vectors.filter(({ id }) => waiting[id] === undefined)

  it.each(now.filter(({ id }) => id !== 'V015').map((vector) => [vector.id, vector.rule, vector] as const))(
    '%s: %s',
    (_id, _rule, vector) => {
      const { usage, requests } = usedIn(vector)
      const cost = price(usage, callOf(vector), book)
      if (vector.expected_total === null) {
        expect(cost.total).toBeNull()
        expect(cost.unpriced.map(({ code }) => code)).toEqual(['no_price', 'no_price'])
        return
      }
      expect(cost.unpriced).toEqual([])
      expect(format(multiply(exactOf(cost), rational(requests)))).toBe(vector.expected_total)
      expect(formatPicos((cost.total ?? -1n) * requests)).toBe(vector.expected_total)
      for (const { meter, unitPrice, per } of cost.charges) {
        const line = vector.lines.find((expected) => expected.meter === meter)
        const expected = divide(parseDecimal(line?.unit_price ?? ''), rational(BigInt(line?.per ?? 0)))
        expect(compare(divide(parseDecimal(unitPrice), rational(BigInt(per))), expected)).toBe(0)
      }
    },
  )

  it('V015: a promotion whose end was moved, as finally applied and as first announced', () => {
    const usage = { code_interpreter_session: 10 }
    const sessions = { provider: 'openai', model: null, at: parseInstant('2023-11-20T12:00:00Z') }
    const named = { ...sessions, attributes: { promotion: 'launch_free' } }
    const announced = { ...named, asOf: parseInstant('2023-11-10') }
    expect(format(exactOf(price(usage, named, book)))).toBe('0')
    expect(format(exactOf(price(usage, announced, book)))).toBe('0.3')
    expect(format(exactOf(price(usage, sessions, book)))).toBe('0.3')
  })

  it('are all there: those that are not run say what they wait for', () => {
    const ids = vectors.map(({ id }) => id)
    expect(ids).toHaveLength(51)
    expect(ids).toEqual(expect.arrayContaining(Object.keys(waiting)))
    expect(now).toHaveLength(51 - 13)
  })

  it('that wait cannot be priced yet, so none waits longer than it must', () => {
    const multiplied = ['V059', 'V060']
    for (const vector of vectors.filter(({ id }) => waiting[id] !== undefined && !multiplied.includes(id))) {
      const priceable =
        vector.lines.every(({ meter }) => isMeter(meter)) &&
        price(usedIn(vector).usage, callOf(vector), book).total !== null
      expect([vector.id, priceable]).toEqual([vector.id, false])
    }
  })
})

type Case = {
  readonly id: string
  readonly usage: Readonly<Record<string, string | number>>
  readonly sessions?: number
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
  const cases = tariff.cases.filter(({ usage }) => usage.service !== 'vision')

  const count = (value: string | number | undefined): Rational => parseDecimal(String(value ?? 0))

  const quantitiesOf = ({ usage, sessions }: Case): readonly (readonly [string, Rational])[] => [
    ['input_text_tokens', count(usage.input_tokens)],
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

  it.each(cases.map((one) => [one.id, one.usd, one] as const))('%s costs %s USD', (_id, usd, one) => {
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
    expect(exactOf(cost)).toEqual(parseDecimal(usd))
  })

  it('is whole: only the two images wait for the counting of images', () => {
    expect(tariff.cases).toHaveLength(29)
    expect(cases).toHaveLength(27)
  })

  it.each(tariff.promotions.map((promotion) => [promotion.meter, promotion] as const))(
    'has a list price for %s beside the promotion at launch',
    (meter, { at, quantity = 1, list_usd, effective_usd }) => {
      const usage = usageOf([[meter, rational(BigInt(quantity))]])
      const call = { provider: 'openai', model: null, at: parseInstant(at) }
      const promoted = { ...call, attributes: { promotion: 'launch_free' } }
      expect(exactOf(price(usage, call, book))).toEqual(parseDecimal(list_usd))
      expect(exactOf(price(usage, promoted, book))).toEqual(parseDecimal(effective_usd))
      const later = { ...promoted, at: parseInstant('2024-03-15') }
      expect(exactOf(price(usage, later, book))).toEqual(parseDecimal(list_usd))
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
        price({ output_text_tokens: 1000 }, { provider: 'openai', model, at: parseInstant(tariff.at) }, book),
      )
    expect(divide(output('gpt-4-1106-preview'), output('gpt-3.5-turbo-1106'))).toEqual(rational(15n))
    expect(divide(output('gpt-4-1106-preview'), output('ft:gpt-3.5-turbo-1106:acme::a'))).toEqual(
      rational(5n),
    )
  })
})
