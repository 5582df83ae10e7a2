import { afterEach, describe, expect, it } from 'vitest'
import { exampleSettlement } from '../../test/conformance/ledger.ts'
import { startWorld, type TestWorld } from '../../test/support/world.ts'
import { bundledBook } from '../cli/bundled.ts'
import type { Adjustment } from '../ledger/entry.ts'
import { price } from '../pricing/price.ts'
import { parseInstant } from '../time.ts'
import { adjustmentsMax, readAdjustments, writeAdjustments } from './adjustments.ts'

const at = parseInstant('2023-11-20')
const usage = { input_text_tokens: 1_061, output_text_tokens: 205, image: 1 }
const call = { provider: 'openai', model: 'gpt-4-1106-preview', at, attributes: {} }
const { charges, unpriced, pricedTotal } = price(usage, call, await bundledBook())

const adjustment: Adjustment = {
  ...exampleSettlement('a', pricedTotal, { charges, unpriced, basis: 'reconciled', model: call.model }),
  corrects: 7,
  unresolved: [{ limit: 'all', windowStart: at, amount: 5n }],
  resent: { tokens: 500, amount: 5_000_000_000n, exact: true },
}

let world: TestWorld | undefined
afterEach(async () => {
  await world?.close()
  world = undefined
})

describe('adjustments', () => {
  it('are read as they were written', () => {
    expect(unpriced.length).toBe(1)
    expect(readAdjustments(JSON.parse(writeAdjustments([adjustment])))).toEqual([adjustment])
  })

  it.each([
    [{ ...adjustment, basis: 'guessed' as never }, 'basis'],
    [{ ...adjustment, corrects: -1 }, 'corrects'],
    [{ ...adjustment, charges: charges.map((each) => ({ ...each, amount: each.amount + 1n })) }, 'rounds to'],
    [{ ...adjustment, charges: charges.map((each) => ({ ...each, quantity: -1 })) }, 'quantity'],
  ])('that cannot be are refused: %#', (wrong, said) => {
    expect(() => readAdjustments(JSON.parse(writeAdjustments([wrong])))).toThrow(said)
  })

  it('come some at a time, and never as something else', () => {
    const many = Array.from({ length: adjustmentsMax + 1 }, () => adjustment)
    expect(() => readAdjustments(JSON.parse(writeAdjustments(many)))).toThrow('adjustments')
    for (const body of [null, [], {}, { adjustments: [7] }]) expect(() => readAdjustments(body)).toThrow()
  })

  it('of a call that is not settled here change nothing, and say so', async () => {
    world = await startWorld({ gateway: { controlPort: 0 } })
    const told = await fetch(`${world.gateway.controlUrl}/octroi/v1/adjustments`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: writeAdjustments([adjustment]),
    })
    expect([told.status, await told.json()]).toEqual([200, { outcomes: ['unknown'] }])
    const wrong = await fetch(`${world.gateway.controlUrl}/octroi/v1/adjustments`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"adjustments":[{}]}',
    })
    expect([wrong.status, await wrong.json()]).toMatchObject([400, { error: { code: 'bad_input' } }])
  })
})
