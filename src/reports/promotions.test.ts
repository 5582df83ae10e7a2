import { describe, expect, it } from 'vitest'
import type { AccruedRow, CallRow } from '../ledger/reading.ts'
import { rational } from '../money/rational.ts'
import type { Charge } from '../pricing/price.ts'
import { parseInstant } from '../time.ts'
import { turnOf } from './conversation.fixture.ts'
import { createPromotionFold } from './promotions.ts'
import { spend } from './spend.ts'

const noon = parseInstant('2023-11-15T12:00:00Z')
const owner = { key: null, organization: null, team: 'search', project: null, environment: null }

/** A session at 0 in place of 0.03. */
const session: Charge = {
  meter: 'code_interpreter_session',
  ...{ quantity: 1, unitPrice: '0', per: 1, exact: rational(0n), amount: 0n, price: 'free', source: 's' },
  list: { unitPrice: '0.03', per: 1, price: 'list' },
}

const accrued = (from: number, list: bigint, charges: readonly Charge[]): AccruedRow => ({
  ...{ kind: 'accrued', sequence: 9, accrualId: 'session_1', at: from, from, to: from + 3_600_000 },
  owner: { ...owner, endUser: null, tags: {} },
  ...{ provider: 'openai', model: null, endpoint: 'assistants', conversation: 'thread_1' },
  ...{ holder: 'thread_1', object: null, basis: 'measured', currency: 'USD', charges, unpriced: [], list },
  ...{ counts: [], bookVersion: 'book-1' },
})

/** A call with 1,000 tokens of input at 5 dollars a million in place of 10. */
const discounted = (turn: number): CallRow => {
  const charge: Charge = {
    meter: 'input_text_tokens',
    ...{ quantity: 1_000, unitPrice: '5', per: 1_000_000, exact: rational(1n, 200n), amount: 5_000_000_000n },
    ...{ price: 'contract', source: 's', list: { unitPrice: '10', per: 1_000_000, price: 'list' } },
  }
  return turnOf(turn, { input: 0, history: 0, output: 0 }, { charges: [charge] })
}

describe('what promotions took off', () => {
  it('is the list price of a call less what it cost, by the hour of the call', () => {
    const fold = createPromotionFold()
    fold.add([discounted(1), discounted(2), discounted(60)])
    expect(fold.rows()).toMatchObject([
      { hour: noon, team: 'search', meter: 'input_text_tokens', promoted: 10_000_000_000n },
      { hour: noon + 3_600_000, promoted: 5_000_000_000n },
    ])
  })

  it('is the list amount of what accrued less what it cost: 0.03 of a free session', () => {
    const fold = createPromotionFold()
    fold.addAccrued([accrued(noon + 60_000, 30_000_000_000n, [session])])
    expect(fold.rows()).toMatchObject([
      { hour: noon, meter: 'code_interpreter_session', model: null, promoted: 30_000_000_000n },
    ])
  })

  it('is nothing where the price was the list price', () => {
    const fold = createPromotionFold()
    fold.add([turnOf(1, { input: 1_000, history: 0, output: 200 })])
    fold.addAccrued([accrued(noon, 0n, [])])
    expect(fold.rows()).toEqual([])
  })

  it('is told beside what was spent: 0.005 and, at list price, 0.01', () => {
    const fold = createPromotionFold()
    fold.add([discounted(1)])
    const [promotion] = fold.rows()
    if (promotion === undefined) throw new Error('There is no promotion.')
    const { promoted: _, ...place } = promotion
    const row = { ...place, priced: true, quantity: 1_000, amount: 5_000_000_000n }
    const { groups, totals } = spend([row], { by: ['team', 'meter'], promotions: fold.rows() })
    for (const sums of [groups, totals]) {
      expect(sums).toMatchObject([{ amount: 5_000_000_000n, list: 10_000_000_000n }])
    }
  })
})
