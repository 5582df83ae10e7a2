import { formatPicos } from '../money/money.ts'
import type { AllocationReport } from '../reports/allocation.ts'
import type { AllocationPart, PoolAllocation } from '../reports/allocation-part.ts'
import { formatShare, shareOf } from '../reports/share.ts'
import { formatInstant } from '../time.ts'
import { type Column, formatTable } from './table.ts'

/** An allocation for people: a line for each cost centre and one for what nobody bears, below a rule the totals, and
 * then how each pool was shared and by which version of the rules. */
export const allocationTable = (report: AllocationReport, { color }: { readonly color: boolean }): string => {
  if (report.totals.length === 0) return 'Nothing was spent in this period.\n'
  return [centresTable(report, color), ...report.parts.flatMap((part) => partText(part, color))].join('')
}

const right = (title: string): Column => ({ title, align: 'right' })

const centresTable = ({ centres, unallocated, totals }: AllocationReport, color: boolean): string => {
  const columns = [
    { title: 'cost centre' },
    ...['direct', 'shared', 'cost'].map(right),
    { title: '' },
    right('share'),
  ]
  const line = (name: string, currency: string, direct: bigint, amount: bigint): readonly string[] => {
    const total = totals.find((each) => each.currency === currency)?.amount ?? 0n
    const amounts = [direct, amount - direct, amount].map(formatPicos)
    return [name, ...amounts, currency, formatShare(shareOf(amount, total))]
  }
  return formatTable(
    columns,
    [
      ...centres.map(({ name, currency, direct, amount }) => line(name, currency, direct, amount)),
      ...unallocated.map(({ currency, unmatched, amount }) =>
        line('(unallocated)', currency, unmatched, amount),
      ),
    ],
    {
      color,
      totals: totals.map(({ currency, amount }) => {
        const left = unallocated.find((each) => each.currency === currency)?.unmatched ?? 0n
        const own = centres.filter((centre) => centre.currency === currency)
        return line(
          'total',
          currency,
          own.reduce((sum, { direct }) => sum + direct, left),
          amount,
        )
      }),
    },
  )
}

const partText = ({ version, from, to, pools }: AllocationPart, color: boolean): readonly string[] => {
  const period = [
    ...(from === null ? [] : [` from ${formatInstant(from)}`]),
    ...(to === null ? [] : [` to ${formatInstant(to)}`]),
  ].join('')
  const head = version === null ? `No rules held${period}.` : `Rules: version ${version}${period}.`
  return [`\n${head}\n`, ...(pools.length === 0 ? [] : [poolsTable(pools, color)])]
}

const poolsTable = (pools: readonly PoolAllocation[], color: boolean): string =>
  formatTable(
    [{ title: 'pool' }, { title: 'rule' }, { title: 'to' }, right('cost'), { title: '' }],
    pools.flatMap(({ name, rule, measure, currency, given, unallocated }) => {
      const how = measure === null ? rule : `${rule} to ${measure}`
      const left = unallocated === 0n ? [] : [{ to: '(unallocated)', amount: unallocated }]
      return [...given, ...left].map(({ to, amount }) => [name, how, to, formatPicos(amount), currency])
    }),
    { color },
  )
