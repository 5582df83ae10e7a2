import { formatPicos } from '../money/money.ts'
import { format, formatScaled, type Rational, roundHalfEven } from '../money/rational.ts'
import { formatInstant } from '../time.ts'
import type { Conversion } from './currency.ts'
import { conversionJson } from './currency-json.ts'
import type { SpendReport } from './spend.ts'
import type { SpendGroup } from './spend-group.ts'
import { receiptQuery } from './spend-query.ts'

/** A report of spend for machines: amounts and counts that may be large as strings, and with each group the query that
 * opens its receipt. `octroi-report-spend/1`. `conversion`: where it is in another currency; a receipt is in that of the
 * ledger, and of all of them. */
export const spendJson = (report: SpendReport, conversion: Conversion | null = null): object => {
  const { by, groups, others, totals, where, zone, before } = report
  const whole = by.map(() => null)
  const charged = conversion === null ? {} : { currency: null }
  return {
    schema: 'octroi-report-spend/1',
    by,
    ...periodOf(report),
    timeZone: zone.timeZone,
    where: where.map(({ dimension, anyOf }) => ({ dimension, anyOf })),
    before: before === null ? null : periodOf(before),
    groups: groups.map((group) => ({
      ...Object.fromEntries(by.map((dimension, index) => [dimension, group.names[index]])),
      ...figures(group),
      receipt: receiptQuery(report, { ...group, ...charged }, by),
    })),
    others: others.map(({ count, ...group }) => ({ count, ...figures(group) })),
    totals: totals.map((group) => ({
      ...figures(group),
      receipt: receiptQuery(report, { ...group, names: whole, ...charged }, []),
    })),
    ...(conversion !== null && { conversion: conversionJson(conversion) }),
  }
}

const periodOf = ({ from, to }: { readonly from: number | null; readonly to: number | null }) => ({
  from: from === null ? null : formatInstant(from),
  to: to === null ? null : formatInstant(to),
})

const figures = ({ names, quantity, inputTokens, outputTokens, ...group }: SpendGroup): object => {
  const { amount, list, share, basis, resent, change, ...rest } = group
  return {
    ...rest,
    quantity: quantity === null ? null : { amount: format(quantity.amount), unit: quantity.unit },
    inputTokens: `${inputTokens}`,
    outputTokens: `${outputTokens}`,
    amount: formatPicos(amount),
    list: formatPicos(list),
    share: shareJson(share),
    basis: picosOf(basis),
    resent:
      resent === null
        ? null
        : { tokens: resent.tokens, amount: formatPicos(resent.amount), share: shareJson(resent.share) },
    change: change === null ? null : picosOf(change),
  }
}

const picosOf = (amounts: Readonly<Record<string, bigint>>): object =>
  Object.fromEntries(Object.entries(amounts).map(([name, amount]) => [name, formatPicos(amount)]))

const shareJson = (share: Rational | null): string | null =>
  share === null ? null : formatScaled(roundHalfEven(share, 6), 6)
