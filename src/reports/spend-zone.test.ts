import { describe, expect, it } from 'vitest'
import { parseInstant } from '../time.ts'
import { type TimeDimension, zoneNames } from './spend-zone.ts'

const named = (timeZone: string, dimension: TimeDimension, at: string): string =>
  zoneNames(timeZone).nameOf(dimension, parseInstant(at))

describe('times in a zone', () => {
  it('are those of its own clock', () => {
    expect(named('Europe/Paris', 'day', '2023-11-15T23:30:00Z')).toBe('2023-11-16')
    expect(named('Europe/Paris', 'month', '2023-11-30T23:00:00Z')).toBe('2023-12')
    expect(named('UTC', 'month', '2023-11-30T23:00:00Z')).toBe('2023-11')
  })

  it('have weeks of ISO 8601, of which the first of a year may begin in the year before', () => {
    expect(named('UTC', 'week', '2023-11-15')).toBe('2023-W46')
    expect(named('UTC', 'week', '2024-12-30')).toBe('2025-W01')
  })

  it('tell the hour that the clock repeats from itself', () => {
    expect(named('Europe/Paris', 'hour', '2023-10-29T00:30:00Z')).toBe('2023-10-29T02:00:00+02:00')
    expect(named('Europe/Paris', 'hour', '2023-10-29T01:30:00Z')).toBe('2023-10-29T02:00:00+01:00')
    expect(named('UTC', 'hour', '2023-10-29T01:30:00Z')).toBe('2023-10-29T01:00:00Z')
  })

  it('have a day of 25 hours', () => {
    const paris = zoneNames('Europe/Paris')
    paris.nameOf('day', parseInstant('2023-10-29T12:00:00Z'))
    const { start, end } = paris.periodOf('day', '2023-10-29') ?? { start: 0, end: 0 }
    expect(((end ?? 0) - start) / 3_600_000).toBe(25)
    expect(paris.periodOf('day', '2023-10-30')).toBeNull()
  })

  it('begin where the clock of the zone says, also within an hour of UTC', () => {
    const start = parseInstant('2023-11-15T18:00:00Z')
    const startsIn = (zone: string, hours: number) =>
      zoneNames(zone)
        .startsOf('day', { start, end: start + hours * 3_600_000 })
        .map((at) => new Date(at).toISOString().slice(0, 16))
    expect(startsIn('Asia/Kolkata', 1)).toEqual(['2023-11-14T18:30', '2023-11-15T18:30'])
    expect(startsIn('Europe/Paris', 24)).toEqual(['2023-11-14T23:00', '2023-11-15T23:00'])
  })
})
