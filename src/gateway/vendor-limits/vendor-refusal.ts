import { OctroiError } from '../../errors.ts'
import type { Call } from '../../ledger/entry.ts'
import type { Refused } from '../../limits/decision.ts'
import { formatAmount } from '../../limits/measure.ts'
import { formatInstant, type Instant } from '../../time.ts'

/** Why a call was not sent that its vendor would have refused, as the error `rate_limited`. A limit whose cap is nothing
 * stands for a vendor that said when to come again, and not what its limits are. */
export const vendorRefusal = (call: Call, refused: Refused, now: Instant): OctroiError => {
  const { limit, measure, cap, free, asked, fitsAt, resetsAt } = refused
  const retryAfterMs = fitsAt === null ? null : Math.max(0, fitsAt - now)
  const amounts = {
    measure,
    cap: formatAmount(measure, cap),
    free: formatAmount(measure, free),
    asked: asked === null ? null : formatAmount(measure, asked),
  }
  const why = cap === 0n ? 'it asked for a pause' : `its own limit "${limit}" is used up`
  const again = retryAfterMs === null ? '' : ` Try again in ${Number((retryAfterMs / 1_000).toFixed(3))}s.`
  return new OctroiError(
    'rate_limited',
    `${call.provider} takes no call of ${call.model.slice(0, 80)} now: ${why}. This one was not sent.${again}`,
    {
      setBy: 'vendor',
      limit,
      ...(cap > 0n && amounts),
      resetsAt: resetsAt === null ? null : formatInstant(resetsAt),
      retryAfterMs,
    },
  )
}
