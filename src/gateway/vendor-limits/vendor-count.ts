import type { Asked } from '../../limits/decision.ts'
import type { Quote } from '../../planning/quote.ts'
import { meterFacts } from '../../usage/meter.ts'

/** What a vendor holds for the output of a request that says no limit (openai-cookbook,
 * `api_request_parallel_processor.py`). */
const outputTokensUnlessSaid = 15
/** And for its input: a quarter of its characters. */
const bytesPerToken = 4

/** What a vendor counts for a call when it arrives there. It is less than the most the call can use: that would keep calls
 * waiting that the vendor takes. `isRough`: the input is bounded by its bytes, and was not counted; `isOutputSaid`: the
 * request says how long its output may be. */
export const asVendorCounts = (
  asked: Asked & { readonly quote: Quote },
  { isRough, isOutputSaid }: { readonly isRough: boolean; readonly isOutputSaid: boolean },
): Asked => ({
  ...asked,
  quote: {
    ...asked.quote,
    usage: asked.quote.usage.map((bound) => {
      const { unit, direction } = meterFacts(bound.meters[0])
      if (unit !== 'token') return bound
      const most = bound.most ?? 0
      if (direction === 'input') return { ...bound, most: isRough ? Math.ceil(most / bytesPerToken) : most }
      return { ...bound, most: isOutputSaid ? most : Math.min(most, outputTokensUnlessSaid) }
    }),
  },
})
