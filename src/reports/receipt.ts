import { OctroiError } from '../errors.ts'
import type { Basis } from '../ledger/entry.ts'
import type { AccruedRow, CallRow, ImportedRow } from '../ledger/reading.ts'
import type { Picos } from '../money/money.ts'
import type { AppliedMultiplier, Charge, ListPrice, Unpriced } from '../pricing/price.ts'
import type { Instant } from '../time.ts'
import type { Meter } from '../usage/meter.ts'
import type { Quantity } from '../usage/usage.ts'
import { nameIn, type SpendPlace } from './spend-dimensions.ts'
import { factsOfAccrued, factsOfCall, factsOfImported, type SpendFact } from './spend-facts.ts'
import { fitsWhere, type SpendWhere } from './spend-where.ts'
import { zoneNames } from './spend-zone.ts'

/** One charge of a figure: a meter times a row of the price book, and the entry of the ledger that says so. What had no
 * price is a line without a price. */
export type ReceiptLine = {
  /** Where in the order of the receipt it stands; a page goes on after it. */
  readonly place: string
  readonly kind: 'call' | 'accrued' | 'imported'
  /** The sequence of the entry in the ledger, and that of the one it corrected. */
  readonly entry: number
  readonly corrects: number | null
  /** Of the call, of the accrual, or of the imported line. */
  readonly id: string
  readonly at: Instant
  readonly key: string | null
  readonly team: string | null
  readonly provider: string
  readonly model: string | null
  readonly endpoint: string
  readonly tier: string | null
  readonly currency: string
  readonly basis: Basis
  readonly meter: Meter
  /** What is billed, and what was measured, where that is another quantity. */
  readonly quantity: Quantity
  readonly measured: Quantity | null
  readonly price: {
    /** The id of the row of the price book, and its source. */
    readonly id: string
    readonly source: string
    readonly unitPrice: string
    readonly per: number
    readonly multipliers: readonly AppliedMultiplier[]
    readonly list: ListPrice | null
    readonly overlay: boolean
    readonly assumed: string | null
  } | null
  readonly bookVersion: string
  readonly amount: Picos
}

/** The charges of a figure, a page of them. The totals are of all of it, whatever the page: the figure itself. */
export type Receipt = {
  readonly from: Instant | null
  readonly to: Instant | null
  readonly where: SpendWhere
  readonly lines: readonly ReceiptLine[]
  /** How many lines there are in all, and the place after which the next page begins; null at the end. */
  readonly count: number
  readonly next: string | null
  readonly totals: readonly { readonly currency: string; readonly amount: Picos; readonly unpriced: number }[]
}

/** What is asked of a receipt; a filter as in a report of spend. `after`: the place of the line before the page. */
export type ReceiptAsked = Pick<Receipt, 'from' | 'to' | 'where'> & {
  readonly timeZone: string
  readonly after: string | null
  readonly limit: number
}

/** Gathers the charges of a figure from the entries of the ledger, in this order: calls, accruals, imported lines. */
export type ReceiptFold = {
  readonly calls: (rows: readonly CallRow[]) => void
  readonly accrued: (rows: readonly AccruedRow[]) => void
  readonly imported: (rows: readonly ImportedRow[]) => void
  readonly result: () => Receipt
}

/** An empty fold. It keeps no more lines than are asked for. `result` throws `bad_input` where the line before the page
 * was not among them. */
export const createReceiptFold = (asked: ReceiptAsked): ReceiptFold => {
  const { from, to, where, timeZone, after, limit } = asked
  const isMeant = fitsWhere(where, zoneNames(timeZone))
  const totals = new Map<string, { currency: string; amount: Picos; unpriced: number }>()
  const lines: ReceiptLine[] = []
  let [count, isPast, isMore] = [0, after === null, false]

  const put = (facts: readonly SpendFact[], entry: Entry): void => {
    const [place] = facts.map((fact) => fact.place)
    if (place === undefined) return
    for (const [index, used] of [...entry.charges, ...entry.unpriced].entries()) {
      if (!isMeant({ ...place, meter: used.meter })) continue
      const line = lineOf(place, entry, { used, index })
      count += 1
      const total = totals.get(line.currency) ?? { currency: line.currency, amount: 0n, unpriced: 0 }
      totals.set(line.currency, total)
      total.amount += line.amount
      total.unpriced += line.price === null ? 1 : 0
      if (isPast && lines.length < limit) lines.push(line)
      else if (isPast) isMore = true
      if (line.place === after) isPast = true
    }
  }
  return {
    calls: (rows) => {
      for (const row of rows) {
        const { settlement } = row
        const corrects = settlement.kind === 'adjusted' ? settlement.corrects : null
        put(factsOfCall(row), { ...settlement, kind: 'call', id: row.call.id, corrects })
      }
    },
    accrued: (rows) => {
      for (const row of rows) {
        put(factsOfAccrued(row), { ...row, kind: 'accrued', id: row.accrualId, corrects: null })
      }
    },
    imported: (rows) => {
      for (const row of rows) put(factsOfImported(row), { ...row, kind: 'imported', id: row.lineId })
    },
    result: () => {
      if (!isPast) {
        throw new OctroiError(
          'bad_input',
          `The line "${after?.slice(0, 80)}" is not in this receipt, or no longer. Begin with its first page.`,
        )
      }
      const next = isMore ? (lines.at(-1)?.place ?? null) : null
      return { from, to, where, lines, count, next, totals: [...totals.values()] }
    },
  }
}

/** A page of a receipt of which more lines were read; null where they are not the ones that are asked for. `from` is the
 * line after which the receipt itself begins. */
export const receiptPage = (
  { lines, next, ...rest }: Receipt,
  from: string | null,
  { after, limit }: Pick<ReceiptAsked, 'after' | 'limit'>,
): Receipt | null => {
  const before = after === from ? -1 : lines.findIndex(({ place }) => place === after)
  const isRead = after === from || before >= 0
  const some = lines.slice(before + 1, before + 1 + limit)
  const isLast = before + 1 + limit >= lines.length
  if (!isRead || (isLast && next !== null && some.length < limit)) return null
  return { ...rest, lines: some, next: isLast ? next : (some.at(-1)?.place ?? null) }
}

type Entry = {
  readonly kind: ReceiptLine['kind']
  readonly id: string
  readonly sequence: number
  readonly corrects: number | null
  readonly charges: readonly Charge[]
  readonly unpriced: readonly Unpriced[]
  readonly bookVersion: string
}

const lineOf = (
  place: SpendPlace,
  { kind, id, sequence, corrects, bookVersion }: Entry,
  { used, index }: { readonly used: Charge | Unpriced; readonly index: number },
): ReceiptLine => {
  const { at, key, team, provider, model, endpoint, currency, basis } = place
  const isPriced = 'price' in used
  return {
    ...{ place: `${kind}-${sequence}-${index}`, kind, entry: sequence, corrects, id },
    ...{ at, key, team, provider, model, endpoint, currency, basis },
    tier: tierOf(place),
    meter: used.meter,
    quantity: used.quantity,
    measured: isPriced ? (used.measured ?? null) : null,
    price: isPriced ? priceOf(used) : null,
    bookVersion,
    amount: isPriced ? used.amount : 0n,
  }
}

const tierOf = nameIn('tier', zoneNames('UTC'))

const priceOf = ({ price, source, unitPrice, per, ...rest }: Charge): ReceiptLine['price'] => ({
  ...{ id: price, source, unitPrice, per },
  multipliers: rest.multipliers ?? [],
  list: rest.list ?? null,
  overlay: rest.overlay ?? false,
  assumed: rest.assumed ?? null,
})
