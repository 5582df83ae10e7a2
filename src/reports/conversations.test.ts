import { describe, expect, it } from 'vitest'
import { exampleAccrued } from '../../test/conformance/accruals.ts'
import { exampleCall, exampleCharge, exampleSettlement } from '../../test/conformance/ledger.ts'
import type { Settlement } from '../ledger/entry.ts'
import type { CallRow } from '../ledger/reading.ts'
import { createConversationFold } from './conversations.ts'

const call = (
  id: string,
  conversation: string | null,
  at: number,
  more: Partial<Settlement> = {},
): CallRow => ({
  call: exampleCall(id, { conversation, at }),
  settlement: { ...exampleSettlement(id, 25n, more), kind: 'settled', sequence: at },
})

const fold = (...calls: readonly CallRow[]) => {
  const { add, conversations } = createConversationFold()
  for (const each of calls) add([each])
  return conversations()
}

describe('a conversation', () => {
  it('is the sum of its calls, with the share that was sent again', () => {
    // Each call: 10 input tokens for 25, of which 4 tokens for 10 were history.
    expect(fold(call('a', 'c1', 1_000), call('b', 'c1', 2_000))).toEqual([
      {
        organization: null,
        team: 'search',
        conversation: 'c1',
        currency: 'USD',
        models: ['gpt-4-0613'],
        endUsers: [],
        holders: [],
        first: 1_000,
        last: 2_000,
        calls: 2,
        estimated: 0,
        unpriced: 0,
        inputTokens: 20n,
        outputTokens: 0n,
        amount: 50n,
        list: 50n,
        meters: [],
        accrued: { sessions: 0, amount: 0n, list: 0n, unpriced: 0 },
        resent: {
          tokens: 8n,
          amount: 20n,
          shareOfInput: { numerator: 2n, denominator: 5n },
          shareOfAmount: { numerator: 2n, denominator: 5n },
          exact: true,
        },
        leftOut: { calls: 0, tokens: 0n, amount: 0n },
      },
    ])
  })

  it('says what of it is estimated, unpriced or apportioned', () => {
    const unpriced = [
      { meter: 'output_text_tokens', quantity: 7, code: 'no_price', message: 'No price.' },
    ] as const
    const resent = { tokens: 4, amount: 10n, exact: false }
    const [first] = fold(call('a', 'c1', 1_000, { basis: 'estimated', unpriced, resent }))
    expect(first).toMatchObject({ estimated: 1, unpriced: 1, outputTokens: 7n, resent: { exact: false } })
  })

  it('includes its sessions, which are no calls; what is kept for an assistant belongs to none', () => {
    const { add, addAccrued, conversations } = createConversationFold()
    add([call('a', 'thread_1', 2_000)])
    const session = { conversation: 'thread_1', object: null, from: 1_000, list: 60n }
    addAccrued([
      { ...exampleAccrued('session_1', 30n, session), kind: 'accrued', sequence: 1 },
      { ...exampleAccrued('stay_1', 5n), kind: 'accrued', sequence: 2 },
    ])
    expect(conversations()).toMatchObject([
      {
        ...{ team: 'search', conversation: 'thread_1', calls: 1, first: 1_000, last: 2_000, amount: 55n },
        // The call is at list price, the session is 60 there.
        list: 85n,
        accrued: { sessions: 1, amount: 30n, list: 60n, unpriced: 0 },
      },
      {
        conversation: null,
        calls: 0,
        models: [],
        amount: 5n,
        accrued: { sessions: 0, amount: 5n, list: 10n },
      },
    ])
  })

  it('names its end users, its assistants and what is no token', () => {
    const { add, addAccrued, conversations } = createConversationFold()
    const image = { ...exampleCharge(40n), meter: 'image', quantity: 2 } as const
    const unpriced = [
      { meter: 'file_search_call', quantity: 3, code: 'no_price', message: 'No price.' },
    ] as const
    const row = call('a', 'c1', 1_000, { charges: [exampleCharge(25n), image], unpriced })
    add([
      { ...row, call: { ...row.call, endUser: 'user_1', tags: { assistant: 'asst_7' } } },
      { ...call('b', 'c1', 2_000, { charges: [image] }) },
    ])
    addAccrued([{ ...exampleAccrued('stay_1', 5n, { object: 'file_1' }), kind: 'accrued', sequence: 1 }])
    expect(conversations()).toMatchObject([
      {
        ...{ conversation: 'c1', endUsers: ['user_1'], holders: ['asst_7'], amount: 105n },
        meters: [
          { meter: 'image', quantity: { numerator: 4n, denominator: 1n }, amount: 80n, priced: true },
          { meter: 'file_search_call', quantity: { numerator: 3n }, amount: 0n, priced: false },
        ],
      },
      {
        ...{ conversation: null, endUsers: [], holders: ['asst_1'], amount: 5n },
        meters: [{ meter: 'retrieval_gb_day', quantity: { numerator: 1n, denominator: 24n }, amount: 5n }],
      },
    ])
  })

  it('says what caps of the gateway left out, at the price of what was sent', () => {
    // Capped: 10 tokens for 0.0003 instead of 30.
    const note = 'history cap last_messages=4; uncapped 30 input tokens'
    const [first] = fold(call('a', 'c1', 1, { note }), call('b', 'c1', 2))
    expect(first?.leftOut).toEqual({ calls: 1, tokens: 20n, amount: 600_000_000n })
  })

  it('names 20 end users at most', () => {
    const rows = Array.from({ length: 30 }, (_, index) => {
      const row = call(`call_${index}`, 'c1', index)
      return { ...row, call: { ...row.call, endUser: `user_${index}` } }
    })
    expect(fold(...rows)[0]?.endUsers).toHaveLength(20)
  })

  it.each([
    [{ conversation: 'c1' }, ['c1', 'c1']],
    [{ team: 'search' }, ['c1', null]],
    [{ assistant: 'asst_1' }, ['c2', null]],
    [{ assistant: 'asst_9' }, []],
    [{ conversation: 'c1', team: 'support' }, ['c1']],
  ])('is gathered where it is asked for by %j', (asked, found) => {
    const { add, addAccrued, conversations } = createConversationFold(asked)
    const [support, tagged] = [call('b', 'c1', 2), call('c', 'c2', 3)]
    add([call('a', 'c1', 1), { ...support, call: { ...support.call, team: 'support' } }])
    add([{ ...tagged, call: { ...tagged.call, team: null, tags: { assistant: 'asst_1' } } }])
    addAccrued([{ ...exampleAccrued('stay_1', 5n, { object: 'file_1' }), kind: 'accrued', sequence: 4 }])
    expect(conversations().map(({ conversation }) => conversation)).toEqual(found)
  })

  it('that costs more comes first, and calls without one are gathered', () => {
    const calls = [call('a', 'c1', 1), call('b', null, 2), call('c', null, 3), call('d', 'c2', 4)]
    expect(fold(...calls).map(({ conversation, calls }) => [conversation, calls])).toEqual([
      [null, 2],
      ['c1', 1],
      ['c2', 1],
    ])
  })

  it('that is without cost has no share', () => {
    const [first] = fold(call('a', 'c1', 1, { charges: [], resent: null }))
    expect(first?.resent).toMatchObject({ tokens: 0n, shareOfInput: null, shareOfAmount: null })
  })
})
