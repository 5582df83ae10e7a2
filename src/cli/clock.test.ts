import { describe, expect, it } from 'vitest'
import { formatInstant } from '../time.ts'
import { clockFrom } from './clock.ts'

const noon = Date.UTC(2026, 10, 24, 12)

/** A machine whose two ways of telling time are moved by hand. */
const machine = () => {
  const state = { wall: noon, elapsed: 5000 }
  return { state, time: { wall: () => state.wall, elapsed: () => state.elapsed } }
}

describe('the clock', () => {
  it("is the machine's own when nothing is said, and follows it when it is set anew", () => {
    const { state, time } = machine()
    const clock = clockFrom(undefined, time)
    expect(formatInstant(clock.now())).toBe('2026-11-24T12:00:00Z')
    state.wall += 3_600_000
    expect(formatInstant(clock.now())).toBe('2026-11-24T13:00:00Z')
  })

  it('starts at an instant and runs, whatever happens to the wall clock', () => {
    const { state, time } = machine()
    const clock = clockFrom('2023-11-15T12:00:00Z', time)
    state.elapsed += 1500.75
    state.wall -= 3_600_000
    expect(formatInstant(clock.now())).toBe('2023-11-15T12:00:01.500Z')
    expect(formatInstant(clockFrom('2023-11-15,running', time).now())).toBe('2023-11-15T00:00:00Z')
  })

  it('stands still when fixed', () => {
    const { state, time } = machine()
    const clock = clockFrom('2023-11-15,fixed', time)
    state.elapsed += 60_000
    expect(formatInstant(clock.now())).toBe('2023-11-15T00:00:00Z')
  })

  it.each(['', 'yesterday', '2023-11-31', '2023-11-15,stopped', '2023-11-15,fixed,fixed', ',fixed'])(
    'refuses %j as a bad instant',
    (text) => {
      expect(() => clockFrom(text)).toThrow(expect.objectContaining({ code: 'bad_instant' }))
    },
  )
})
