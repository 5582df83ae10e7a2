import type { Call } from '../ledger/entry.ts'
import type { Asked } from '../limits/admit.ts'
import type { Quote } from '../planning/quote.ts'
import { admitOrLower, type Clamp, type Tried } from './clamp.ts'
import type { Parts } from './parts.ts'
import { asVendorCounts } from './vendor-limits/vendor-count.ts'

/** A call that asks to be admitted. `cheap` is its first quote; where that does not fit into a budget, `tighten` is asked
 * once for a closer one. `clamp` says how its output limit may be lowered. `isHere`: it is passed on by this gateway, so
 * that the limits of its vendor count as well. */
export type AdmissionAsked = {
  readonly call: Call
  readonly cheap: Quote
  readonly tighten: () => Promise<Quote | null>
  readonly clamp: () => Clamp | null
  readonly isHere: boolean
}

/** Admits a call by all its limits or by none, as long as it may wait. */
export type AdmitCall = (parts: Pick<Parts, 'vendorPools'>, asked: AdmissionAsked) => Promise<Tried>

/** Admits by the counters of this process. `fetch` is called before they are asked, and may first bring home what is lent
 * of them. */
export const createAdmitCall =
  (
    { admission, waiting, clock }: Pick<Parts, 'admission' | 'waiting' | 'clock'>,
    fetch: (asked: Asked) => Promise<void> | null = () => null,
  ): AdmitCall =>
  async ({ vendorPools }, { call, cheap, tighten, clamp, isHere }) => {
    const askedWith = (quote: Quote) => {
      const at = clock.now()
      return { subject: call, at, most: quote.most, quote, currency: quote.currency }
    }
    const fetchFor = async (quote: Quote): Promise<void> => {
      const fetched = fetch(askedWith(quote))
      if (fetched !== null) await fetched
    }
    let closest = cheap
    await fetchFor(closest)
    const isTight = admission.look(askedWith(closest))?.reason !== 'exceeded'
    if (!isTight) {
      closest = (await tighten()) ?? cheap
      await fetchFor(closest)
    }
    let tried: Pick<Tried, 'quoted' | 'lowered'> = { quoted: closest, lowered: null }
    const attempt = () => {
      const { decision: answer, ...rest } = admitOrLower(admission, askedWith, { quoted: closest, clamp })
      tried = rest
      return answer
    }
    const isRough = closest === cheap
    let isOutputSaid: boolean | null = null
    const vendorAsked = () => {
      isOutputSaid ??= clamp()?.limit.said ?? true
      return asVendorCounts(askedWith(closest), { isRough, isOutputSaid })
    }
    const decision = isHere
      ? await vendorPools.admitted(call, vendorAsked, attempt, waiting.admitted)
      : await waiting.admitted(attempt)
    return { decision, ...tried }
  }
