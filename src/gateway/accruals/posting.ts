import type { AccrualOwner, Accrued, Posted, Stay, StayPosts } from '../../ledger/accrual.ts'
import type { Hold } from '../../limits/hold.ts'
import { type Picos, post } from '../../money/money.ts'
import { add } from '../../money/rational.ts'
import { listAmount } from '../../pricing/list-amount.ts'
import { type Charge, type Cost, price } from '../../pricing/price.ts'
import type { PriceBook } from '../../pricing/price-book.ts'
import type { Instant } from '../../time.ts'
import { closings, postedDelta, stayQuantity } from '../../usage/accrual.ts'
import type { Meter } from '../../usage/meter.ts'
import type { Quantity } from '../../usage/usage.ts'
import type { Parts } from '../parts.ts'

type Priced = {
  readonly meter: Meter
  readonly quantity: Quantity
  readonly pricesFrom: string
  readonly attributes: Readonly<Record<string, string>>
  readonly at: Instant
}

/** Prices an accrual by the row in force at an instant. */
export const priceAccrual = (
  book: PriceBook,
  { meter, quantity, pricesFrom, attributes, at }: Priced,
): Cost => price({ [meter]: quantity }, { provider: pricesFrom, model: null, at, attributes }, book)

/** The limits and windows in which an accrual counts, at its amount. */
export const countsOf = (
  admission: Parts['admission'],
  accrued: Pick<Accrued, 'owner' | 'provider' | 'model' | 'endpoint' | 'conversation' | 'from' | 'currency'>,
  amount: Picos,
): readonly Hold[] => {
  const { owner, from, currency, ...named } = accrued
  return admission
    .windows({ subject: { ...(owner satisfies AccrualOwner), ...named }, at: from, currency })
    .map((window) => ({ ...window, amount }))
}

/** The instants at which a price of a meter begins or ends, in order. A stretch of time is priced on either side of
 * them apart. */
export const createPriceChanges = (book: PriceBook) => {
  const known = new Map<string, readonly Instant[]>()
  return (provider: string, meter: Meter): readonly Instant[] => {
    const key = JSON.stringify([provider, meter])
    const changes = known.get(key) ?? changesOf(book, provider, meter)
    known.set(key, changes)
    return changes
  }
}

const changesOf = (book: PriceBook, provider: string, meter: Meter): readonly Instant[] => {
  const rows = book.prices.filter((row) => row.provider === provider && row.meter === meter)
  const instants = rows.flatMap(({ from, to }) => (to === null ? [from] : [from, to]))
  return [...new Set(instants)].sort((a, b) => a - b)
}

/** What a stay comes to from where it is posted: at most `limit` entries, and how far it is posted then. */
export const postStay = (
  parts: Pick<Parts, 'book' | 'admission'> & { readonly changes: ReturnType<typeof createPriceChanges> },
  stay: Stay,
  asked: { readonly at: Instant; readonly closing: Instant; readonly limit: number },
): StayPosts => {
  const until = Math.min(stay.to ?? asked.closing, asked.closing)
  let now: Posted = stay
  const entries: Accrued[] = []
  for (const stretch of closings(stay.closedUntil, { until, closing: asked.closing, limit: asked.limit })) {
    const pieces = splitAt(stretch, parts.changes(stay.pricesFrom, stay.meter))
    const { charges, unpriced, currency, next } = pricePieces(parts.book, stay, now, pieces)
    const list = next.listPosted - now.listPosted
    const amount = next.posted - now.posted
    now = { ...next, closedUntil: stretch.to }
    if (charges.length === 0 && unpriced.length === 0) continue
    const accrued = {
      accrualId: stay.id,
      ...{ at: asked.at, from: stretch.from, to: stretch.to },
      ...{ owner: stay.owner, provider: stay.upstream, model: null, endpoint: stay.endpoint },
      ...{ conversation: null, holder: stay.holder, object: stay.object },
      // How parts of a day are counted is published by no vendor.
      basis: 'estimated' as const,
      ...{ currency, charges, unpriced, list, bookVersion: parts.book.version },
    }
    entries.push({ ...accrued, counts: countsOf(parts.admission, accrued, amount) })
  }
  return { id: stay.id, from: stay.closedUntil, entries, now }
}

type Stretch = { readonly from: Instant; readonly to: Instant }

const splitAt = ({ from, to }: Stretch, changes: readonly Instant[]): readonly Stretch[] => {
  const cuts = [from, ...changes.filter((at) => from < at && at < to), to]
  return cuts.slice(1).map((end, index) => ({ from: cuts[index] ?? from, to: end }))
}

/** The charges of a stretch, a piece for each price; each amount is what is due to date, rounded, less what was
 * posted before. */
const pricePieces = (book: PriceBook, stay: Stay, before: Posted, pieces: readonly Stretch[]) => {
  const charges: Charge[] = []
  const unpriced: Cost['unpriced'][number][] = []
  let [next, currency] = [before, 'USD']
  for (const { from, to } of pieces) {
    const quantity = stayQuantity(stay.meter, { amount: stay.amount, from, to })
    const cost = priceAccrual(book, { ...stay, quantity, at: from })
    currency = cost.currency
    unpriced.push(...cost.unpriced)
    for (const charge of cost.charges) {
      const exact = add(next.exact, charge.exact)
      const listExact = add(next.listExact, listAmount(charge))
      const amount = postedDelta(exact, next.posted)
      charges.push({ ...charge, amount })
      next = { ...next, exact, posted: next.posted + amount, listExact, listPosted: post(listExact) }
    }
  }
  const { exact, posted, listExact, listPosted } = next
  return { charges, unpriced, currency, next: { exact, posted, listExact, listPosted } }
}
