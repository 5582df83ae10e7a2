import type { Basis } from '../ledger/entry.ts'
import { formatPicos } from '../money/money.ts'
import { formatShare, shareOf } from '../reports/share.ts'
import type { SpendReport } from '../reports/spend.ts'
import type { SpendChange } from '../reports/spend-change.ts'
import type { SpendGroup } from '../reports/spend-group.ts'
import { formatCount, formatQuantity } from './reports.ts'
import { type Column, formatTable } from './table.ts'

/** A spend report as a table for people: a line for each group, and below a rule the total of each currency. */
export const spendTable = (report: SpendReport, { color }: { readonly color: boolean }): string => {
  const { by, groups, others, totals } = report
  const isCompared = report.before !== null
  const isByMeter = totals.some(({ calls }) => calls === null)
  const isIncomplete = totals.some(({ unpricedMeters }) => unpricedMeters.length > 0)
  const isPromoted = totals.some(({ amount, list }) => list !== amount)
  const figures = [
    ...(isByMeter ? meterFigures : isCompared ? [callsFigure, ...tokenFigures] : callFigures),
    ...costFigures,
    ...(isCompared ? changeFigures : []),
    ...(isPromoted ? [listFigure] : []),
    shareFigure,
    basisFigure('estimated'),
    ...rarerBases.filter((basis) => totals.some((total) => total.basis[basis] !== 0n)).map(basisFigure),
    ...(isByMeter || isCompared ? [] : resentFigures),
    ...(isIncomplete ? [unpricedFigure] : []),
  ]
  const line = (names: readonly string[], group: SpendGroup): readonly string[] => [
    ...names,
    ...figures.map(({ cell }) => cell(group)),
  ]
  const titled = (title: string): readonly string[] => by.map((_, index) => (index === 0 ? title : ''))
  return formatTable(
    [...by.map((title) => ({ title })), ...figures],
    [
      ...groups.map((group) => line(shownNames(report, group), group)),
      ...others.map((group) => line(titled(`(${formatCount(group.count)} others)`), group)),
    ],
    { color, totals: totals.map((total) => line(titled('total'), total)) },
  )
}

type Figure = Column & { readonly cell: (group: SpendGroup) => string }

const figure = (title: string, cell: Figure['cell'], align: 'left' | 'right' = 'right'): Figure => ({
  title,
  align,
  cell,
})

const callsFigure = figure('calls', ({ calls }) => formatCount(calls ?? 0))
const inputFigure = figure('input', ({ inputTokens }) => formatCount(inputTokens))
const outputFigure = figure('output', ({ outputTokens }) => formatCount(outputTokens))
const tokenFigures: readonly Figure[] = [inputFigure, outputFigure]

const callFigures: readonly Figure[] = [
  callsFigure,
  inputFigure,
  figure('re-sent', ({ inputTokens, resent }) =>
    formatShare(shareOf(BigInt(resent?.tokens ?? 0), inputTokens)),
  ),
  outputFigure,
]

const meterFigures: readonly Figure[] = [
  figure('quantity', ({ quantity }) => (quantity === null ? '-' : formatQuantity(quantity.amount))),
  figure('unit', ({ quantity }) => quantity?.unit ?? '', 'left'),
]

const costFigures: readonly Figure[] = [
  figure('cost', ({ amount }) => formatPicos(amount)),
  figure('', ({ currency }) => currency, 'left'),
]

const shareFigure = figure('share', ({ share }) => formatShare(share))

const basisFigure = (name: Basis): Figure =>
  figure(name, ({ basis, amount }) => formatShare(shareOf(basis[name], amount)))

/** Shown where there is any. */
const rarerBases = ['imported', 'reconciled'] as const

const changed = (part: keyof SpendChange, sign: string): Figure['cell'] => {
  return ({ change }) => {
    const amount = change?.[part] ?? 0n
    return `${amount > 0n ? sign : ''}${formatPicos(amount)}`
  }
}

/** Against the period before. */
const changeFigures: readonly Figure[] = [
  figure('before', changed('before', '')),
  figure('change', changed('delta', '+')),
  figure('by price', changed('price', '+')),
  figure('by volume', changed('volume', '+')),
  figure('by mix', changed('mix', '+')),
]

/** What it would be without promotions and discounts. */
const listFigure = figure('list', ({ list }) => formatPicos(list))

const resentFigures: readonly Figure[] = [
  figure('re-sent cost', ({ resent }) => formatPicos(resent?.amount ?? 0n)),
  figure('of cost', ({ resent }) => formatShare(resent?.share ?? null)),
]

const unpricedFigure = figure('without a price', ({ unpricedMeters }) => unpricedMeters.join(', '), 'left')

const shownNames = ({ by }: SpendReport, { names }: SpendGroup): readonly string[] =>
  names.map((name, index) => name ?? (by[index] === 'key' ? '(no key)' : '(none)'))
