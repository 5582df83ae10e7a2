import type { Outcome } from '../ledger/ledger.ts'
import { formatPicos } from '../money/money.ts'
import type { ReconciledCall, RunReconciliation, UnexplainedReason } from '../reports/run-reconciliation.ts'
import type { Tokens } from '../reports/vendor-usage.ts'
import { formatInstant, type Instant } from '../time.ts'
import { formatJson } from './json.ts'
import { formatCount } from './reports.ts'
import { formatTable } from './table.ts'

/** What was found, and what was written of it: null in a dry run. */
export type ReconciliationShown = {
  readonly result: RunReconciliation
  readonly provider: string
  readonly from: Instant
  readonly to: Instant
  readonly outcomes: readonly Outcome[] | null
}

/** A reconciliation as JSON: `octroi-reconcile-runs/1`. */
export const formatReconciliationJson = (shown: ReconciliationShown): string => {
  const { result, provider, from, to, outcomes } = shown
  const { reconciled, unexplained, billed, before, after } = result
  return `${formatJson({
    schema: 'octroi-reconcile-runs/1',
    provider,
    ...{ from: formatInstant(from), to: formatInstant(to) },
    applied: outcomes !== null,
    ...{ billed, before, after },
    calls: reconciled.map((call, index) => ({
      call: call.row.call.id,
      model: call.adjustment.model,
      ...{ from: formatInstant(call.from), to: formatInstant(call.to) },
      ...{ before: call.before, after: call.after },
      ...{ amountBefore: formatPicos(call.amountBefore), amountAfter: formatPicos(call.amountAfter) },
      currency: call.adjustment.currency,
      outcome: outcomes?.[index] ?? null,
    })),
    unexplained: unexplained.map((each) => ({
      ...each,
      ...{ from: formatInstant(each.from), to: formatInstant(each.to) },
    })),
  })}\n`
}

/** A reconciliation for people: by model what was estimated and what was billed, the gap before and after, and what
 * nothing explains. */
export const formatReconciliation = (
  { result, outcomes }: ReconciliationShown,
  { color }: { readonly color: boolean },
): string => {
  const { reconciled, billed, before, after } = result
  const word = outcomes === null ? 'would be' : 'is'
  return [
    ...(reconciled.length === 0 ? [] : [callsTable(reconciled, color), '\n']),
    gapTable([
      ['billed by the vendor', billed, null],
      ['in the ledger before', before, billed],
      [`in the ledger ${outcomes === null ? 'then' : 'now'}`, after, billed],
    ]),
    `\n${reconciled.length} estimated calls: what each used ${word} known from the vendor's report.\n`,
    ...unexplainedTable(result, color),
  ].join('')
}

const callsTable = (reconciled: readonly ReconciledCall[], color: boolean): string => {
  const right = (title: string) => ({ title, align: 'right' as const })
  const columns = [
    { title: 'model' },
    ...['calls', 'input', 'billed', 'output', 'billed', 'cost', 'then', 'difference'].map(right),
    { title: '' },
  ]
  const byModel = Map.groupBy(reconciled, ({ adjustment }) => `${adjustment.model}\n${adjustment.currency}`)
  const rows = [...byModel].map(([name, calls]) => [name.split('\n')[0] ?? '', ...figuresOf(calls)])
  return formatTable(columns, rows, { color })
}

const figuresOf = (calls: readonly ReconciledCall[]): readonly string[] => {
  const count = (pick: (call: ReconciledCall) => number): string =>
    formatCount(calls.reduce((sum, call) => sum + pick(call), 0))
  const amount = (pick: (call: ReconciledCall) => bigint): bigint =>
    calls.reduce((sum, call) => sum + pick(call), 0n)
  const [before, after] = [amount(({ amountBefore }) => amountBefore), amount((call) => call.amountAfter)]
  return [
    formatCount(calls.length),
    count((call) => call.before.input),
    count((call) => call.after.input),
    count((call) => call.before.output),
    count((call) => call.after.output),
    ...[before, after, after - before].map(formatPicos),
    calls[0]?.adjustment.currency ?? '',
  ]
}

const gapTable = (lines: readonly (readonly [string, Tokens, Tokens | null])[]): string => {
  const right = (title: string) => ({ title, align: 'right' as const })
  const columns = [{ title: 'tokens' }, ...['input', 'missing', 'output', 'missing'].map(right)]
  const rows = lines.map(([title, { input, output }, whole]) => [
    title,
    formatCount(input),
    whole === null ? '' : formatCount(whole.input - input),
    formatCount(output),
    whole === null ? '' : formatCount(whole.output - output),
  ])
  return formatTable(columns, rows, { color: false })
}

const reasons = {
  no_estimated_call: 'no estimated call could have used it',
  less_billed: 'less was billed than calls reported',
  outside_intervals: 'not within the intervals of the estimated calls',
  other_meters: 'an estimated call has other meters',
  beyond_report: 'a call may have been billed outside the report',
} as const satisfies Record<UnexplainedReason, string>

const unexplainedMax = 50

const unexplainedTable = ({ unexplained }: RunReconciliation, color: boolean): readonly string[] => {
  if (unexplained.length === 0) return []
  const columns = ['from', 'to', 'model', 'billed', 'known', 'estimated', 'why'].map((title) => ({ title }))
  const pair = ({ input, output }: Tokens): string => `${formatCount(input)} + ${formatCount(output)}`
  const rows = unexplained
    .slice(0, unexplainedMax)
    .map(({ from, to, model, billed, known, estimated, why }) => [
      ...[formatInstant(from), formatInstant(to), model],
      ...[pair(billed), pair(known), pair(estimated), reasons[why]],
    ])
  const more = unexplained.length - rows.length
  return [
    '\nLeft as it is, since nothing explains the difference:\n\n',
    formatTable(columns, rows, { color }),
    ...(more > 0 ? [`and ${more} more: --json lists all.\n`] : []),
  ]
}
