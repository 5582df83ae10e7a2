import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { formatPicos, type Picos } from '../money/money.ts'
import { format } from '../money/rational.ts'
import { openPriceBook, type PriceRow } from '../pricing/price-book.ts'
import { type Counter, loadEncoding } from '../tokens/text.ts'
import { countRun } from '../tokens/thread.ts'
import { plan } from './conversation.ts'
import { type PlanRequest, parsePlanRequest } from './plan-request.ts'
import { planTurns, totalInput } from './plan-turns.ts'

const row = (meter: string, unitPrice: string): PriceRow => ({
  provider: 'openai',
  model: 'gpt-4-1106-preview',
  service: 'chat',
  meter,
  attributes: { tier: 'standard' },
  unitPrice,
  per: 1000,
  currency: 'USD',
  effectiveFrom: '2023-11-06',
  fromPrecision: 'exact',
  effectiveTo: null,
  confidence: 'high',
  source: 'the list of November 2023',
})
const book = openPriceBook([
  {
    schema: 'octroi-prices/1',
    provider: 'openai',
    prices: [row('input_text_tokens', '0.01'), row('output_text_tokens', '0.03')],
  },
])

/** The article's conversation. */
const article: PlanRequest = parsePlanRequest(
  {
    model: 'gpt-4-1106-preview',
    at: '2023-11-15',
    ...{ system: 1000, user: 50, assistant: 200, turns: 20 },
  },
  0,
)
const usd = (amount: Picos | null): string | null => (amount === null ? null : formatPicos(amount))
const inputs = (request: PlanRequest): readonly number[] => planTurns(request).map((turn) => turn.input)
const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)

describe('the article’s conversation', () => {
  it('costs 0.805 USD, and 0.33 if history were free', () => {
    const { total, currency } = plan(article, book)
    expect(currency).toBe('USD')
    expect(usd(total.cost)).toBe('0.805')
    expect(usd(total.costWithoutHistory)).toBe('0.33')
    expect(usd(total.historyCost)).toBe('0.475')
    expect([total.input, total.history, total.output]).toEqual([68_500, 47_500, 4000])
    expect(format(total.historyShareOfInput)).toBe('95/137')
    expect(total.historyShareOfCost && format(total.historyShareOfCost)).toBe('95/161')
  })

  it('sends 250 tokens of history more at every turn', () => {
    const { turns } = plan(article, book)
    expect(turns.slice(0, 3).map(({ input, history }) => [input, history])).toEqual([
      [1050, 0],
      [1300, 250],
      [1550, 500],
    ])
    expect(turns.slice(0, 2).map(({ cost }) => usd(cost))).toEqual(['0.0165', '0.019'])
    expect(turns.at(-1)).toMatchObject({ turn: 20, input: 5800, history: 4750, output: 200 })
  })

  it('saves 0.3825 USD when the last two turns are kept', () => {
    const { choices } = plan(article, book)
    expect(
      choices.map(({ keepTurns, total, saved }) => [keepTurns, total.input, usd(total.cost), usd(saved)]),
    ).toEqual([
      [null, 68_500, '0.805', '0'],
      [10, 57_250, '0.6925', '0.1125'],
      [5, 42_250, '0.5425', '0.2625'],
      [2, 30_250, '0.4225', '0.3825'],
      [1, 25_750, '0.3775', '0.4275'],
    ])
  })

  it('puts the caps that were asked for beside the others', () => {
    const { total, choices } = plan({ ...article, capTokens: 3000 }, book)
    expect([total.input, usd(total.cost)]).toEqual([51_400, '0.634'])
    expect(choices.map(({ keepTurns, capTokens }) => [keepTurns, capTokens])).toEqual([
      [null, null],
      [10, null],
      [null, 3000],
      [5, null],
      [2, null],
      [1, null],
    ])
    expect(plan({ ...article, keepTurns: 2 }, book).choices.map(({ keepTurns }) => keepTurns)).toEqual([
      null,
      10,
      5,
      2,
      1,
    ])
  })
})

type Stateful = {
  readonly id: string
  readonly kind: string
  readonly inputs: Readonly<Record<'S' | 'u' | 'a' | 'n', number>> &
    Readonly<Partial<Record<'c' | 'k' | 'M' | 'last_messages', number>>>
  readonly expected: { readonly total_input_tokens: number } & Readonly<
    Partial<
      Record<
        | 'total_output_tokens'
        | 'last_turn_input'
        | 'upper_bound'
        | 'uncapped_total'
        | 'saving_pct'
        | 'total_usd'
        | 'if_history_were_free_usd',
        number
      >
    >
  > &
    Readonly<Partial<Record<'first_inputs' | 'per_turn_inputs', readonly number[]>>>
}
const { vectors }: { readonly vectors: readonly Stateful[] } = JSON.parse(
  readFileSync(new URL('../../test/vectors/conversations.json', import.meta.url), 'utf8'),
)

describe('the acceptance figures', () => {
  const cases = vectors.filter(({ kind }) => kind.startsWith('stateful_'))

  it.each(cases.map((vector) => [vector.id, vector] as const))('%s', (_id, { inputs: given, expected }) => {
    const request: PlanRequest = {
      ...article,
      system: given.S,
      user: given.u,
      assistant: given.a,
      turns: given.n,
      priming: given.c ?? 0,
      keepTurns: given.k ?? null,
      capTokens: given.M ?? null,
    }
    const uncapped = { ...request, keepTurns: null, capTokens: null }
    const turns = inputs(request)
    const total = sum(turns)
    expect(total).toBe(expected.total_input_tokens)
    if (given.M === undefined) expect(totalInput(request)).toBe(expected.total_input_tokens)
    if (given.last_messages !== undefined) expect(2 * (given.k ?? 0) + 1).toBe(given.last_messages)
    if (expected.total_output_tokens !== undefined) {
      expect(sum(planTurns(request).map((turn) => turn.output))).toBe(expected.total_output_tokens)
    }
    if (expected.last_turn_input !== undefined) expect(turns.at(-1)).toBe(expected.last_turn_input)
    if (expected.first_inputs !== undefined) {
      expect(turns.slice(0, expected.first_inputs.length)).toEqual(expected.first_inputs)
    }
    if (expected.per_turn_inputs !== undefined) expect(turns).toEqual(expected.per_turn_inputs)
    if (expected.upper_bound !== undefined) expect(total).toBeLessThanOrEqual(expected.upper_bound)
    if (expected.uncapped_total !== undefined) {
      expect(totalInput(uncapped)).toBe(expected.uncapped_total)
      const saved = (100 * (expected.uncapped_total - total)) / expected.uncapped_total
      expect(saved).toBeCloseTo(expected.saving_pct ?? 0, 6)
    }
  })

  it('conv-059: what the article’s conversation costs', () => {
    const vector = vectors.find(({ id }) => id === 'conv-059')
    const { total } = plan(article, book)
    expect(usd(total.cost)).toBe(String(vector?.expected.total_usd))
    expect(usd(total.costWithoutHistory)).toBe(String(vector?.expected.if_history_were_free_usd))
  })
})

/** The shortest prompt of the last call of a turn. */
const fixedOf = (
  fields: Pick<PlanRequest, 'system' | 'user' | 'priming' | 'toolRounds' | 'imagesPerTurn'>,
): number =>
  fields.system +
  fields.user +
  fields.priming +
  (fields.imagesPerTurn?.tokens ?? 0) +
  fields.toolRounds.reduce((all, { call, result }) => all + call + result, 0)

describe('a plan', () => {
  const tokens = fc.integer({ min: 0, max: 500 })
  const round = fc.record({ call: fc.integer({ min: 0, max: 99 }), result: fc.integer({ min: 0, max: 99 }) })
  const requests = fc
    .record({
      toolRounds: fc.array(round, { maxLength: 3 }),
      imagesPerTurn: fc.option(fc.record({ tokens })),
      system: tokens,
      user: tokens,
      assistant: tokens,
      turns: fc.integer({ min: 1, max: 40 }),
      priming: fc.integer({ min: 0, max: 5 }),
      keepTurns: fc.option(fc.integer({ min: 0, max: 45 })),
      room: fc.option(fc.integer({ min: 0, max: 5000 })),
    })
    .map(({ room, ...fields }) => ({
      ...article,
      ...fields,
      capTokens: room === null ? null : fixedOf(fields) + room,
    }))

  it('has the same total by its closed form as turn by turn', () => {
    fc.assert(
      fc.property(requests, (request) => {
        const uncapped = { ...request, capTokens: null }
        expect(totalInput(uncapped)).toBe(sum(inputs(uncapped)))
        expect(totalInput({ ...request, capTokens: 1_000_000 })).toBeNull()
      }),
    )
  })

  it('never sends more under a cap, nor more than the cap', () => {
    fc.assert(
      fc.property(requests, (request) => {
        const free = inputs({ ...request, keepTurns: null, capTokens: null })
        inputs(request).forEach((input, index) => {
          expect(input).toBeLessThanOrEqual(
            Math.min(
              free[index] ?? 0,
              (request.capTokens ?? Number.POSITIVE_INFINITY) * (request.toolRounds.length + 1),
            ),
          )
        })
        for (const { calls } of planTurns(request)) {
          for (const { input, history } of calls) {
            expect(input).toBeLessThanOrEqual(request.capTokens ?? Number.POSITIVE_INFINITY)
            expect(history).toBeGreaterThanOrEqual(0)
          }
        }
      }),
    )
  })

  it('splits its cost into history and the rest without losing anything', () => {
    fc.assert(
      fc.property(requests, (request) => {
        const { turns, total } = plan(request, book)
        const cost = turns.reduce((whole, turn) => whole + (turn.cost ?? 0n), 0n)
        expect(total.cost).toBe(cost)
        expect((total.costWithoutHistory ?? 0n) + (total.historyCost ?? 0n)).toBe(cost)
      }),
    )
  })

  it('is null in money, and names the meters, where the model has no price', () => {
    const { total, unpriced, choices } = plan({ ...article, model: 'gpt-99' }, book)
    expect([total.input, total.cost, total.historyCost, total.historyShareOfCost]).toEqual([
      68_500,
      null,
      null,
      null,
    ])
    expect(unpriced.map(({ meter }) => meter)).toEqual(['input_text_tokens', 'output_text_tokens'])
    expect(choices.every(({ saved }) => saved === null)).toBe(true)
  })

  it('plans 10,000 turns without stalling', () => {
    const start = performance.now()
    const long = plan({ ...article, turns: 10_000 }, book)
    expect(long.total.input).toBe(10_000 * 1050 + 250 * 49_995_000)
    expect(performance.now() - start).toBeLessThan(5000)
  })
})

describe('a plan and a real thread', () => {
  let counter: Counter
  beforeAll(async () => {
    counter = await loadEncoding('cl100k_base')
  })

  it('agree to the token at every turn, with and without a cap', () => {
    const text = (count: number): string => ' a'.repeat(count)
    for (const capTokens of [null, 500]) {
      const request = { ...article, system: 100, user: 7, assistant: 40, turns: 15, capTokens }
      const messages: { role: string; text: string }[] = []
      const happened = planTurns(request).map(({ output }) => {
        messages.push({ role: 'user', text: text(7) })
        const cap = capTokens === null ? {} : { contextTokensMax: capTokens }
        const { tokens, history } = countRun({ instructions: text(100), messages, ...cap }, counter)
        messages.push({ role: 'assistant', text: text(output) })
        return [tokens, history]
      })
      expect(planTurns(request).map(({ input, history }) => [input, history])).toEqual(happened)
    }
  })
})
