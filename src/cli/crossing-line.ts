import type { Crossing } from '../limits/crossing.ts'
import { unitOf } from '../limits/limit.ts'
import { formatAmount } from '../limits/measure.ts'

/** One line for a share of its cap that a limit has reached. */
export const crossingLine = (crossing: Omit<Crossing, 'settled' | 'held' | 'unresolved'>): string => {
  const { limit, counter, measure, cap, used, share } = crossing
  const whose = Object.values(counter).map((value) => value ?? '(none)')
  const of = whose.length === 0 ? '' : ` of ${whose.join(', ')}`
  return (
    `octroi: the limit "${limit}"${of} has reached ${Number((Number(share) * 100).toFixed(4))} %: ` +
    `${formatAmount(measure, used)} of ${formatAmount(measure, cap)} ${unitOf(crossing)}`
  )
}
