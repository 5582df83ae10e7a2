import { formatPicos, type Picos } from '../money/money.ts'
import type { KeptGroup, Rerated, RerateReport } from '../reports/rerate.ts'
import { formatInstant } from '../time.ts'
import { formatCount } from './reports.ts'
import { type Column, formatTable } from './table.ts'

/** How many adjustments people are shown. */
export const shownMax = 20

/** A re-rating for people: by model the cost before, the adjustments and the cost after; the first adjustments, each
 * charge of them; and what keeps its price. */
export const rerateTable = (
  report: RerateReport,
  first: readonly Rerated[],
  { color }: { readonly color: boolean },
): string => {
  if (report.groups.length === 0) return 'Nothing was spent in this period.\n'
  return [
    groupsTable(report, color),
    ...(first.length === 0 ? [] : [changesTable(report, first, color)]),
    ...(report.kept.length === 0 ? [] : [keptTable(report.kept, color)]),
  ].join('\n')
}

const right = (title: string): Column => ({ title, align: 'right' })

const groupsTable = ({ groups, totals }: RerateReport, color: boolean): string => {
  const line = (names: readonly string[], sums: RerateReport['totals'][number]): readonly string[] => [
    ...names,
    ...[sums.calls, sums.lines, sums.adjusted].map(formatCount),
    ...[sums.before, sums.difference, sums.after].map(formatPicos),
    sums.currency,
  ]
  return formatTable(
    [
      ...[{ title: 'provider' }, { title: 'model' }],
      ...['calls', 'imported', 'adjusted', 'before', 'adjustments', 'after'].map(right),
      { title: '' },
    ],
    groups.map((group) => line([group.provider, group.model ?? '(none)'], group)),
    { color, totals: totals.map((total) => line(['total', ''], total)) },
  )
}

const changesTable = ({ totals }: RerateReport, first: readonly Rerated[], color: boolean): string => {
  const all = totals.reduce((sum, { adjusted }) => sum + adjusted, 0)
  const amount = (charge: { readonly amount: Picos } | null): string =>
    charge === null ? '-' : formatPicos(charge.amount)
  const rows = first.flatMap(({ id, at, changes, currency }) =>
    changes.map(({ meter, was, now }) => [
      ...[formatInstant(at), id, meter, amount(was), amount(now)],
      ...[formatPicos((now?.amount ?? 0n) - (was?.amount ?? 0n)), currency],
    ]),
  )
  const columns = [
    ...[{ title: 'at' }, { title: 'call' }, { title: 'meter' }],
    ...['was', 'now', 'difference'].map(right),
    { title: '' },
  ]
  const more = all - first.length
  return `${formatTable(columns, rows, { color })}${more > 0 ? `and ${formatCount(more)} more: --json lists all.\n` : ''}`
}

const reasons = {
  vendor_stated: 'the vendor stated the price',
  unknown_row: 'no book at hand has the row that priced it',
  not_recovered: 'the ledger does not tell what selected the price',
  no_price: 'the corrected book has no price for it',
  accrued: 'no entry corrects what time alone came to',
  closed: 'the period is closed',
} as const satisfies Record<KeptGroup['why'], string>

const keptTable = (kept: readonly KeptGroup[], color: boolean): string =>
  `Left as it is:\n\n${formatTable(
    [
      ...['provider', 'model', 'meter'].map((title) => ({ title })),
      right('times'),
      ...['such as', 'why'].map((title) => ({ title })),
    ],
    kept.map(({ provider, model, meter, count, example, why }) => [
      ...[provider, model ?? '(none)', meter, formatCount(count), example, reasons[why]],
    ]),
    { color },
  )}`
