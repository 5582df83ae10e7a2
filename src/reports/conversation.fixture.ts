import type { Settlement } from '../ledger/entry.ts'
import type { CallRow } from '../ledger/reading.ts'
import { post } from '../money/money.ts'
import { rational } from '../money/rational.ts'
import type { Charge } from '../pricing/price.ts'
import { parseInstant } from '../time.ts'
import type { Meter } from '../usage/meter.ts'

/** What tokens cost at so many dollars a million. */
export const chargeOf = (meter: Meter, quantity: number, unitPrice: number): Charge => {
  const exact = rational(BigInt(quantity) * BigInt(unitPrice), 1_000_000n)
  const row = { price: `price-${meter}`, source: 'https://openai.com/pricing' }
  return { meter, quantity, unitPrice: String(unitPrice), per: 1_000_000, exact, amount: post(exact), ...row }
}

/** A call of a conversation at the prices of GPT-4 Turbo in November 2023: 10 dollars a million tokens in, 30 out. */
export const turnOf = (
  turn: number,
  tokens: { readonly input: number; readonly history: number; readonly output: number },
  more: Partial<Settlement> = {},
): CallRow => {
  const { input, history, output } = tokens
  const resent = { tokens: history, amount: chargeOf('input_text_tokens', history, 10).amount, exact: true }
  const charges = [
    chargeOf('input_text_tokens', input, 10),
    ...(output === 0 ? [] : [chargeOf('output_text_tokens', output, 30)]),
  ]
  const at = parseInstant('2023-11-15T12:00:00Z') + turn * 60_000
  const nobody = { key: null, organization: null, project: null, environment: null, endUser: null }
  return {
    call: {
      ...{ id: `call_${turn}`, at, provider: 'openai', model: 'gpt-4-1106-preview', tags: {} },
      ...{ endpoint: 'chat-completions', ...nobody, team: 'search', conversation: 'the article' },
    },
    settlement: {
      ...{ kind: 'settled', sequence: 2 * turn, callId: `call_${turn}`, at: at + 2_000 },
      ...{ model: 'gpt-4-1106-preview', tier: null, basis: 'measured', currency: 'USD', charges },
      ...{ unpriced: [], resent: history === 0 ? null : resent, status: 200, note: null },
      bookVersion: 'book-1',
      ...more,
    },
  }
}

/** The article's conversation: instructions of 1,000 tokens, 20 questions of 50, each answered with 200. */
export const articleTurns = (): readonly CallRow[] =>
  Array.from({ length: 20 }, (_, index) =>
    turnOf(index + 1, { input: 1_050 + 250 * index, history: 250 * index, output: 200 }),
  )
