import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CallRow } from '../ledger/reading.ts'
import { formatPicos, parsePicos } from '../money/money.ts'
import { parsePlanRequest } from '../planning/plan-request.ts'
import { planTurns } from '../planning/plan-turns.ts'
import { articleTurns, chargeOf, turnOf } from './conversation.fixture.ts'
import { conversationKey } from './conversation-asked.ts'
import { addSavings, capSavings, type HistoryCap, historyCaps } from './conversation-caps.ts'
import { createTurnFold } from './conversation-turns.ts'

const cappedOf = (calls: readonly CallRow[]) => {
  const [first] = calls
  if (first === undefined) return []
  const key = conversationKey({ ...first.call, currency: 'USD' })
  const fold = createTurnFold((name) => conversationKey(name) === key)
  fold.add(calls)
  return fold.turnsOf(key)?.capped ?? []
}

const keep = (keepTurns: number): HistoryCap => ({ keepTurns, capTokens: null })
const under = (capTokens: number): HistoryCap => ({ keepTurns: null, capTokens })

const savedOf = (calls: readonly CallRow[], cap: HistoryCap) => {
  const [saving] = capSavings(cappedOf(calls), [cap])
  return { tokens: saving?.tokens, saved: formatPicos(saving?.saved ?? -1n), turns: saving?.turns }
}

describe('what caps would have saved', () => {
  it('of the article is what its plan says: 0.805 without a cap', () => {
    const costs = capSavings(cappedOf(articleTurns()), historyCaps()).map(({ keepTurns, saved }) => [
      keepTurns,
      formatPicos(parsePicos('0.805') - saved),
    ])
    expect(costs).toEqual([
      [20, '0.805'],
      [10, '0.6925'],
      [5, '0.5425'],
      [2, '0.4225'],
      [1, '0.3775'],
    ])
  })

  it('counts the turns that would have been shorter', () => {
    // The last two turns kept: turns 4 to 20 leave out 250, 500 ... 4,250 tokens.
    expect(savedOf(articleTurns(), keep(2))).toEqual({ turns: 17, tokens: 38_250n, saved: '0.3825' })
  })

  it('leaves whole messages out until a prompt fits', () => {
    // Turn 3 sends 1,550 tokens, of which 50, 200, 50 and 200 are history: 1,500 leave room for 450 of them.
    const first = articleTurns().slice(0, 3)
    expect(savedOf(first, under(1_500))).toMatchObject({ turns: 1, tokens: 50n })
    expect(savedOf(first, under(1_499))).toMatchObject({ turns: 1, tokens: 250n })
    expect(savedOf(first, under(1_549))).toMatchObject({ turns: 1, tokens: 50n })
    expect(savedOf(first, under(1_550))).toMatchObject({ turns: 0, tokens: 0n })
    expect(savedOf(first, under(10))).toMatchObject({ turns: 2, tokens: 750n })
  })

  it('prices what is left out as the input of its own call was priced', () => {
    const cheaper = [chargeOf('input_text_tokens', 100, 10), chargeOf('cached_input_tokens', 400, 5)]
    const calls = [
      turnOf(1, { input: 300, history: 0, output: 100 }),
      turnOf(2, { input: 500, history: 200, output: 100 }, { charges: cheaper }),
    ]
    // 500 tokens for 0.003: a token is 0.000006, and 200 of them are history.
    expect(savedOf(calls, under(1))).toEqual({ turns: 1, tokens: 200n, saved: '0.0012' })
  })

  it('is nothing where no history was sent again, or nobody knows of it', () => {
    const calls = articleTurns().map((row) => ({ ...row, settlement: { ...row.settlement, resent: null } }))
    expect(savedOf(calls, keep(1))).toEqual({ turns: 0, tokens: 0n, saved: '0' })
  })

  it('keeps what was held before the first turn that is known', () => {
    // From turn 11 on: its history of 2,500 and the next ones are kept until two known turns lie before.
    expect(savedOf(articleTurns().slice(10, 12), keep(2))).toMatchObject({ tokens: 0n })
    // Turn 13 keeps the turns 11 and 12, 500 of its 3,000.
    expect(savedOf(articleTurns().slice(10, 13), keep(2))).toMatchObject({ tokens: 2_500n })
  })

  it('takes turns in the order in which they were made, not in which they were corrected', () => {
    const [first, ...others] = articleTurns()
    if (first === undefined) throw new Error('no turns')
    expect(savedOf([...others, first], keep(5))).toEqual(savedOf(articleTurns(), keep(5)))
  })

  it('of several conversations is the sum', () => {
    const savings = capSavings(cappedOf(articleTurns()), [keep(5)])
    expect(addSavings(addSavings(undefined, savings), savings)).toEqual([
      { ...keep(5), turns: 28, tokens: 52_500n, saved: parsePicos('0.525') },
    ])
  })

  const conversation = fc.record({
    system: fc.integer({ min: 0, max: 2_000 }),
    user: fc.integer({ min: 0, max: 300 }),
    assistant: fc.integer({ min: 0, max: 300 }),
    turns: fc.integer({ min: 1, max: 40 }),
  })
  const cap = fc.oneof(
    fc.integer({ min: 0, max: 20 }).map(keep),
    fc.integer({ min: 2_300, max: 15_000 }).map(under),
  )
  type Conversation = typeof conversation extends fc.Arbitrary<infer Value> ? Value : never
  const planned = (tokens: Conversation, cap: Partial<HistoryCap>) =>
    planTurns(
      parsePlanRequest({ provider: 'openai', model: 'gpt-4', at: '2023-11-15', ...tokens, ...cap }, 0),
    )
  const sentOf = (turns: ReturnType<typeof planned>): number =>
    turns.reduce((sum, { input }) => sum + input, 0)

  it('is the difference of the two plans, of every conversation and cap', () => {
    fc.assert(
      fc.property(conversation, cap, (tokens, cap) => {
        const full = planned(tokens, {})
        const calls = full.map(({ turn, ...each }) => turnOf(turn, each))
        expect(savedOf(calls, cap).tokens).toBe(BigInt(sentOf(full) - sentOf(planned(tokens, cap))))
      }),
    )
  })

  const spoken = fc.record({ user: fc.nat({ max: 500 }), answer: fc.nat({ max: 500 }) })
  const keptNumber = fc.integer({ min: 1, max: 8 })

  it('is exact where the client had cut the history itself, whatever was said', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 2_000 }),
        fc.array(spoken, { minLength: 1, maxLength: 30 }),
        keptNumber,
        keptNumber,
        (instructions, said, kept, cap) => {
          const historyOf = (turn: number, turns: number): number =>
            said.slice(Math.max(0, turn - turns), turn).reduce((sum, own) => sum + own.user + own.answer, 0)
          const calls = said.map(({ user, answer }, turn) => {
            const history = historyOf(turn, kept)
            return turnOf(turn + 1, { input: instructions + user + history, history, output: answer })
          })
          const left = said.map((_, turn) => historyOf(turn, kept) - historyOf(turn, Math.min(kept, cap)))
          expect(savedOf(calls, keep(cap)).tokens).toBe(BigInt(left.reduce((sum, each) => sum + each, 0)))
        },
      ),
    )
  })
})
