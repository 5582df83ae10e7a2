import { describe, expect, it } from 'vitest'
import { parseDecimal } from '../money/rational.ts'
import { drawSteps, drawTimeAxis } from './step-plot.ts'

const day = 86_400_000

const step = (from: number, to: number | null, level: string) => ({
  from: from * day,
  to: to === null ? null : to * day,
  level: parseDecimal(level),
  label: level,
})

const frame = { start: 0, end: 20 * day, now: 20 * day, width: 20 }

const draw = (...steps: readonly ReturnType<typeof step>[]): string => drawSteps(steps, frame).join('\n')

describe('a step plot', () => {
  it('falls and rises at the day of the change, the dearest on top', () => {
    expect(draw(step(0, 5, '10'), step(5, 12, '2.5'), step(12, null, '4'))).toBe(
      ['  10 ┤─────╮', '   4 ┤     │      ╭───────', ' 2.5 ┤     ╰──────╯'].join('\n').replaceAll(/^ /gm, ''),
    )
  })

  it('draws nothing where nothing holds', () => {
    expect(draw(step(0, 5, '1'), step(10, 15, '1'))).toBe('1 ┤─────     ─────')
  })

  it('keeps a step that is shorter than a column', () => {
    expect(draw(step(3, 3.01, '7'))).toBe('7 ┤   ─')
  })

  it('dots what is still to come', () => {
    const lines = drawSteps([step(0, 10, '2'), step(10, null, '1')], { ...frame, now: 5 * day })
    expect(lines).toEqual(['2 ┤─────╌╌╌╌╌╮', '1 ┤          ╰╌╌╌╌╌╌╌╌╌'])
  })

  it('marks the first and the last date, and others where they fit', () => {
    const axis = (...days: readonly number[]) =>
      drawTimeAxis(
        days.map((at) => ({ at: at * day, label: `day ${at}` })),
        { ...frame, width: 26 },
        2,
      )
    expect(axis(0, 1, 8, 19, 20)).toEqual([
      '   └┬─────────┬──────────────┬',
      '    day 0     day 8     day 20',
    ])
  })
})
