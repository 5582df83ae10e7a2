import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatInstant, parseInstant } from '../time.ts'
import { type CalendarWindow, calendars, windowOf } from './window.ts'

const periodOf = (window: CalendarWindow, at: string) => {
  const { start, end } = windowOf(window, parseInstant(at))
  return [formatInstant(start), end === null ? null : formatInstant(end)]
}
const monthOf = (timeZone: string, at: string) => periodOf({ calendar: 'month', timeZone }, at)

describe('a calendar month', () => {
  it('in UTC goes from first midnight to first midnight', () => {
    const november = ['2023-11-01T00:00:00Z', '2023-12-01T00:00:00Z']
    expect(monthOf('UTC', '2023-11-15T12:00:00Z')).toEqual(november)
    expect(monthOf('UTC', '2023-11-01T00:00:00Z')).toEqual(november)
    expect(monthOf('UTC', '2023-11-30T23:59:59.999Z')).toEqual(november)
  })

  it('of March in Paris is an hour short, of October an hour long', () => {
    expect(monthOf('Europe/Paris', '2024-03-20')).toEqual(['2024-02-29T23:00:00Z', '2024-03-31T22:00:00Z'])
    expect(monthOf('Europe/Paris', '2024-10-20')).toEqual(['2024-09-30T22:00:00Z', '2024-10-31T23:00:00Z'])
  })

  it('of November in New York ends in winter time', () => {
    expect(monthOf('America/New_York', '2024-11-20')).toEqual([
      '2024-11-01T04:00:00Z',
      '2024-12-01T05:00:00Z',
    ])
  })

  it('of February has its 29th in a leap year', () => {
    expect(monthOf('UTC', '2024-02-29T23:59:59Z')).toEqual(['2024-02-01T00:00:00Z', '2024-03-01T00:00:00Z'])
  })

  it('begins at one o’clock where the clock jumps over midnight of the first', () => {
    // Asunción left 00:00 for 01:00 on 1 October 2017.
    expect(monthOf('America/Asuncion', '2017-10-15')[0]).toBe('2017-10-01T04:00:00Z')
  })

  it('keeps the hour that is repeated after it began', () => {
    // St. John's went from 00:01 on 1 November 2009 back to 23:01 on 31 October.
    const november = ['2009-11-01T02:30:00Z', '2009-12-01T03:30:00Z']
    expect(monthOf('America/St_Johns', '2009-11-01T02:30:00Z')).toEqual(november)
    expect(monthOf('America/St_Johns', '2009-11-01T03:00:00Z')).toEqual(november)
    expect(monthOf('America/St_Johns', '2009-11-01T02:29:59Z')[1]).toBe('2009-11-01T02:30:00Z')
  })
})

describe('a month that begins on another day', () => {
  const from = (anchorDay: number, at: string, timeZone = 'UTC') =>
    periodOf({ calendar: 'month', timeZone, anchorDay }, at).map((each) => each?.slice(0, 10))

  it('goes from that day to that day', () => {
    expect(from(15, '2023-11-14T23:59:59Z')).toEqual(['2023-10-15', '2023-11-15'])
    expect(from(15, '2023-11-15')).toEqual(['2023-11-15', '2023-12-15'])
  })

  it('of the 31st begins on the last day of every month', () => {
    expect(from(31, '2024-02-10')).toEqual(['2024-01-31', '2024-02-29'])
    expect(from(31, '2024-02-29')).toEqual(['2024-02-29', '2024-03-31'])
    expect(from(31, '2023-02-28')).toEqual(['2023-02-28', '2023-03-31'])
    expect(from(31, '2023-04-30')).toEqual(['2023-04-30', '2023-05-31'])
    expect(from(30, '2023-03-01')).toEqual(['2023-02-28', '2023-03-30'])
  })

  it('begins at midnight of its zone', () => {
    expect(periodOf({ calendar: 'month', timeZone: 'Europe/Paris', anchorDay: 31 }, '2024-03-31')).toEqual([
      '2024-03-30T23:00:00Z',
      '2024-04-29T22:00:00Z',
    ])
  })
})

describe('other calendar windows', () => {
  it('are a day of 23 or 25 hours where the clock is changed', () => {
    const paris = { calendar: 'day', timeZone: 'Europe/Paris' } as const
    expect(periodOf(paris, '2024-03-31T12:00:00Z')).toEqual(['2024-03-30T23:00:00Z', '2024-03-31T22:00:00Z'])
    expect(periodOf(paris, '2024-10-27T12:00:00Z')).toEqual(['2024-10-26T22:00:00Z', '2024-10-27T23:00:00Z'])
    const newYork = { calendar: 'day', timeZone: 'America/New_York' } as const
    expect(periodOf(newYork, '2024-03-10T12:00:00Z')).toEqual([
      '2024-03-10T05:00:00Z',
      '2024-03-11T04:00:00Z',
    ])
    expect(periodOf(newYork, '2024-11-03T12:00:00Z')).toEqual([
      '2024-11-03T04:00:00Z',
      '2024-11-04T05:00:00Z',
    ])
  })

  it('are an hour, also the one that comes twice', () => {
    const paris = { calendar: 'hour', timeZone: 'Europe/Paris' } as const
    expect(periodOf(paris, '2024-10-27T00:30:00Z')).toEqual(['2024-10-27T00:00:00Z', '2024-10-27T01:00:00Z'])
    expect(periodOf(paris, '2024-10-27T01:30:00Z')).toEqual(['2024-10-27T01:00:00Z', '2024-10-27T02:00:00Z'])
    const kathmandu = { calendar: 'hour', timeZone: 'Asia/Kathmandu' } as const
    expect(periodOf(kathmandu, '2024-05-01T10:20:00Z')[0]).toBe('2024-05-01T10:15:00Z')
  })

  it('are a week from Monday, a quarter and a year', () => {
    expect(periodOf({ calendar: 'week', timeZone: 'UTC' }, '2023-11-19T23:00:00Z')).toEqual([
      '2023-11-13T00:00:00Z',
      '2023-11-20T00:00:00Z',
    ])
    expect(periodOf({ calendar: 'quarter', timeZone: 'UTC' }, '2023-11-19')).toEqual([
      '2023-10-01T00:00:00Z',
      '2024-01-01T00:00:00Z',
    ])
    expect(periodOf({ calendar: 'year', timeZone: 'UTC', anchorDay: 6 }, '2024-01-05')).toEqual([
      '2023-01-06T00:00:00Z',
      '2024-01-06T00:00:00Z',
    ])
  })

  it('are everything, without an end', () => {
    expect(windowOf({ calendar: 'total', timeZone: 'UTC' }, parseInstant('2023-11-15'))).toEqual({
      start: 0,
      end: null,
    })
  })
})

it('every window holds its instants, and the next begins where it ends', () => {
  const zone = fc.constantFrom(
    ...['UTC', 'Europe/Paris', 'America/New_York', 'America/St_Johns', 'America/Havana', 'Asia/Kathmandu'],
    ...['America/Asuncion', 'Pacific/Apia', 'Australia/Lord_Howe', 'Africa/Casablanca'],
  )
  const calendar = fc.constantFrom(...calendars.filter((each) => each !== 'total'))
  const at = fc.integer({ min: parseInstant('1995-01-01'), max: parseInstant('2040-01-01') })
  fc.assert(
    fc.property(
      zone,
      calendar,
      fc.integer({ min: 1, max: 31 }),
      at,
      (timeZone, calendar, anchorDay, instant) => {
        const window = { calendar, timeZone, anchorDay }
        const { start, end } = windowOf(window, instant)
        if (end === null) throw new Error('no end')
        expect(start <= instant && instant < end).toBe(true)
        expect(windowOf(window, end).start).toBe(end)
        expect(windowOf(window, start)).toEqual({ start, end })
        expect(windowOf(window, end - 1)).toEqual({ start, end })
      },
    ),
    { numRuns: 500 },
  )
})
