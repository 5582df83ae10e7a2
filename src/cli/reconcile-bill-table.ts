import { formatPicos, type Picos } from '../money/money.ts'
import { format, type Rational } from '../money/rational.ts'
import {
  type GapAmount,
  type ReconciledCell,
  type ReconciledTotal,
  signedAmount,
} from '../reports/reconciliation.ts'
import type { ClosedBill, ReconciliationReport } from '../reports/reconciliation-json.ts'
import { gapKinds } from '../reports/reconciliation-money.ts'
import { formatInstant, type Instant } from '../time.ts'
import { formatQuantity } from './reports.ts'
import { formatTable } from './table.ts'

type Look = { readonly color: boolean }

const cellsMax = 100

/** A reconciliation for people: what differs and why, first in quantity, then in money; each cause in words; and what
 * was closed. */
export const reconciliationTable = (report: ReconciliationReport, look: Look): string => {
  if (report.billLines === 0) return `The ledger has no bill of ${report.provider} for these days.\n`
  const differing = report.cells.filter(({ kind }) => kind !== null)
  const shown = differing.slice(0, cellsMax)
  const more = differing.length - shown.length
  const agree = report.cells.length - differing.length
  return [
    `${agree} of ${report.cells.length} cells agree, in quantity and to the last unit of money.\n`,
    ...(shown.length === 0 ? [] : ['\n', quantities(shown, look), '\n', money(shown, look)]),
    ...(more > 0 ? [`and ${more} more: --json lists all.\n`] : []),
    ...report.totals.map((total) => `\n${totalTable(total, look)}`),
    ...(report.closed.length === 0 ? [] : [`\n${closedTable(report.closed, look)}`]),
  ].join('')
}

/** Closed periods: what each came to when it was closed, what was corrected since, and what it comes to now. */
export const closedTable = (closed: readonly ClosedBill[], look: Look): string => {
  if (closed.length === 0) return 'No period is closed.\n'
  const columns = [
    ...['closed period', 'bill of', 'closed on'].map((title) => ({ title })),
    ...['closed at', 'corrected since', 'now'].map(right),
    ...['', 'note'].map((title) => ({ title })),
  ]
  const rows = closed.flatMap(({ provider, from, to, at, note, totals }) =>
    (totals.length === 0 ? [{ currency: '', closed: 0n, now: 0n }] : totals).map((total) => [
      `${dayText(from)} to ${dayText(to)}`,
      ...[provider ?? 'all', dayText(at), formatPicos(total.closed), signedAmount(total.now - total.closed)],
      ...[formatPicos(total.now), total.currency, note ?? ''],
    ]),
  )
  return formatTable(columns, rows, look)
}

const right = (title: string) => ({ title, align: 'right' as const })

const dayText = (at: Instant): string => formatInstant(at).slice(0, 10)

const placeOf = ({ day, model, project, meter, lineItem }: ReconciledCell): readonly string[] => [
  dayText(day),
  [model ?? '(any model)', ...(project === null ? [] : [project])].join(', '),
  meter ?? `"${lineItem ?? ''}"`,
]

const places = ['day', 'model', 'meter'].map((title) => ({ title }))

const quantities = (cells: readonly ReconciledCell[], look: Look): string => {
  const columns = [
    ...places,
    ...['requests', 'ledger', 'quantity', 'ledger'].map(right),
    { title: 'because' },
  ]
  const amount = (quantity: Rational | null): string =>
    quantity === null ? 'not said' : formatQuantity(quantity)
  const rows = cells.map((cell) => [
    ...placeOf(cell),
    ...(cell.requests === null
      ? ['', '']
      : [`${cell.requests.vendor ?? 'not said'}`, `${cell.requests.ledger}`]),
    ...[
      amount(cell.quantity.vendor),
      format(cell.quantity.ledger) === '0' ? '0' : amount(cell.quantity.ledger),
    ],
    cell.because ?? '',
  ])
  return formatTable(columns, rows, look)
}

const money = (cells: readonly ReconciledCell[], look: Look): string => {
  const columns = [...places, ...['billed', 'ledger', 'gap'].map(right), { title: '' }, { title: 'cause' }]
  const row = (cell: ReconciledCell, { vendor, ledger, gap, currency, converted }: GapAmount) => [
    ...placeOf(cell),
    ...[formatPicos(vendor), formatPicos(ledger), signedAmount(gap)],
    converted === null ? currency : `${currency} (${formatPicos(converted.amount)} ${converted.currency})`,
    cell.kind ?? '',
  ]
  return formatTable(
    columns,
    cells.flatMap((cell) => cell.amounts.map((amount) => row(cell, amount))),
    look,
  )
}

const totalTable = ({ currency, vendor, ledger, gap, parts }: ReconciledTotal, look: Look): string => {
  const line = (name: string, amount: Picos, cells: string, meaning: string) => [
    ...[name, signedAmount(amount), cells, meaning],
  ]
  return formatTable(
    [{ title: currency }, right('amount'), right('cells'), { title: '' }],
    [
      ['the vendor billed', formatPicos(vendor), '', ''],
      ['the ledger has', formatPicos(ledger), '', ''],
      ...parts.map(({ kind, amount, cells }) => line(kind, amount, `${cells}`, gapKinds[kind])),
    ],
    { ...look, totals: [line('gap', gap, '', '')] },
  )
}
