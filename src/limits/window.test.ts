import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatInstant, parseInstant } from '../time.ts'
import { windowOf } from './window.ts'

const monthOf = (timeZone: string, at: string) => {
  const { start, end } = windowOf({ calendar: 'month', timeZone }, parseInstant(at))
  return [formatInstant(start), formatInstant(end)]
}

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

  it('holds every instant, and the next month begins where it ends', () => {
    const zone = fc.constantFrom(
      ...['UTC', 'Europe/Paris', 'America/New_York', 'America/St_Johns', 'America/Havana', 'Asia/Kathmandu'],
      ...['America/Asuncion', 'Pacific/Apia', 'Australia/Lord_Howe', 'Africa/Casablanca'],
    )
    const at = fc.integer({ min: parseInstant('1995-01-01'), max: parseInstant('2040-01-01') })
    fc.assert(
      fc.property(zone, at, (timeZone, instant) => {
        const { start, end } = windowOf({ calendar: 'month', timeZone }, instant)
        expect(start <= instant && instant < end).toBe(true)
        expect(windowOf({ calendar: 'month', timeZone }, end).start).toBe(end)
        expect(windowOf({ calendar: 'month', timeZone }, start)).toEqual({ start, end })
        expect(windowOf({ calendar: 'month', timeZone }, end - 1)).toEqual({ start, end })
      }),
      { numRuns: 300 },
    )
  })
})
