import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseInstant } from '../time.ts'
import { localTime } from './calendar.ts'
import { type PricedCall, price } from './price.ts'
import { openPriceBook, type PriceFile, type PriceRow } from './price-book.ts'

const band = {
  time_band: 'peak',
  time_zone: 'UTC',
  windows: ['01:00-04:00', '06:00-10:00'],
  days: 'Mon-Fri',
  calendar_zone: 'Asia/Shanghai',
  holidays: 'CN public holidays are off-peak all day',
}

const row = (unitPrice: string, attributes: PriceRow['attributes'], resolved: object): PriceRow => ({
  provider: 'acme',
  model: 'm-1',
  service: 'chat',
  meter: 'output_text_tokens',
  attributes,
  unitPrice,
  per: 1_000_000,
  currency: 'USD',
  effectiveFrom: '2026-01-01',
  fromPrecision: 'exact',
  effectiveTo: null,
  confidence: 'high',
  source: 'a price list',
  resolved: { ...resolved },
})

const calendars = {
  holidays: { source: 'a notice', days: ['2026-10-01', '2026-10-02'], through: '2026-12-31' },
}

const bookOf = (...prices: PriceRow[]) =>
  openPriceBook([{ schema: 'octroi-prices/1', provider: 'acme', calendars, prices }])

const peak = row('2', band, { calendar: 'holidays' })
const rest = row(
  '1',
  { ...band, time_band: 'off_peak', windows: 'all other hours' },
  { calendar: 'holidays', windowsOtherThan: band.windows },
)
const book = bookOf(peak, rest)

const chargeAt = (at: number, prices = book) => {
  const call: PricedCall = { provider: 'acme', model: 'm-1', at }
  return price({ output_text_tokens: 1 }, call, prices).charges[0]
}

const at = (text: string): string | undefined => chargeAt(parseInstant(text))?.unitPrice

describe('a time band', () => {
  it('begins with its first minute and ends before its last', () => {
    expect(at('2026-11-23T00:59:59.999Z')).toBe('1')
    expect(at('2026-11-23T01:00:00Z')).toBe('2')
    expect(at('2026-11-23T03:59:59.999Z')).toBe('2')
    expect(at('2026-11-23T04:00:00Z')).toBe('1')
    expect(at('2026-11-23T06:00:00Z')).toBe('2')
    expect(at('2026-11-23T10:00:00Z')).toBe('1')
  })

  it('has no weekend, in the calendar of its zone', () => {
    expect(at('2026-11-20T09:00:00Z')).toBe('2')
    expect(at('2026-11-21T02:00:00Z')).toBe('1')
    expect(at('2026-11-22T09:00:00Z')).toBe('1')
    // 01:00 UTC on Monday is 09:00 in Beijing on the same day; 16:00 UTC on Friday is Saturday there.
    expect(localTime(parseInstant('2026-11-20T16:00:00Z'), 'Asia/Shanghai')).toEqual({
      day: '2026-11-21',
      weekday: 6,
      minute: 0,
    })
  })

  it('has no holidays, which are days of its calendar', () => {
    expect(at('2026-09-30T02:00:00Z')).toBe('2')
    expect(at('2026-10-01T02:00:00Z')).toBe('1')
    expect(at('2026-10-02T09:59:59Z')).toBe('1')
  })

  it('takes a day beyond its calendar for a working day, and says so', () => {
    expect(chargeAt(parseInstant('2026-12-31T02:00:00Z'))).not.toHaveProperty('assumed')
    expect(chargeAt(parseInstant('2027-10-01T02:00:00Z'))).toMatchObject({
      unitPrice: '2',
      assumed: '2027-10-01 counts as a working day: the calendar "holidays" ends on 2026-12-31',
    })
    expect(chargeAt(parseInstant('2027-10-02T02:00:00Z'))).not.toHaveProperty('assumed')
  })

  it('may pass midnight', () => {
    const night = { time_band: 'off_peak', time_zone: 'UTC', windows: ['16:30-00:30'], days: 'all' }
    const day = { ...night, time_band: 'standard', windows: ['00:30-16:30'] }
    const both = bookOf(row('1', night, {}), row('2', day, {}))
    const on = (text: string) => chargeAt(parseInstant(text), both)?.unitPrice
    expect(on('2026-03-01T16:29:59Z')).toBe('2')
    expect(on('2026-03-01T16:30:00Z')).toBe('1')
    expect(on('2026-03-02T00:29:59Z')).toBe('1')
    expect(on('2026-03-02T00:30:00Z')).toBe('2')
  })

  it('is one of two at every instant: the other hours leave out none and add none', () => {
    const instants = fc.integer({ min: parseInstant('2026-01-01'), max: parseInstant('2030-01-01') })
    fc.assert(
      fc.property(instants, (instant) => {
        expect(['1', '2']).toContain(chargeAt(instant)?.unitPrice)
      }),
    )
  })

  it.each<[string, object, object]>([
    ['windows must be a list', { windows: [] }, {}],
    ['"1:00-4:00" is not a window', { windows: ['1:00-4:00'] }, {}],
    ['"25:00-26:00" is not a window', { windows: ['25:00-26:00'] }, {}],
    ['days must be "all" or "Mon-Fri"', { days: 'Sun' }, {}],
    ['time_zone must be the name of a zone', { time_zone: 'somewhere' }, {}],
    ['"all other hours" needs resolved.windowsOtherThan', { windows: 'all other hours' }, {}],
    ['holidays need resolved.calendar', {}, { calendar: 'another' }],
  ])('is refused where it cannot be read: %s', (why, attributes, resolved) => {
    expect(() => bookOf(row('1', { ...band, ...attributes }, { calendar: 'holidays', ...resolved }))).toThrow(
      why,
    )
  })

  it('of an unknown zone is told when a call first asks for it', () => {
    const unknown = bookOf(row('1', { ...band, time_zone: 'Nowhere/Land' }, { calendar: 'holidays' }))
    expect(() => chargeAt(parseInstant('2026-11-23'), unknown)).toThrow('time zone "Nowhere/Land"')
  })

  it('of a malformed calendar is refused, naming it', () => {
    const open = (calendar: unknown) => {
      const file: PriceFile = {
        schema: 'octroi-prices/1',
        provider: 'acme',
        calendars: { calendar },
        prices: [],
      }
      return () => openPriceBook([file])
    }
    expect(open({ days: [], through: '2026-12-31' })).toThrow('Calendar "calendar" of acme: source')
    expect(open({ source: 's', days: ['soon'], through: '2026-12-31' })).toThrow('"soon" is not a day')
  })
})

describe('a wall clock', () => {
  it('shows what the zone shows, also where clocks change', () => {
    const minutes = (text: string) => localTime(parseInstant(text), 'Europe/Paris').minute
    expect(minutes('2026-03-29T00:59:00Z')).toBe(119)
    expect(minutes('2026-03-29T01:00:00Z')).toBe(180)
    expect(localTime(parseInstant('2026-07-01T00:00:00Z'), 'America/St_Johns').minute).toBe(21 * 60 + 30)
    expect(localTime(parseInstant('2026-07-01T00:00:00Z'), 'UTC').minute).toBe(0)
  })
})
