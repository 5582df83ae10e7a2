import { z } from 'zod'
import { OctroiError } from '../../errors.ts'
import type { Database } from '../../ledger/database.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import { formatPicos } from '../../money/money.ts'
import { closedJson, type ReconciliationReport } from '../../reports/reconciliation-json.ts'
import type { Clock } from '../../time.ts'
import {
  type BillAsked,
  type ReconciledBy,
  readClosedBills,
  readDays,
  readReconciliation,
  readTotals,
} from './reconciliation.ts'
import { closedAnswer } from './reconciliation-answer.ts'

/** Where a period is closed. */
export const periodsPath = '/octroi/v1/periods'

/** Which days of whose bill are closed. `acceptGap`: why, though not all of it is explained. */
export const closeRequest = z.strictObject({
  provider: z.string().min(1).max(200),
  from: z.string().max(40).describe('The first day (UTC).'),
  to: z.string().max(40).describe('The day after the last.'),
  acceptGap: z
    .string()
    .min(1)
    .max(2_000)
    .nullable()
    .optional()
    .describe('Why gaps are accepted that nothing explains.'),
})

/** The closed period, as command and control plane write it. */
export const closeAnswer = z.object({ period: closedAnswer }).describe('The period as it is closed.')

/** Reads what is to be closed. Throws `bad_input` and `bad_instant`. */
export const readClose = (body: unknown, { now }: Clock): CloseAsked => {
  const parsed = closeRequest.safeParse(body)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw new OctroiError('bad_input', `${issue?.path.join('.') || 'the body'}: ${issue?.message}.`)
  }
  const { provider, acceptGap = null, ...days } = parsed.data
  return { provider, acceptGap, ...readDays(days, now()) }
}

type CloseAsked = Omit<BillAsked, 'account'> & { readonly acceptGap: string | null }

/** Closes days of a provider's bill at what the ledger comes to. Throws `bill_unexplained` where reconciliation leaves
 * a gap unknown, or has no bill to match, and no reason says why that is accepted; and what `closePeriod` throws. */
export const closeBill = async (
  { ledger, database, clock, ...by }: CloseSource,
  { provider, from, to, acceptGap }: CloseAsked,
): Promise<z.output<typeof closeAnswer>> => {
  const report = await readReconciliation(database, { provider, account: null, from, to }, by)
  const unexplained = report.isExplained ? null : unexplainedOf(report)
  if (unexplained !== null && acceptGap === null) {
    throw new OctroiError(
      'bill_unexplained',
      `${unexplained}. Find the cause, or close the period with the reason why this is accepted (--accept-gap).`,
    )
  }
  const totals = [...(await readTotals(database, { provider, from, to }))].map(([currency, amount]) => ({
    ...{ currency, amount },
  }))
  const period = {
    ...{ at: clock.now(), provider, from, to },
    note: unexplained === null ? null : `${unexplained}; accepted: ${acceptGap}`,
  }
  await ledger.closePeriod({ ...period, totals })
  const asClosed = totals.map(({ currency, amount }) => ({ currency, closed: amount, now: amount }))
  return { period: closedJson({ ...period, totals: asClosed }) }
}

/** What is asked of closed periods. */
export const periodsQuery = z.strictObject({
  provider: z.string().min(1).max(200).optional().describe('Only the bills of this vendor.'),
})

/** The closed periods, as command and control plane write them. */
export const periodsAnswer = z
  .object({ schema: z.literal('octroi-period-list/1'), periods: z.array(closedAnswer) })
  .describe('Every closed period, and what was corrected in it since.')

/** The closed periods of a ledger, of one provider or of all. */
export const listPeriods = async (
  database: Database,
  { provider = null }: { readonly provider?: string | null | undefined },
): Promise<z.output<typeof periodsAnswer>> => {
  const closed = await readClosedBills(database, {
    ...{ provider, from: Number.MIN_SAFE_INTEGER, to: Number.MAX_SAFE_INTEGER },
  })
  return { schema: 'octroi-period-list/1', periods: closed.map(closedJson) }
}

/** What closing needs: the ledger to write, and where it is read. */
type CloseSource = ReconciledBy & {
  readonly ledger: Pick<Ledger, 'closePeriod'>
  readonly database: Database
  readonly clock: Clock
}

const unexplainedOf = ({ provider, billLines, totals, cells }: ReconciliationReport): string => {
  if (billLines === 0) return `No bill of ${provider} is imported for these days`
  const count = cells.filter(({ kind }) => kind === 'unknown').length
  const amounts = totals.flatMap(({ currency, parts }) =>
    parts.flatMap(({ kind, amount }) => (kind === 'unknown' ? [`${formatPicos(amount)} ${currency}`] : [])),
  )
  return `The bill of ${provider} has ${count} ${count === 1 ? 'difference' : 'differences'} that nothing explains, of ${amounts.join(' and ')}`
}
