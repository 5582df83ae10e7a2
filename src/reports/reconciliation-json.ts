import type { ClosedRow } from '../ledger/reading.ts'
import { formatPicos, type Picos } from '../money/money.ts'
import { format } from '../money/rational.ts'
import { formatInstant, type Instant } from '../time.ts'
import type { GapAmount, ReconciledCell, Reconciliation } from './reconciliation.ts'
import { gapKinds } from './reconciliation-money.ts'

/** A reconciliation with what it is of. */
export type ReconciliationReport = Reconciliation & {
  readonly provider: string
  readonly account: string | null
  readonly from: Instant
  readonly to: Instant
  /** Lines of the imported bill. Without any nothing was matched. */
  readonly billLines: number
  readonly closed: readonly ClosedBill[]
}

/** A closed period of the bill: what the ledger came to then and comes to now. What was corrected since is the
 * difference: the sum of all entries since. */
export type ClosedBill = Pick<ClosedRow, 'at' | 'provider' | 'from' | 'to' | 'note'> & {
  readonly totals: readonly { readonly currency: string; readonly closed: Picos; readonly now: Picos }[]
}

/** A reconciliation as JSON: `octroi-reconciliation/1`. */
export const reconciliationJson = (report: ReconciliationReport): object => ({
  schema: 'octroi-reconciliation/1',
  ...{ provider: report.provider, account: report.account },
  ...{ from: formatInstant(report.from), to: formatInstant(report.to) },
  billLines: report.billLines,
  explained: report.isExplained,
  totals: report.totals.map(({ currency, vendor, ledger, gap, parts }) => ({
    currency,
    ...{ vendor: formatPicos(vendor), ledger: formatPicos(ledger), gap: formatPicos(gap) },
    parts: parts.map(({ kind, cells, amount }) => ({
      kind,
      meaning: gapKinds[kind],
      cells,
      amount: formatPicos(amount),
    })),
  })),
  cells: report.cells.map(cellJson),
  closed: report.closed.map(closedJson),
})

/** A closed period as JSON. */
export const closedJson = ({ at, provider, from, to, totals, note }: ClosedBill) => ({
  provider,
  ...{ from: formatInstant(from), to: formatInstant(to), closedAt: formatInstant(at), note },
  totals: totals.map(({ currency, closed, now }) => ({
    currency,
    ...{ closed: formatPicos(closed), corrected: formatPicos(now - closed), now: formatPicos(now) },
  })),
})

const cellJson = (cell: ReconciledCell): object => {
  const { day, project, model, meter, lineItem, requests, quantity, amounts, kind, because } = cell
  return {
    day: formatInstant(day).slice(0, 10),
    ...{ project, model, meter, lineItem, requests },
    quantity: {
      vendor: quantity.vendor === null ? null : format(quantity.vendor),
      ledger: format(quantity.ledger),
    },
    amounts: amounts.map(amountJson),
    ...{ kind, because },
  }
}

const amountJson = ({ currency, vendor, ledger, gap, converted }: GapAmount): object => ({
  currency,
  ...{ vendor: formatPicos(vendor), ledger: formatPicos(ledger), gap: formatPicos(gap) },
  ...(converted !== null && {
    converted: {
      ...{ currency: converted.currency, amount: formatPicos(converted.amount) },
      ...{ rate: format(converted.rate.factor), date: converted.rate.date },
    },
  }),
})
