import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseInstant } from '../../time.ts'
import { openPriceBook, type PriceFile } from '../price-book.ts'
import { continueOverlay, convertOverlay } from './convert.ts'

const read = (million: string, at: string, since = at) =>
  convertOverlay(`{"openai":{"models":{"nova-9":{"cost":{"input":${million}}}}}}`, {
    from: 'api.json',
    at: parseInstant(at),
    since: parseInstant(since),
  }).files

const periods = (files: readonly { readonly prices: PriceFile['prices'] }[]): string[] =>
  files.flatMap(({ prices }) =>
    prices.map(
      ({ unitPrice, effectiveFrom, effectiveTo }) => `${unitPrice}: ${effectiveFrom} to ${effectiveTo}`,
    ),
  )

describe('one reading after another', () => {
  const first = read('2', '2026-11-24')

  it('keeps the row of a price that is the same', () => {
    const next = continueOverlay(first, read('2', '2026-11-25'))
    expect({ ...next, files: periods(next.files) }).toEqual({
      files: ['2: 2026-11-24 to null'],
      added: 0,
      changed: 0,
    })
  })

  it('ends a price where the next begins', () => {
    const next = continueOverlay(first, read('3', '2026-11-25'), read('3', '2026-11-25T09:30:00Z'))
    expect({ ...next, files: periods(next.files) }).toEqual({
      files: ['2: 2026-11-24 to 2026-11-25T09:30:00Z', '3: 2026-11-25T09:30:00Z to null'],
      added: 0,
      changed: 1,
    })
  })

  it('keeps what the database has dropped', () => {
    const next = continueOverlay(first, [])
    expect(periods(next.files)).toEqual(['2: 2026-11-24 to null'])
  })

  it('replaces a row that would end before it begins', () => {
    const next = continueOverlay(first, read('3', '2026-11-24'))
    expect(periods(next.files)).toEqual(['3: 2026-11-24 to null'])
  })

  it('always makes a book without contradictions, for up to 8 readings of 4 prices', () => {
    const prices = fc.array(fc.constantFrom('1', '2', '3', '4'), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(prices, (readings) => {
        let files: ReturnType<typeof read> = []
        readings.forEach((million, day) => {
          files = continueOverlay(files, read(million, `2026-11-0${day + 1}`)).files
        })
        const book = openPriceBook(files as readonly PriceFile[])
        const steps = readings.filter((million, day) => million !== readings[day - 1])
        expect(book.prices.map(({ rate }) => rate.unitPrice)).toEqual(steps)
      }),
    )
  })
})
