import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ClosedPeriod } from '../ledger/imported.ts'
import type { AccruedRow, CallRow, ImportedRow } from '../ledger/reading.ts'
import { formatPicos, parsePicos } from '../money/money.ts'
import { openPriceBook, type PriceFile } from '../pricing/price-book.ts'
import { parseInstant } from '../time.ts'
import { priceFile, priceRow, settledCall } from './rerate.fixture.ts'
import { createRerateFold } from './rerate.ts'
import { correctBook } from './rerate-book.ts'
import { rerateBooks } from './rerate-charge.ts'

const list = [priceFile(priceRow('input_text_tokens', '0.03'), priceRow('output_text_tokens', '0.06'))]
const at = parseInstant('2023-12-01')

const foldBy = (corrections: readonly PriceFile[], book = list, closed: readonly ClosedPeriod[] = []) => {
  const after = openPriceBook(correctBook(book, corrections))
  return createRerateFold(rerateBooks(openPriceBook(book), after), {
    correction: { name: 'corrected.json', at, bookVersion: after.version },
    ...{ provider: null, model: null, closed },
  })
}

/** What calls become: each with its amounts, and the totals. */
const rerated = (rows: readonly CallRow[], corrections: readonly PriceFile[], book = list) => {
  const fold = foldBy(corrections, book)
  const all = fold.addCalls(rows)
  const { totals, kept } = fold.result()
  const [total] = totals
  return {
    all,
    kept: kept.map(({ meter, why, count, example }) => `${count} ${meter} ${why} ${example}`),
    totals: total && [total.before, total.difference, total.after].map(formatPicos),
  }
}

const cheaper = priceFile(
  priceRow('output_text_tokens', '0.04', { effectiveFrom: '2023-11-10', effectiveTo: '2023-11-20' }),
)

describe('a re-rating', () => {
  it('corrects a price in its period, and says what it was before and after', () => {
    const rows = ['2023-11-09', '2023-11-15', '2023-11-20'].map((day) =>
      settledCall(day, { input_text_tokens: 1_000, output_text_tokens: 500 }, list, { at: day }),
    )
    // Each was 0.03 + 0.03; on the 15th the output is 0.02.
    const { all, totals } = rerated(rows, [cheaper])
    expect(totals).toEqual(['0.18', '-0.01', '0.17'])
    expect(all).toMatchObject([
      {
        ...{ id: '2023-11-15', before: parsePicos('0.06'), after: parsePicos('0.05') },
        changes: [{ meter: 'output_text_tokens', was: { unitPrice: '0.06' }, now: { unitPrice: '0.04' } }],
      },
    ])
  })

  it('adjusts a call to the same basis and usage, and names correction and book', () => {
    const row = settledCall('a', { output_text_tokens: 500 }, list, { tier: 'default' })
    const noted = {
      ...row,
      settlement: { ...row.settlement, basis: 'estimated' as const, note: 'stream cut' },
    }
    const [first] = rerated([noted], [cheaper]).all
    const after = openPriceBook(correctBook(list, [cheaper])).version
    expect(first?.kind === 'call' && first.adjustment).toMatchObject({
      ...{
        callId: 'a',
        corrects: 2,
        at,
        basis: 'estimated',
        tier: 'default',
        status: 200,
        bookVersion: after,
      },
      note: `stream cut; re-rated by corrected.json (book ${after})`,
      charges: [{ meter: 'output_text_tokens', quantity: 500, amount: parsePicos('0.02') }],
    })
  })

  it('finds nothing more to do in what it has adjusted', () => {
    const row = settledCall('a', { output_text_tokens: 500 }, list)
    const [first] = rerated([row], [cheaper]).all
    if (first?.kind !== 'call') throw new Error('nothing was adjusted')
    const { corrects, ...rest } = first.adjustment
    const again: CallRow = { ...row, settlement: { kind: 'adjusted', sequence: 3, corrects, ...rest } }
    expect(rerated([again], [cheaper])).toMatchObject({ all: [], kept: [], totals: ['0.02', '0', '0.02'] })
    const back = rerated(
      [again],
      [priceFile(priceRow('output_text_tokens', '0.05', { effectiveFrom: '2023-11-10' }))],
    )
    expect(back.totals).toEqual(['0.02', '0.005', '0.025'])
  })

  it('prices what had no price', () => {
    const row = settledCall('a', { output_text_tokens: 500, image: 2 }, list)
    const { all, totals } = rerated([row], [priceFile(priceRow('image', '40'))])
    expect(totals).toEqual(['0.03', '0.08', '0.11'])
    expect(all[0]?.kind === 'call' && all[0].adjustment).toMatchObject({ unpriced: [] })
  })

  it('keeps what was asked for beside the model: a size, a tier, a context', () => {
    const sizes = ['small', 'big'].map((size, index) =>
      priceRow('image', `${index + 1}0`, { attributes: { size } }),
    )
    const context = { context_threshold_tokens: 1_000, long_when: '>' }
    const long = ['short', 'long'].map((name, index) =>
      priceRow('input_text_tokens', `0.0${index + 1}`, { attributes: { ...context, context: name } }),
    )
    const book = [priceFile(...sizes, ...long)]
    const rows = [
      settledCall('a', { image: 1 }, book, { attributes: { size: 'big' } }),
      settledCall('b', { image: 1 }, book, { attributes: { size: 'small' } }),
      settledCall('c', { input_text_tokens: 2_000 }, book),
    ]
    const corrections = [
      priceRow('image', '30', { attributes: { size: 'big' } }),
      ...long.slice(1).map((row) => ({ ...row, unitPrice: '0.03' })),
    ]
    // The big image costs 0.03 in place of 0.02, 2,000 tokens 0.06 in place of 0.04.
    const { all, totals, kept } = rerated(rows, [priceFile(...corrections)], book)
    expect([all.map(({ id }) => id), totals, kept]).toEqual([['a', 'c'], ['0.07', '0.03', '0.1'], []])
  })

  it('leaves and names what the vendor stated, and what it cannot price anew', () => {
    const stated = settledCall('a', { output_text_tokens: 500 }, list)
    const unknown = settledCall('b', { output_text_tokens: 500 }, list)
    const free = settledCall('c', { output_text_tokens: 500 }, list)
    const change = (row: CallRow, more: object): CallRow => ({
      ...row,
      settlement: {
        ...row.settlement,
        charges: row.settlement.charges.map((charge) => ({ ...charge, ...more })),
      },
    })
    const rows = [
      change(stated, { source: 'vendor-reported', price: 'vendor-reported' }),
      change(unknown, { price: 'none' }),
      change(free, { quantity: 400, measured: 500 }),
    ]
    expect(rerated(rows, [cheaper])).toMatchObject({
      all: [],
      kept: [
        '1 output_text_tokens vendor_stated a',
        '1 output_text_tokens unknown_row b',
        '1 output_text_tokens not_recovered c',
      ],
    })
  })

  it('re-rates the part of an imported line that did not pass the gateway, and names accruals', () => {
    const { settlement } = settledCall('a', { output_text_tokens: 500 }, list)
    const owner = {
      key: null,
      organization: null,
      team: 'search',
      project: null,
      environment: null,
      endUser: null,
      tags: {},
    }
    const day = parseInstant('2023-11-15')
    const { charges, unpriced, bookVersion } = settlement
    const common = {
      at: day,
      from: day,
      to: day + 1,
      owner,
      provider: 'vendor',
      model: 'large',
      endpoint: 'x',
      currency: 'USD',
    }
    const line: ImportedRow = {
      ...{
        ...common,
        kind: 'imported',
        sequence: 3,
        corrects: null,
        lineId: 'line_1',
        importer: 'i',
        account: 'a',
      },
      ...{ role: 'usage', tier: null, charges, unpriced, calls: 2, bookVersion },
      reported: { usage: [], amount: null, requests: 2, lineItem: null, project: null, apiKey: null },
    }
    const accrued: AccruedRow = {
      ...{
        ...common,
        kind: 'accrued',
        sequence: 4,
        accrualId: 'session_1',
        conversation: null,
        holder: 'h',
        object: null,
      },
      ...{ basis: 'measured', charges, unpriced, list: 0n, counts: [], bookVersion },
    }
    const fold = foldBy([cheaper])
    expect(fold.addImported([line])).toMatchObject([
      {
        kind: 'imported',
        line: { lineId: 'line_1', at, calls: 2, charges: [{ amount: parsePicos('0.02') }] },
      },
    ])
    const closed = { at: day, provider: 'vendor', from: day, to: day + 1, totals: [], note: null }
    const later = foldBy([cheaper], list, [closed])
    expect(later.addImported([line])).toEqual([])
    expect(later.result()).toMatchObject({
      kept: [{ why: 'closed', example: 'line_1' }],
      totals: [{ adjusted: 0 }],
    })
    fold.addAccrued([accrued])
    expect(fold.result()).toMatchObject({
      totals: [{ calls: 0, lines: 1, adjusted: 1, before: parsePicos('0.06'), after: parsePicos('0.05') }],
      kept: [{ why: 'accrued', example: 'session_1', count: 1 }],
    })
  })

  it('looks at nothing that the correction does not touch', () => {
    const row = settledCall('a', { input_text_tokens: 500, image: 1 }, list)
    const charges = row.settlement.charges.map((charge) => ({ ...charge, price: 'none' }))
    const other = { ...row, settlement: { ...row.settlement, charges } }
    expect(rerated([other], [cheaper])).toMatchObject({ all: [], kept: [] })
    expect(rerated([other], [priceFile(priceRow('input_text_tokens', '0.04'))]).kept).toEqual([
      '1 input_text_tokens unknown_row a',
    ])
  })

  it('leaves calls of others', () => {
    const after = openPriceBook(correctBook(list, [cheaper]))
    const correction = { name: 'x', at, bookVersion: after.version }
    const row = settledCall('a', { output_text_tokens: 500 }, list)
    for (const [provider, model, count] of [
      ['vendor', null, 1],
      ['other', null, 0],
      ['vendor', 'large-1', 1],
      ['vendor', 'large', 0],
    ] as const) {
      const fold = createRerateFold(rerateBooks(openPriceBook(list), after), { correction, provider, model })
      expect(fold.addCalls([row])).toHaveLength(count)
    }
  })

  it('agrees whatever the correction: before and the adjustments are after, and once is enough', () => {
    const decimal = fc
      .integer({ min: 0, max: 99_999 })
      .map((digits) => `0.${String(digits).padStart(5, '0')}`)
    const day = fc.integer({ min: 10, max: 28 }).map((number) => `2023-11-${number}`)
    const used = fc.record({ input: fc.nat(10_000), output: fc.nat(10_000), on: day })
    const corrected = fc.record({ input: decimal, output: decimal, from: day })
    fc.assert(
      fc.property(fc.array(used, { maxLength: 10 }), corrected, (calls, { input, output, from }) => {
        const files = [
          priceFile(
            priceRow('input_text_tokens', input, { effectiveFrom: from }),
            priceRow('output_text_tokens', output, { effectiveFrom: from }),
          ),
        ]
        const rows = calls.map((call, index) =>
          settledCall(`${index}`, { input_text_tokens: call.input, output_text_tokens: call.output }, list, {
            at: call.on,
          }),
        )
        const fold = foldBy(files)
        const all = fold.addCalls(rows)
        for (const { before, difference, after } of fold.result().totals) {
          expect(before + difference).toBe(after)
          expect(all.reduce((sum, each) => sum + each.after - each.before, 0n)).toBe(difference)
        }
        const fresh = openPriceBook(correctBook(list, files))
        for (const each of all) {
          if (each.kind !== 'call') continue
          const row = rows.find(({ call }) => call.id === each.id)
          if (row === undefined) continue
          const { kind: _, ...rest } = row.settlement
          const settlement = { ...rest, ...each.adjustment, kind: 'adjusted' as const, sequence: 9 }
          expect(foldBy(files).addCalls([{ call: row.call, settlement }])).toEqual([])
          expect(each.adjustment.bookVersion).toBe(fresh.version)
        }
      }),
      { numRuns: 50 },
    )
  })
})

describe('a corrected book', () => {
  it('keeps a row before and after the correction, and its other names and meanings', () => {
    const [clipped, added] = correctBook(list, [
      priceFile({
        ...priceRow('output_text_tokens', '0.04', { effectiveFrom: '2023-11-10', effectiveTo: '2023-11-20' }),
        aliases: [],
      }),
    ])
    expect(
      clipped?.prices.map(({ unitPrice, effectiveFrom, effectiveTo }) => [
        unitPrice,
        effectiveFrom,
        effectiveTo,
      ]),
    ).toEqual([
      ['0.03', '2023-01-01', null],
      ['0.06', '2023-01-01', '2023-11-10T00:00:00Z'],
      ['0.06', '2023-11-20T00:00:00Z', null],
    ])
    expect(added?.prices[0]?.aliases).toEqual([])
    const { aliases: _, ...unnamed } = priceRow('output_text_tokens', '0.04')
    expect(correctBook(list, [priceFile(unnamed)])[1]?.prices[0]?.aliases).toEqual(['large-1'])
  })

  it('refuses a period that ends before it begins', () => {
    const row = priceRow('image', '1', { effectiveFrom: '2023-11-20', effectiveTo: '2023-11-10' })
    expect(() => correctBook(list, [priceFile(row)])).toThrow(/ends before it begins/)
  })
})
