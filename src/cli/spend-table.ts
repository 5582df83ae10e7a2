import { formatPicos } from '../money/money.ts'
import { formatShare, shareOf } from '../reports/share.ts'
import type { SpendGroup, SpendReport } from '../reports/spend.ts'
import { formatCount, formatQuantity } from './reports.ts'
import { type Column, formatTable } from './table.ts'

/** A spend report as a table for people: a line for each group, and below a rule the total of each currency. */
export const spendTable = (report: SpendReport, { color }: { readonly color: boolean }): string => {
  const isByMeter = report.by.includes('meter')
  const isIncomplete = report.totals.some(({ unpricedMeters }) => unpricedMeters.length > 0)
  const isPromoted = report.totals.some(({ amount, list }) => list !== amount)
  const figures = [
    ...(isByMeter ? meterFigures : callFigures),
    ...costFigures,
    ...(isPromoted ? [listFigure] : []),
    ...shareFigures,
    ...(isByMeter ? [] : resentFigures),
    ...(isIncomplete ? [unpricedFigure] : []),
  ]
  const line = (names: readonly string[], group: SpendGroup): readonly string[] => [
    ...names,
    ...figures.map(({ cell }) => cell(group)),
  ]
  const columns = [...report.by.map((title) => ({ title })), ...figures]
  const groups = report.groups.map((group) => line(shownNames(report, group), group))
  const totals = report.totals.map((total) =>
    line(
      report.by.map((_, index) => (index === 0 ? 'total' : '')),
      total,
    ),
  )
  return formatTable(columns, groups, { color, totals })
}

type Figure = Column & { readonly cell: (group: SpendGroup) => string }

const figure = (title: string, cell: Figure['cell'], align: 'left' | 'right' = 'right'): Figure => ({
  title,
  align,
  cell,
})

const callFigures: readonly Figure[] = [
  figure('calls', ({ calls }) => formatCount(calls ?? 0)),
  figure('input', ({ inputTokens }) => formatCount(inputTokens)),
  figure('re-sent', ({ inputTokens, resent }) =>
    formatShare(shareOf(BigInt(resent?.tokens ?? 0), inputTokens)),
  ),
  figure('output', ({ outputTokens }) => formatCount(outputTokens)),
]

const meterFigures: readonly Figure[] = [
  figure('quantity', ({ quantity }) => (quantity === null ? '-' : formatQuantity(quantity.amount))),
  figure('unit', ({ quantity }) => quantity?.unit ?? '', 'left'),
]

const costFigures: readonly Figure[] = [
  figure('cost', ({ amount }) => formatPicos(amount)),
  figure('', ({ currency }) => currency, 'left'),
]

const shareFigures: readonly Figure[] = [
  figure('share', ({ share }) => formatShare(share)),
  figure('estimated', ({ basis, amount }) => formatShare(shareOf(basis.estimated, amount))),
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
