import { formatInstant, type Instant } from '../time.ts'
import type { SpendReport } from './spend.ts'
import { isTime, type SpendDimension } from './spend-dimensions.ts'
import { chosenName, formatWhere } from './spend-where.ts'

/** What a receipt is asked for, as the texts of its parameters. */
export type ReceiptQuery = {
  readonly from?: string
  readonly to?: string
  readonly zone?: string
  /** None where nothing is chosen: all that was charged. */
  readonly where?: string
}

/** The query of the receipt whose sum is the amount of a group: its names chosen, its times as the period. Of all
 * currencies where `currency` is null. */
export const receiptQuery = (
  { from, to, where, zone }: SpendReport,
  { names, currency }: { readonly names: readonly (string | null)[]; readonly currency: string | null },
  by: readonly SpendDimension[],
): ReceiptQuery => {
  let [start, end]: (Instant | null)[] = [from, to]
  const chosen = new Map(where.map(({ dimension, anyOf }) => [dimension, anyOf]))
  for (const [index, dimension] of by.entries()) {
    const name = names[index] ?? null
    if (!isTime(dimension)) {
      chosen.set(dimension, [chosenName(name)])
      continue
    }
    const period = zone.periodOf(dimension, name ?? '')
    chosen.delete(dimension)
    start = Math.max(start ?? Number.MIN_SAFE_INTEGER, period?.start ?? Number.MIN_SAFE_INTEGER)
    end = Math.min(end ?? Number.MAX_SAFE_INTEGER, period?.end ?? Number.MAX_SAFE_INTEGER)
  }
  if (currency !== null) chosen.set('currency', [chosenName(currency)])
  const needsZone = [...chosen.keys()].some(isTime) && zone.timeZone !== 'UTC'
  return {
    ...(start != null && { from: formatInstant(start) }),
    ...(end != null && { to: formatInstant(end) }),
    ...(needsZone && { zone: zone.timeZone }),
    ...(chosen.size > 0 && {
      where: formatWhere([...chosen].map(([dimension, anyOf]) => ({ dimension, anyOf }))),
    }),
  }
}
