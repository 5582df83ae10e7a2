import { formatPicos, type Picos } from '../money/money.ts'
import { createFormat } from '../reports/bill/format.ts'
import type { BillReport, BillState } from '../reports/bill.ts'
import { meanPriceOf } from '../reports/bill-price.ts'
import { formatShare, shareOf } from '../reports/share.ts'
import type { SpendReport } from '../reports/spend.ts'
import type { SpendGroup } from '../reports/spend-group.ts'
import { formatInstant } from '../time.ts'
import { formatCount, formatQuantity } from './reports.ts'
import { type Column, formatTable } from './table.ts'

/** A bill for people at a terminal: its total against the period before, and its lists, each with the same total. */
export const billTable = (bill: BillReport, { color }: { readonly color: boolean }): string => {
  const { from, to, timeZone, total, before, by } = bill
  const head = `Bill from ${formatInstant(from)} to ${formatInstant(to)} (${timeZone}): ${states[bill.state]}.\n`
  if (total.totals.length === 0) return `${head}Nothing was spent in this period.\n`
  const sums = total.totals.map((group) => sumLine(group, formatInstant(before.from)))
  const lists = [
    list([by], bill.groups, total, color),
    list(['provider', 'model'], bill.models, total, color),
    meters(bill, color),
    list(['key'], bill.keys, total, color),
  ]
  return [head, ...sums, ...lists.flatMap((text) => ['\n', text])].join('')
}

const states: Readonly<Record<BillState, string>> = {
  running: 'provisional, the period still runs',
  ended: 'ended, not closed',
  closed: 'closed',
}

const sumLine = ({ amount, currency, change, calls, basis, resent }: SpendGroup, before: string): string => {
  const sure = formatShare(shareOf(basis.measured + basis.reconciled, amount))
  const parts = change ?? { before: 0n, delta: 0n, price: 0n, volume: 0n, mix: 0n }
  const why = `by price ${signed(parts.price)}, volume ${signed(parts.volume)}, mix ${signed(parts.mix)}`
  return [
    `Total ${formatPicos(amount)} ${currency} for ${formatCount(calls ?? 0)} calls; ${sure} measured or reconciled.\n`,
    `From ${before} on, the period before came to ${formatPicos(parts.before)}: ${signed(parts.delta)} (${why}).\n`,
    `History sent again: ${formatPicos(resent?.amount ?? 0n)} (${formatShare(resent?.share ?? null)}).\n`,
  ].join('')
}

const signed = (amount: Picos): string => `${amount > 0n ? '+' : ''}${formatPicos(amount)}`

const figures: readonly (Column & { readonly cell: (group: SpendGroup) => string })[] = [
  { title: 'calls', align: 'right', cell: ({ calls }) => (calls === null ? '-' : formatCount(calls)) },
  { title: 'before', align: 'right', cell: ({ change }) => formatPicos(change?.before ?? 0n) },
  { title: 'change', align: 'right', cell: ({ change }) => signed(change?.delta ?? 0n) },
  { title: 'cost', align: 'right', cell: ({ amount }) => formatPicos(amount) },
  { title: '', cell: ({ currency }) => currency },
  { title: 'share', align: 'right', cell: ({ share }) => formatShare(share) },
]

const list = (
  titles: readonly string[],
  report: SpendReport,
  { totals }: SpendReport,
  color: boolean,
): string => {
  const line = (names: readonly (string | null)[], group: SpendGroup): readonly string[] => [
    ...titles.map((_, index) => names[index] ?? '(none)'),
    ...figures.map(({ cell }) => cell(group)),
  ]
  const titled = (name: string): readonly string[] => titles.map((_, index) => (index === 0 ? name : ''))
  return formatTable(
    [...titles.map((title) => ({ title })), ...figures],
    [
      ...report.groups.map((group) => line(group.names, group)),
      ...report.others.map((group) => line(titled(`(${formatCount(group.count)} others)`), group)),
    ],
    { color, totals: totals.map((group) => line(titled('total'), group)) },
  )
}

const meters = ({ meters: report, timeZone }: BillReport, color: boolean): string => {
  const { price } = createFormat('en', timeZone)
  return formatTable(
    [
      ...['provider', 'model', 'meter'].map((title) => ({ title })),
      ...(['quantity', 'mean price'] as const).map((title) => ({ title, align: 'right' as const })),
      { title: 'per' },
      { title: 'cost', align: 'right' },
      { title: '' },
    ],
    [
      ...report.groups.map((group) => {
        const mean = meanPriceOf(group)
        return [
          ...group.names.map((name) => name ?? '(none)'),
          group.quantity === null ? '-' : formatQuantity(group.quantity.amount),
          mean === null ? '-' : price(mean.price, group.currency),
          mean === null ? '' : mean.per === 1n ? mean.unit : `1M ${mean.unit}s`,
          formatPicos(group.amount),
          group.currency,
        ]
      }),
      ...report.others.map(({ count, amount, currency }) => [
        ...[`(${formatCount(count)} others)`, '', '', '-', '-', '', formatPicos(amount), currency],
      ]),
    ],
    { color },
  )
}
