import { formatPicos } from '../money/money.ts'
import type { Conversion, Rate } from './currency.ts'

/** A conversion as JSON: every day and currency that was converted, with the rate, its day and its table. */
export const conversionJson = ({ to, table, ageDaysMax, days, noRate }: Conversion) => ({
  to,
  table,
  ageDaysMax,
  days: days.map(({ day, currency, amount, converted, rate }) => ({
    ...{ day, currency, amount: formatPicos(amount), converted: formatPicos(converted) },
    rate: rateJson(table.id, rate),
  })),
  noRate: noRate.map((left) => ({ ...left, amount: formatPicos(left.amount), code: 'no_rate' as const })),
})

const rateJson = (table: string, { date, quotes }: Rate) => ({ table, date, quotes })
