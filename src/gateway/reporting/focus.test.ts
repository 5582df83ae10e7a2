import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CallRow } from '../../ledger/reading.ts'
import { parsePicos } from '../../money/money.ts'
import { callOf, chargeOf, importedOf } from '../../reports/focus/focus.fixture.ts'
import { exportFocus, focusTexts } from './focus.ts'
import type { FocusSource } from './focus-source.ts'

const from = Date.parse('2023-11-30')
const hour = 3_600_000

/** A source of these calls, a page of two at a time, and of one imported day. */
const sourceOf = (calls: readonly CallRow[], read: string[] = []): FocusSource => ({
  async *calls({ from: start, to }) {
    read.push(`${(to - start) / hour}`)
    const asked = calls.filter(({ call: { at } }) => at >= start && at < to)
    for (let index = 0; index < asked.length; index += 2) yield asked.slice(index, index + 2)
  },
  async *accrued() {},
  async *imported({ from: start, to }) {
    const line = {
      ...importedOf([chargeOf('input_text_tokens', 5, '30')]),
      from: from + 25 * hour,
      to: from + 26 * hour,
    }
    if (line.from >= start && line.from < to) yield [line]
  },
})

const exported = async (source: FocusSource, groupsMax?: number) => {
  let text = ''
  const { check, unpriced } = await exportFocus(
    source,
    {
      ...{ version: '1.4', from, to: from + 48 * hour, billingAccount: 'default', tags: [] },
      isPromotion: () => false,
      ...(groupsMax !== undefined && { groupsMax }),
    },
    focusTexts.jsonl,
    (piece) => {
      text += piece
    },
  )
  const rows = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, string>)
  return { text, rows, check, unpriced }
}

const some = fc.record({
  at: fc.integer({ min: 0, max: 48 * 3_600 - 1 }),
  quantity: fc.integer({ min: 1, max: 1_000_000 }),
  meter: fc.constantFrom('input_text_tokens', 'output_text_tokens', 'cached_input_tokens'),
  unitPrice: fc.constantFrom('30', '0.125', '3.33'),
  team: fc.constantFrom('search', 'ads', null),
})

const callsOf = (drawn: readonly (typeof some extends fc.Arbitrary<infer Drawn> ? Drawn : never)[]) =>
  drawn.map(({ at, quantity, meter, unitPrice, team }) =>
    callOf([chargeOf(meter, quantity, unitPrice, { price: `${meter} at ${unitPrice}` })], {
      at: from + at * 1_000,
      team,
    }),
  )

describe('an export', () => {
  it('comes to what the charges of its calls come to, row by row a valid one', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(some, { maxLength: 30 }), async (drawn) => {
        const calls = callsOf(drawn)
        const { rows, check } = await exported(sourceOf(calls))
        const effective = rows.reduce((total, row) => total + parsePicos(row['EffectiveCost'] ?? ''), 0n)
        const amount = calls.reduce(
          (total, { settlement }) => total + (settlement.charges[0]?.amount ?? 0n),
          0n,
        )
        expect(effective).toBe(amount + parsePicos('0.00015'))
        expect(rows.reduce((total, row) => total + Number(row['x_CallCount']), 0)).toBe(calls.length + 3)
        expect(check.count).toBe(0)
      }),
      { numRuns: 30 },
    )
  })

  it('has the same bytes however little of it is held at once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(some, { maxLength: 30 }), async (drawn) => {
        const calls = callsOf(drawn)
        expect((await exported(sourceOf(calls), 1)).text).toBe((await exported(sourceOf(calls))).text)
      }),
      { numRuns: 20 },
    )
  })

  it('reads a day again by the quarter and by the hour where it has more groups than are held', async () => {
    const read: string[] = []
    const calls = callsOf(
      [1, 2, 8_000].map((at) => ({
        at,
        quantity: 1,
        meter: 'input_text_tokens' as const,
        unitPrice: '30',
        team: 'ads',
      })),
    )
    await exported(sourceOf(calls, read), 1)
    expect(read).toEqual(['24', '6', '1', '1', '1', '1', '1', '1', '6', '6', '6', '24'])
  })

  it('puts each row into the month of its hour', async () => {
    const { rows } = await exported(sourceOf([]))
    expect(
      rows.map((row) => [row['ChargePeriodStart'], row['BillingPeriodStart'], row['BillingPeriodEnd']]),
    ).toEqual([['2023-12-01T01:00:00Z', '2023-12-01T00:00:00Z', '2024-01-01T00:00:00Z']])
  })
})
