import { describe, expect, it } from 'vitest'
import { exampleCall, exampleSettlement } from '../../test/conformance/ledger.ts'
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
        first: 1_000,
        last: 2_000,
        calls: 2,
        estimated: 0,
        unpriced: 0,
        inputTokens: 20n,
        outputTokens: 0n,
        amount: 50n,
        resent: {
          tokens: 8n,
          amount: 20n,
          shareOfInput: { numerator: 2n, denominator: 5n },
          shareOfAmount: { numerator: 2n, denominator: 5n },
          exact: true,
        },
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
