import { compare, type Rational } from '../money/rational.ts'
import type { Instant } from '../time.ts'

/** A level that holds from one instant to another; null has no end. `label` names it on the axis. */
export type Step = {
  readonly from: Instant
  readonly to: Instant | null
  readonly level: Rational
  readonly label: string
}

/** What is drawn: from `start` to `end`, in `width` columns; what is after `now` is dotted. */
type Frame = {
  readonly start: Instant
  readonly end: Instant
  readonly now: Instant
  readonly width: number
}

/** Draws a step function with box characters, a line for each level it takes, the highest on top. The levels are named
 * exactly, so distances between them mean nothing; time runs to the right, evenly. Where nothing holds nothing is
 * drawn. Steps must not overlap. */
export const drawSteps = (steps: readonly Step[], frame: Frame): readonly string[] => {
  const levels = levelsOf(steps)
  const rows = levels.map(() => Array.from({ length: frame.width }, () => ' '))
  const ordered = steps.toSorted((a, b) => a.from - b.from)
  ordered.forEach((step, index) => {
    const place = levels.findIndex(({ level }) => compare(level, step.level) === 0)
    const before = ordered[index - 1]
    const meets = before !== undefined && before.to === step.from
    const from = columnOf(step.from, frame)
    draw(rows, { place, from, to: columnOf(step.to ?? frame.end, frame) }, frame)
    if (meets)
      rise(rows, {
        from: levels.findIndex(({ level }) => compare(level, before.level) === 0),
        to: place,
        at: from,
      })
  })
  const margin = Math.max(...levels.map(({ label }) => label.length))
  return rows.map((row, index) =>
    `${(levels[index]?.label ?? '').padStart(margin)} ┤${row.join('')}`.trimEnd(),
  )
}

/** The axis below a plot whose labels are `margin` wide: the first and the last date under their columns, and the
 * others where they fit. */
export const drawTimeAxis = (
  dates: readonly { readonly at: Instant; readonly label: string }[],
  frame: Frame,
  margin: number,
): readonly string[] => {
  const axis = Array.from({ length: frame.width }, () => '─')
  const labels = Array.from({ length: frame.width }, () => ' ')
  const [first, ...later] = dates.toSorted((a, b) => a.at - b.at)
  const last = later.pop()
  for (const date of [first, last, ...later]) {
    if (date === undefined) continue
    const column = Math.min(columnOf(date.at, frame), frame.width - 1)
    const place = Math.max(0, Math.min(column, frame.width - date.label.length))
    const around = labels.slice(Math.max(0, place - labelGap), place + date.label.length + labelGap)
    if (around.some((letter) => letter !== ' ')) continue
    axis[column] = '┬'
    labels.splice(place, date.label.length, ...date.label)
  }
  return [`${' '.repeat(margin)} └${axis.join('')}`, `${' '.repeat(margin)}  ${labels.join('').trimEnd()}`]
}

const labelGap = 2

type Level = { readonly level: Rational; readonly label: string }

const levelsOf = (steps: readonly Step[]): readonly Level[] => {
  const levels: Level[] = []
  for (const { level, label } of steps) {
    if (!levels.some((known) => compare(known.level, level) === 0)) levels.push({ level, label })
  }
  return levels.sort((a, b) => compare(b.level, a.level))
}

const columnOf = (at: Instant, { start, end, width }: Frame): number =>
  Math.max(0, Math.min(width, Math.round(((at - start) / Math.max(1, end - start)) * width)))

type Rows = readonly string[][]

const draw = (
  rows: Rows,
  { place, from, to }: { readonly place: number; readonly from: number; readonly to: number },
  frame: Frame,
): void => {
  const line = rows[place]
  if (line === undefined) return
  const future = columnOf(frame.now, frame)
  for (let column = from; column < Math.max(to, from + 1) && column < frame.width; column += 1) {
    line[column] = column >= future && frame.now < frame.end ? '╌' : '─'
  }
}

/** The line from one level to the next. */
const rise = (
  rows: Rows,
  { from, to, at }: { readonly from: number; readonly to: number; readonly at: number },
): void => {
  if (from === to) return
  const down = from < to
  for (let place = Math.min(from, to); place <= Math.max(from, to); place += 1) {
    const line = rows[place]
    if (line !== undefined && at < line.length) {
      line[at] = place === from ? (down ? '╮' : '╯') : place === to ? (down ? '╰' : '╭') : '│'
    }
  }
}
