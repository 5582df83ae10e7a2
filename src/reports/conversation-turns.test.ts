import { describe, expect, it } from 'vitest'
import { exampleAccrued } from '../../test/conformance/accruals.ts'
import { exampleCharge } from '../../test/conformance/ledger.ts'
import type { AccruedRow } from '../ledger/reading.ts'
import { formatPicos } from '../money/money.ts'
import { parseInstant } from '../time.ts'
import { articleTurns, chargeOf, turnOf } from './conversation.fixture.ts'
import { conversationKey } from './conversation-asked.ts'
import { createTurnFold } from './conversation-turns.ts'

const article = { organization: null, team: 'search', conversation: 'the article', currency: 'USD' }
const foldOf = (asked = article) => createTurnFold((name) => conversationKey(name) === conversationKey(asked))

/** A session of 30 picos that began in the minute of a turn. */
const session = (turn: number): AccruedRow => {
  const from = parseInstant('2023-11-15T12:00:00Z') + turn * 60_000 + 1
  const posting = exampleAccrued('session_1', 30n, {
    ...{ from, conversation: 'the article', holder: 'thread_1', object: null },
    charges: [{ ...exampleCharge(30n), meter: 'code_interpreter_session', quantity: 1 }],
  })
  return { ...posting, kind: 'accrued', sequence: 1 }
}

describe('the turns of a conversation', () => {
  it('are its calls, each with what it cost and what all cost so far', () => {
    const fold = foldOf()
    const calls = articleTurns()
    fold.add(calls.slice(0, 7))
    fold.add(calls.slice(7))
    const lines = fold.turnsOf(conversationKey(article))?.lines ?? []
    expect(lines).toHaveLength(20)
    expect(lines[1]).toEqual({
      ...{ turn: 2, id: 'call_2', at: parseInstant('2023-11-15T12:02:00Z'), model: 'gpt-4-1106-preview' },
      ...{ basis: 'measured', inputTokens: 1_300n, outputTokens: 200n, meters: [] },
      resent: { tokens: 250, amount: 2_500_000_000n, exact: true },
      leftOut: null,
      ...{ amount: 19_000_000_000n, cumulative: 35_500_000_000n, unpricedMeters: [], note: null },
    })
    expect(formatPicos(lines.at(-1)?.cumulative ?? 0n)).toBe('0.805')
  })

  it('have what accrued between them, which has no number', () => {
    const fold = foldOf()
    fold.add(articleTurns().slice(0, 3))
    fold.addAccrued([session(2)])
    const lines = fold.turnsOf(conversationKey(article))?.lines ?? []
    expect(lines.map(({ turn, id }) => [turn, id])).toEqual([
      [1, 'call_1'],
      [2, 'call_2'],
      [null, 'session_1'],
      [3, 'call_3'],
    ])
    expect(lines[2]).toMatchObject({
      meters: [{ meter: 'code_interpreter_session', amount: 30n }],
      ...{ inputTokens: 0n, amount: 30n, cumulative: 35_500_000_030n },
    })
  })

  it('stand in the order in which they were made', () => {
    const fold = foldOf()
    fold.add(articleTurns().slice(0, 4).toReversed())
    expect(fold.turnsOf(conversationKey(article))?.lines.map(({ id }) => id)).toEqual([
      'call_1',
      'call_2',
      'call_3',
      'call_4',
    ])
  })

  it('name what has no price, and what was noted', () => {
    const fold = foldOf()
    const unpriced = [
      { meter: 'web_search_call', quantity: 2, code: 'no_price', message: 'No price.' },
    ] as const
    const tokens = { input: 10, history: 0, output: 0 }
    fold.add([turnOf(1, tokens, { unpriced, basis: 'estimated', note: 'upstream cut' })])
    expect(fold.turnsOf(conversationKey(article))?.lines).toMatchObject([
      {
        ...{ basis: 'estimated', note: 'upstream cut', unpricedMeters: ['web_search_call'], resent: null },
        meters: [{ meter: 'web_search_call', amount: 0n, priced: false }],
      },
    ])
  })

  it('say whether a cache was read', () => {
    const cached = { charges: [chargeOf('cached_input_tokens', 5, 5), chargeOf('input_text_tokens', 5, 10)] }
    const isCached = (more: object) => {
      const fold = foldOf()
      fold.add([turnOf(1, { input: 10, history: 0, output: 1 }, more)])
      return fold.turnsOf(conversationKey(article))?.cached
    }
    expect([isCached({}), isCached(cached)]).toEqual([false, true])
  })

  it('are of the team, the name and the currency asked for, and of no other', () => {
    const fold = foldOf({ ...article, team: 'support' })
    fold.add(articleTurns())
    fold.addAccrued([session(2)])
    expect(fold.turnsOf(conversationKey(article))).toBeNull()
    expect(fold.turnsOf(conversationKey({ ...article, team: 'support' }))).toBeNull()
  })
})
