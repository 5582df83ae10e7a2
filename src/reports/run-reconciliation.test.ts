import { describe, expect, it } from 'vitest'
import { exampleCall, exampleSettlement } from '../../test/conformance/ledger.ts'
import { bundledBook } from '../cli/bundled.ts'
import type { Call, Settlement } from '../ledger/entry.ts'
import type { CallRow } from '../ledger/reading.ts'
import { formatPicos } from '../money/money.ts'
import { price } from '../pricing/price.ts'
import { parseInstant } from '../time.ts'
import { reconcileRuns } from './run-reconciliation.ts'
import { readUsagePage, type VendorBucket } from './vendor-usage.ts'

const book = await bundledBook()
const noon = parseInstant('2023-11-15T12:00:00Z')
const minute = 60_000
const model = 'gpt-4-1106-preview'

/** A page of minutes from noon on: of each, the tokens of the model that were billed, or none. */
const pageOf = (...minutes: (readonly [number, number] | null)[]) => ({
  object: 'page',
  data: minutes.map((used, index) => ({
    object: 'bucket',
    start_time: noon / 1000 + index * 60,
    end_time: noon / 1000 + index * 60 + 60,
    results: used === null ? [] : [{ model, input_tokens: used[0], output_tokens: used[1] }],
  })),
  has_more: false,
  next_page: null,
})

const reported = (...minutes: Parameters<typeof pageOf>): readonly VendorBucket[] =>
  readUsagePage(pageOf(...minutes)).buckets

type Told = {
  readonly input: number
  readonly output: number
  /** Seconds after noon: made, and ended where that is known. */
  readonly at?: number
  readonly ended?: number | null
  readonly settledAt?: number
  readonly most?: readonly [number, number]
  readonly basis?: Settlement['basis']
  readonly call?: Partial<Call>
}

/** A call of the ledger: a run that was counted, unless another basis is said. */
const row = (id: string, told: Told): CallRow => {
  const { input, output, at = 0, ended = at, settledAt = ended ?? at, basis = 'estimated', most } = told
  const usage = { input_text_tokens: input, output_text_tokens: output }
  const call = exampleCall(id, {
    ...{ at: noon + at * 1000, provider: 'openai', endpoint: 'assistants', model },
    ...told.call,
  })
  const { charges, pricedTotal } = price(
    usage,
    { provider: 'openai', model, at: call.at, attributes: {} },
    book,
  )
  const [inputMost = input + 2_048, outputMost = output + 128] = most ?? []
  const when =
    ended === null ? '' : `; ended ${new Date(noon + ended * 1000).toISOString().replace('.000', '')}`
  const note = `run completed${when}; interval: input_text_tokens ${input}..${inputMost}, output_text_tokens ${output}..${outputMost}`
  return {
    call,
    settlement: {
      ...exampleSettlement(id, pricedTotal, { charges, model, basis, unpriced: [] }),
      at: noon + settledAt * 1000,
      resent: { tokens: Math.min(500, input), amount: 1n, exact: true },
      note: basis === 'estimated' ? note : null,
      kind: 'settled',
      sequence: 7,
    },
  }
}

const reconcile = (buckets: readonly VendorBucket[], ...rows: readonly CallRow[]) =>
  reconcileRuns({ buckets, rows, provider: 'openai', pricesFrom: 'openai', book, at: noon + 86_400_000 })

const tokensAfter = (result: ReturnType<typeof reconcile>) =>
  result.reconciled.map(({ row: { call }, after }) => [call.id, after.input, after.output])

describe('an estimated run', () => {
  it('used what the vendor billed in the minute in which it ended, and is priced anew', () => {
    const result = reconcile(reported([1_061, 205]), row('a', { input: 1_050, output: 200, ended: 30 }))
    expect(result).toMatchObject({ unexplained: [], billed: { input: 1_061, output: 205 } })
    expect(result.after).toEqual(result.billed)
    const [{ adjustment, amountBefore, amountAfter } = never()] = result.reconciled
    expect([amountBefore, amountAfter].map(formatPicos)).toEqual(['0.0165', '0.01676'])
    expect(adjustment).toMatchObject({ callId: 'a', corrects: 7, basis: 'reconciled', model })
    expect(adjustment.charges.map(({ meter, quantity }) => [meter, quantity])).toEqual([
      ['input_text_tokens', 1_061],
      ['output_text_tokens', 205],
    ])
    // 500 of 1,061 tokens at 0.01 USD a thousand.
    expect(adjustment.resent).toEqual({ tokens: 500, amount: 5_000_000_000n, exact: true })
    expect(adjustment.note).toContain('estimated 1050 and 200, billed 1061 and 205')
  })

  it('takes what is left when calls that reported their usage are taken off', () => {
    const chat = row('chat', {
      input: 40,
      output: 9,
      basis: 'measured',
      call: { endpoint: 'chat-completions' },
    })
    const result = reconcile(reported([1_101, 214]), chat, row('a', { input: 1_050, output: 200 }))
    expect(tokensAfter(result)).toEqual([['a', 1_061, 205]])
    expect(result.after).toEqual(result.billed)
  })

  it('counts where it ended, not where it began, and on a border in the later minute', () => {
    const rows = [
      row('a', { input: 100, output: 20, at: 50, ended: 61 }),
      row('b', { input: 300, output: 60, at: 100, ended: 120 }),
    ]
    const result = reconcile(reported(null, [101, 21], [302, 62]), ...rows)
    expect(tokensAfter(result)).toEqual([
      ['a', 101, 21],
      ['b', 302, 62],
    ])
  })

  it('shares a minute with others by what their intervals leave open', () => {
    const rows = [
      row('a', { input: 100, output: 20, most: [200, 20] }),
      row('b', { input: 200, output: 60, most: [400, 90] }),
    ]
    expect(tokensAfter(reconcile(reported([310, 85]), ...rows))).toEqual([
      ['a', 103, 20],
      ['b', 207, 65],
    ])
  })

  it('of which nobody knows when it ended joins the minutes from its beginning to its settlement', () => {
    const rows = [
      row('a', { input: 100, output: 20, at: 30, ended: null, settledAt: 150 }),
      row('chat', { input: 5, output: 5, at: 70, basis: 'measured', call: { endpoint: 'chat-completions' } }),
    ]
    const result = reconcile(reported(null, [5, 5], [117, 28]), ...rows)
    expect(tokensAfter(result)).toEqual([['a', 117, 28]])
    expect(result.reconciled[0]).toMatchObject({ from: noon, to: noon + 3 * minute })
  })

  it('is left alone once it is reconciled', () => {
    const first = reconcile(reported([1_061, 205]), row('a', { input: 1_050, output: 200 }))
    const [{ adjustment, row: before } = never()] = first.reconciled
    const settlement = { ...adjustment, kind: 'adjusted', sequence: 8 } as const
    const second = reconcile(reported([1_061, 205]), { call: before.call, settlement })
    expect(second).toMatchObject({ reconciled: [], unexplained: [], before: { input: 1_061, output: 205 } })
  })
})

describe('a difference that nothing explains', () => {
  const why = (result: ReturnType<typeof reconcile>) => {
    expect(result.reconciled).toEqual([])
    return result.unexplained.map((each) => [each.why, each.estimatedCalls])
  }
  const estimated = row('a', { input: 100, output: 20 })
  const measured = row('chat', { input: 40, output: 9, basis: 'measured', call: { endpoint: 'responses' } })

  it('is named: nothing estimated, less billed, outside the intervals', () => {
    expect(why(reconcile(reported([41, 9]), measured))).toEqual([['no_estimated_call', []]])
    expect(why(reconcile(reported([39, 9]), measured))).toEqual([['less_billed', []]])
    expect(why(reconcile(reported([39, 29]), measured, estimated))).toEqual([['less_billed', ['a']]])
    expect(why(reconcile(reported([99, 20]), estimated))).toEqual([['outside_intervals', ['a']]])
    expect(why(reconcile(reported([100, 149]), estimated))).toEqual([['outside_intervals', ['a']]])
    expect(why(reconcile(reported(null), estimated))).toEqual([['outside_intervals', ['a']]])
  })

  it('is named where a call reaches beyond the report, and where it has other meters', () => {
    const early = row('a', { input: 100, output: 20, at: -5, ended: null, settledAt: 5 })
    expect(why(reconcile(reported([100, 20]), early))).toEqual([['beyond_report', ['a']]])
    const late = row('a', { input: 100, output: 20, at: 50, ended: null, settledAt: 61 })
    expect(why(reconcile(reported([100, 20]), late))).toEqual([['beyond_report', ['a']]])
    const image = { meter: 'image', quantity: 1, code: 'no_price', message: 'None.' } as const
    const mixed = { ...estimated, settlement: { ...estimated.settlement, unpriced: [image] } }
    expect(why(reconcile(reported([100, 20]), mixed))).toEqual([['other_meters', ['a']]])
  })

  it('is none where calls agree, or belong to another provider, wire or time', () => {
    const strangers = [
      row('x', { input: 9, output: 9, call: { provider: 'other' } }),
      row('y', { input: 9, output: 9, call: { endpoint: 'embeddings' } }),
      row('z', { input: 9, output: 9, at: -61 }),
    ]
    expect(reconcile(reported([40, 9]), measured, ...strangers)).toMatchObject({
      reconciled: [],
      unexplained: [],
    })
  })
})

describe('a usage report that cannot be read', () => {
  const [bucket] = pageOf([1, 1]).data
  it.each([
    [{}, 'no page'],
    [{ object: 'page', data: [{}] }, 'when it begins'],
    [{ object: 'page', data: [{ ...bucket, results: [{ input_tokens: 1 }] }] }, 'not grouped by model'],
    [{ object: 'page', data: [{ ...bucket, results: [{ model }] }] }, 'does not count the tokens'],
    [{ object: 'page', data: [{ ...bucket, end_time: bucket?.start_time }] }, 'when it begins and ends'],
  ])('%j: %s', (page, said) => {
    expect(() => readUsagePage(page)).toThrow(said)
  })

  it('has a gap, or tells a minute twice', () => {
    const minutes = reported([1, 1], null, [2, 2])
    expect(() => reconcile(minutes.filter((_, index) => index !== 1))).toThrow('goes on at')
    expect(() => reconcile([...minutes, ...minutes])).toThrow('goes on at')
  })

  it('goes on with the next page, and reads the older name of its results', () => {
    const page = { ...pageOf(), has_more: true, next_page: 'page_2' }
    expect(readUsagePage(page)).toEqual({ buckets: [], next: 'page_2' })
    const { results, ...older } = bucket ?? never()
    const [read] = readUsagePage({ object: 'page', data: [{ ...older, result: results }] }).buckets
    expect(read?.used.get(model)).toEqual({ input: 1, output: 1 })
  })
})

const never = (): never => {
  throw new Error('This cannot be missing.')
}
