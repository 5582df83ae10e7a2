import { formatPicos } from '../money/money.ts'
import { rational } from '../money/rational.ts'
import type { PricedTurn } from '../planning/plan-cost.ts'

/** Draws what each turn of a conversation costs, or each of other things that are named: a column for each, or for as
 * many as fit one after the other, as high as the dearest of them; the part that sending history again adds is
 * shaded. Nothing where a turn has no price. */
export const drawTurns = (
  turns: readonly DrawnTurn[],
  {
    currency,
    width = 60,
    height = 8,
    each = 'turn',
  }: {
    readonly currency: string
    readonly width?: number
    readonly height?: number
    readonly each?: string
  },
): readonly string[] => {
  const columns = columnsOf(turns, width)
  const dearest = columns.reduce((most, column) => (column.cost > most.cost ? column : most), nothing).cost
  if (dearest === 0n) return []
  const top = `${formatPicos(dearest)} ${currency}`
  const rows = Array.from({ length: height }, (_, row) => {
    const floor = height - 1 - row
    const line = columns.map(({ cost, free }) => cellOf({ cost, free, dearest, height, floor })).join('')
    return `${(row === 0 ? top : row === height - 1 ? '0' : '').padStart(top.length)} ┤${line}`.trimEnd()
  })
  const [first, last] = [`${each} 1`, `${each} ${turns.length}`]
  const axis =
    turns.length === 1
      ? first
      : `${first}${last.padStart(Math.max(last.length + 1, columns.length - first.length))}`
  return [
    ...rows,
    `${' '.repeat(top.length)} └${'─'.repeat(columns.length)}`,
    `${' '.repeat(top.length)}  ${axis}`,
    `${' '.repeat(top.length)}  █ what is new  ░ history sent again`,
  ]
}

/** What is drawn of a turn. */
export type DrawnTurn = Pick<PricedTurn, 'cost' | 'costWithoutHistory'>

type TurnColumn = { readonly cost: bigint; readonly free: bigint }

/** The dearest turn of each stretch, where there are more turns than columns. */
const columnsOf = (turns: readonly DrawnTurn[], width: number): readonly TurnColumn[] => {
  const priced = turns.flatMap(({ cost, costWithoutHistory }) =>
    cost === null || costWithoutHistory === null ? [] : [{ cost, free: costWithoutHistory }],
  )
  if (priced.length < turns.length) return []
  const repeat = Math.max(1, Math.floor(width / turns.length))
  if (turns.length <= width) return priced.flatMap((column) => Array.from({ length: repeat }, () => column))
  return Array.from({ length: width }, (_, column) => {
    const from = Math.floor((column * turns.length) / width)
    const to = Math.floor(((column + 1) * turns.length) / width)
    return priced.slice(from, to).reduce((most, each) => (each.cost > most.cost ? each : most), nothing)
  })
}

const nothing: TurnColumn = { cost: 0n, free: 0n }

/** The sign of one cell: a column reaches into it where it passes the middle of it. */
const cellOf = ({
  cost,
  free,
  dearest,
  height,
  floor,
}: TurnColumn & { readonly dearest: bigint; readonly height: number; readonly floor: number }): string => {
  const middle = rational((2n * BigInt(floor) + 1n) * dearest, 2n * BigInt(height))
  const reaches = (amount: bigint): boolean => amount * middle.denominator >= middle.numerator
  if (reaches(free)) return '█'
  return reaches(cost) ? '░' : ' '
}
