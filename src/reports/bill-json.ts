import { formatPicos, postedPlaces } from '../money/money.ts'
import { formatScaled, roundHalfEven } from '../money/rational.ts'
import { formatInstant } from '../time.ts'
import type { BillReport, BillStretch } from './bill.ts'
import { meanPriceOf } from './bill-price.ts'
import { spendJson } from './spend-json.ts'
import { type ReceiptQuery, receiptQuery } from './spend-query.ts'

/** A bill for machines; each list is a report of spend, as `octroi report spend` gives it. `octroi-report-bill/1`. */
export const billJson = (bill: BillReport): object => {
  const { by, where, timeZone, state, closed, knownUntil, every } = bill
  return {
    schema: 'octroi-report-bill/1',
    ...periodOf(bill),
    timeZone,
    before: periodOf(bill.before),
    madeAt: formatInstant(bill.madeAt),
    state,
    closed: closed.map(({ provider, at, note, ...period }) => ({
      ...{ provider, ...periodOf(period), closedAt: formatInstant(at), note },
    })),
    knownUntil: knownUntil === null ? null : formatInstant(knownUntil),
    by,
    where: where.map(({ dimension, anyOf }) => ({ dimension, anyOf })),
    total: spendJson(bill.total),
    groups: spendJson(bill.groups),
    models: spendJson(bill.models),
    meters: spendJson(bill.meters),
    meanPrices: bill.meters.groups.map((group) => {
      const [provider = null, model = null, meter = null] = group.names
      const mean = meanPriceOf(group)
      return {
        ...{ provider, model, meter, currency: group.currency },
        price: mean === null ? null : formatScaled(roundHalfEven(mean.price, postedPlaces), postedPlaces),
        per: mean === null ? null : Number(mean.per),
        unit: mean?.unit ?? null,
      }
    }),
    keys: spendJson(bill.keys),
    projects: spendJson(bill.projects),
    every,
    stretches: bill.stretches.map((stretch) => ({
      ...{ name: stretch.name, ...periodOf(stretch), currency: stretch.currency },
      ...{ calls: stretch.calls, amount: formatPicos(stretch.amount) },
      parts: stretch.parts.map(({ name, amount }) => ({ name, amount: formatPicos(amount) })),
      rest: formatPicos(stretch.rest),
      receipt: stretchReceipt(bill, stretch),
    })),
  }
}

/** What to ask of a receipt, for every charge of a stretch. */
export const stretchReceipt = (bill: BillReport, { name, currency }: BillStretch): ReceiptQuery =>
  receiptQuery({ ...bill.total, zone: bill.zone }, { names: [name], currency }, [bill.every])

const periodOf = ({ from, to }: { readonly from: number; readonly to: number }) => ({
  from: formatInstant(from),
  to: formatInstant(to),
})
