import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseInstant } from '../time.ts'
import { decimal, openBooks, type RawPriceRow } from './books.ts'
import { openaiPrices } from './sandbox.fixture.ts'
import { storageCharges } from './standing-books.ts'
import type { Holding } from './standing-state.ts'

const rows = openaiPrices.flatMap((file) => file.prices)
const gigabyte = 2 ** 30
const at = parseInstant

const holding = (fields: Partial<Holding>): Holding => ({
  assistant: 'asst_1',
  file: 'file-1',
  source: 'asst_1',
  bytes: gigabyte,
  from: at('2024-03-05'),
  to: at('2024-03-06'),
  ...fields,
})

/** What each assistant's storage costs: `[amount, list amount]`. */
const amounts = (holdings: readonly Holding[], until = at('2024-04-16'), prices = rows) =>
  storageCharges(prices)(holdings, until).map(({ picos, listPicos }) => [decimal(picos), decimal(listPicos)])

describe('storage for retrieval', () => {
  it('costs 0.20 a gigabyte and day for each of two assistants: 0.40', () => {
    expect(amounts([holding({}), holding({ assistant: 'asst_2', source: 'asst_2' })])).toEqual([
      ['0.2', '0.2'],
      ['0.2', '0.2'],
    ])
  })

  it('costs a quarter when the file is removed after 6 hours', () => {
    expect(amounts([holding({ to: at('2024-03-05T06:00:00Z') })])).toEqual([['0.05', '0.05']])
  })

  it('grows to the instant of asking', () => {
    const open = [holding({ to: null })]
    expect(amounts(open, at('2024-03-05T12:00:00Z'))).toEqual([['0.1', '0.1']])
    expect(amounts(open, at('2024-03-07'))).toEqual([['0.4', '0.4']])
    expect(amounts(open, at('2024-03-04'))).toEqual([['0', '0']])
  })

  it('is free, and listed, until the promotion ends: a border is priced apart', () => {
    expect(amounts([holding({ from: at('2023-11-15'), to: at('2023-11-16') })])).toEqual([['0', '0.2']])
    const across = holding({ from: at('2024-02-29'), to: at('2024-03-02') })
    expect(amounts([across])).toEqual([['0.2', '0.4']])
  })

  it('counts once what an assistant has from two sources at once', () => {
    const own = holding({ to: at('2024-03-05T18:00:00Z') })
    const brought = holding({ source: 'thread_1', from: at('2024-03-05T12:00:00Z') })
    expect(amounts([own, brought])).toEqual([['0.2', '0.2']])
    expect(amounts([own, { ...brought, file: 'file-2' }])).toEqual([['0.25', '0.25']])
  })

  it('has no price after the wire of 2023 was replaced', () => {
    const [charge] = storageCharges(rows)([holding({ to: null })], at('2024-04-18'))
    expect(charge).toMatchObject({ priced: false, bytes: gigabyte, files: 1 })
  })

  it('rounds once for a stay, however long: one file of one assistant', () => {
    // 0.2 x 10^12 units are shared by 2^30 x 86,400,000 byte-milliseconds: 300 bytes for a second are 0.647 units.
    const second = holding({ bytes: 300, to: at('2024-03-05T00:00:01Z') })
    expect(amounts([second])).toEqual([['0.000000000001', '0.000000000001']])
    const two = [second, { ...second, file: 'file-2' }]
    expect(amounts(two)).toEqual([['0.000000000002', '0.000000000002']])
    expect(amounts([{ ...second, to: at('2024-03-05T00:00:02Z') }])).toEqual([
      ['0.000000000001', '0.000000000001'],
    ])
    const again = { ...second, from: at('2024-03-05T00:00:05Z'), to: at('2024-03-05T00:00:06Z') }
    expect(amounts([second, again])).toEqual([['0.000000000002', '0.000000000002']])
  })

  it('does not depend on how the time is cut into pieces', () => {
    const day = at('2024-02-29T12:00:00Z')
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2 ** 40 }),
        fc.uniqueArray(fc.integer({ min: 1, max: 86_399_999 }), { maxLength: 8 }),
        (bytes, cuts) => {
          const ends = [...cuts, 86_400_000].sort((a, b) => a - b)
          const pieces = ends.map((end, index) =>
            holding({ bytes, from: day + (ends[index - 1] ?? 0), to: day + end }),
          )
          const whole = [holding({ bytes, from: day, to: day + 86_400_000 })]
          expect(storageCharges(rows)(pieces, day * 2)).toEqual(storageCharges(rows)(whole, day * 2))
        },
      ),
    )
  })
})

describe('sessions in the books', () => {
  const session = (when: string) => ({
    number: 1,
    at: at(when),
    wire: 'assistants',
    id: 'run_1',
    requestId: null,
    model: null,
    user: null,
    usage: { code_interpreter_session: 1 },
  })
  const billed = (when: string, prices: readonly RawPriceRow[] = rows) => {
    const books = openBooks(prices)
    books.add(session(when))
    return books.rows()[0]
  }

  it('are free while the promotion as it was last known holds, and 0.03 from its end on', () => {
    expect(billed('2023-11-15')).toMatchObject({ amount: '0', listAmount: '0.03' })
    // As first announced it would have ended on the 17th.
    expect(billed('2023-12-12T23:59:59Z')).toMatchObject({ amount: '0', listAmount: '0.03' })
    const row = billed('2023-12-13')
    expect(row).toEqual({
      model: '',
      meter: 'code_interpreter_session',
      calls: 1,
      quantity: 1,
      amount: '0.03',
      currency: 'USD',
    })
  })

  it('follow the promotion that became known last', () => {
    const promotion = (unitPrice: string, knownSince: string): RawPriceRow => ({
      provider: 'openai',
      model: null,
      meter: 'code_interpreter_session',
      attributes: { api: 'assistants', promotion: 'launch_free' },
      unitPrice,
      per: 1,
      currency: 'USD',
      effectiveFrom: '2023-11-06',
      effectiveTo: '2023-12-13',
      knownSince,
    })
    const [older, newer] = [promotion('0.02', '2023-11-06'), promotion('0.01', '2023-11-17')]
    expect(billed('2023-11-10', [newer, older])?.amount).toBe('0.01')
    expect(billed('2023-11-10', [older, newer])?.amount).toBe('0.01')
  })

  it('tell what the whole would cost without promotions', () => {
    const books = openBooks(rows)
    books.add(session('2023-11-15'))
    books.add({ ...session('2023-11-15'), model: 'gpt-4', usage: { input_text_tokens: 1000 } })
    expect(books.total()).toEqual({
      calls: 2,
      amount: '0.03',
      listAmount: '0.06',
      currency: 'USD',
      unpriced: [],
    })
  })
})
