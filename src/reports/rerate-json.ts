import { formatPicos } from '../money/money.ts'
import { format } from '../money/rational.ts'
import type { Charge } from '../pricing/price.ts'
import { formatInstant } from '../time.ts'
import type { Quantity } from '../usage/usage.ts'
import type { Rerated, RerateReport } from './rerate.ts'

/** One adjustment as JSON: each charge that changes, before and after. */
export const reratedJson = (rerated: Rerated) => {
  const { kind, id, at, provider, model, team, currency, before, after, changes } = rerated
  return {
    ...{ kind, id, at: formatInstant(at), provider, model, team, currency },
    ...{ before: formatPicos(before), difference: formatPicos(after - before), after: formatPicos(after) },
    charges: changes.map(({ meter, was, now }) => ({ meter, was: chargeJson(was), now: chargeJson(now) })),
  }
}

/** The report before and after a re-rating as JSON. */
export const rerateReportJson = ({ groups, totals, kept }: RerateReport) => ({
  groups: groups.map(amountsJson),
  totals: totals.map(amountsJson),
  kept,
})

const amountsJson = <Sums extends Pick<RerateReport['totals'][number], 'before' | 'difference' | 'after'>>(
  sums: Sums,
) => ({
  ...sums,
  before: formatPicos(sums.before),
  difference: formatPicos(sums.difference),
  after: formatPicos(sums.after),
})

const chargeJson = (charge: Charge | null) =>
  charge === null
    ? null
    : {
        quantity: quantityJson(charge.quantity),
        ...{ unitPrice: charge.unitPrice, per: charge.per, amount: formatPicos(charge.amount) },
        ...{ price: charge.price, source: charge.source },
      }

const quantityJson = (quantity: Quantity): string =>
  typeof quantity === 'number' ? String(quantity) : format(quantity)
