import { format, multiply, parseDecimal, rational, subtract } from '../../money/rational.ts'
import { parseInstant } from '../../time.ts'
import type { PriceFile, PriceRow } from '../price-book.ts'
import type { Discount } from './overlay-file.ts'

/** The prices that a discount makes of list prices: one for each list price it is for, within both periods. The list
 * price stays in the book beside it. */
export const discounted = (
  { percent, models, meters, effectiveFrom, effectiveTo, source, note }: Discount,
  list: PriceFile,
): readonly PriceRow[] => {
  const factor = multiply(subtract(rational(100n), parseDecimal(percent)), rational(1n, 100n))
  return list.prices.flatMap((row): PriceRow[] => {
    const isFor =
      row['kind'] === undefined &&
      row.attributes['promotion'] === undefined &&
      (models === undefined || models.some((pattern) => matches(pattern, row.model))) &&
      (meters === undefined || meters.includes(row.meter))
    const from = later(row.effectiveFrom, effectiveFrom)
    const to = earlier(row.effectiveTo, effectiveTo)
    if (!isFor || (to !== null && parseInstant(to) <= parseInstant(from))) return []
    const { agreesWith: _, conflictsWith: __, scheduledEnd: ___, endReason: ____, note: _____, ...kept } = row
    return [
      {
        ...kept,
        unitPrice: format(multiply(parseDecimal(row.unitPrice), factor)),
        effectiveFrom: from,
        effectiveTo: to,
        source: `${source}: ${percent} % off the list price of ${row.unitPrice} (${row.source})`,
        ...(note !== undefined && { note }),
      },
    ]
  })
}

const matches = (pattern: string, model: string | null): boolean =>
  model !== null && (pattern.endsWith('*') ? model.startsWith(pattern.slice(0, -1)) : model === pattern)

const later = (a: string, b: string): string => (parseInstant(a) >= parseInstant(b) ? a : b)

const earlier = (a: string | null, b: string | null): string | null => {
  if (a === null || b === null) return a ?? b
  return parseInstant(a) <= parseInstant(b) ? a : b
}
