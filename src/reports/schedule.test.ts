import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createSchedule } from './schedule.ts'

describe('a schedule', () => {
  it('does what is due, the earliest first, and keeps the rest', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1_000), { maxLength: 60 }), fc.nat(1_000), (instants, until) => {
        const schedule = createSchedule()
        const done: number[] = []
        for (const at of instants) schedule.put(at, () => done.push(at))
        schedule.runUntil(until)
        const sorted = [...instants].sort((a, b) => a - b)
        expect(done).toEqual(sorted.filter((at) => at <= until))
        schedule.runUntil(1_000)
        expect(done).toEqual(sorted)
      }),
    )
  })
})
