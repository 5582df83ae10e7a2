import { OctroiError } from '../errors.ts'
import type { Call } from '../ledger/entry.ts'
import type { Refused } from '../limits/admit.ts'
import { unitOf } from '../limits/limit.ts'
import { formatAmount } from '../limits/measure.ts'
import type { Quote } from '../planning/quote.ts'
import { formatInstant, type Instant } from '../time.ts'
import type { Clamp } from './clamp.ts'

/** Why a call is not admitted, as an error: `budget_exceeded` for a limit on cost, `rate_limited` for any other,
 * `unbounded`, `unpriced` or `currency_mismatch`. `clamp`: what could have been lowered. Amounts in its details are plain decimals in the limit's unit. */
export const limitRefusal = (
  call: Call,
  asked: Quote,
  refused: Refused,
  now: Instant,
  clamp: () => Clamp | null = () => null,
): OctroiError => {
  const { measure } = refused
  const amount = (units: bigint): string => formatAmount(measure, units)
  const details = {
    limit: refused.limit,
    ...(Object.keys(refused.counter).length > 0 && { counter: refused.counter }),
    ...(measure !== 'cost' && { measure }),
    cap: amount(refused.cap),
    settled: amount(refused.settled),
    held: amount(refused.held),
    unresolved: amount(refused.unresolved),
    free: amount(refused.free),
    asked: refused.asked === null ? null : amount(refused.asked),
    ...(refused.currency !== null && { currency: refused.currency }),
    resetsAt: refused.resetsAt === null ? null : formatInstant(refused.resetsAt),
    ...(measure !== 'cost' && {
      retryAfterMs: refused.fitsAt === null ? null : Math.max(0, refused.fitsAt - now),
    }),
  }
  if (refused.reason === 'currency') {
    return new OctroiError(
      'currency_mismatch',
      `${call.model} is priced in ${asked.currency}, the limit "${refused.limit}" is in ${refused.currency}. ` +
        'Give the limit the currency of the prices.',
      details,
    )
  }
  if (refused.reason === 'unbounded') return unbounded(asked, refused, details)
  const told = measure === 'cost' ? overBudget(asked, refused, details) : overRate(refused, details)
  if (refused.action !== 'clamp') return told
  return new OctroiError(told.code, `${told.message} ${whyNotLowered(clamp())}`, told.details)
}

/** Why a limit that lowers outputs refuses. */
const whyNotLowered = (clamp: Clamp | null): string => {
  if (clamp === null) return 'The call has no output limit that could be lowered.'
  const { floor, asked } = clamp.range
  return asked < floor
    ? `Its output limit cannot be lowered below ${floor} tokens.`
    : `Not even an output limit of ${floor} tokens would fit.`
}

type Details = Readonly<Record<string, unknown>> & { readonly resetsAt: string | null }

const unbounded = (asked: Quote, { limit, measure }: Refused, details: Details): OctroiError => {
  const unpriced = measure === 'cost' ? asked.unpriced[0] : undefined
  const why = (unpriced?.message ?? asked.reasons[0] ?? `nothing bounds its ${measure}`).replace(/\.$/, '')
  return new OctroiError(
    unpriced === undefined ? 'unbounded' : 'unpriced',
    `The most this call can ${measure === 'cost' ? 'cost' : 'use'} is not known, so the limit "${limit}" cannot hold it: ${why}.`,
    details,
  )
}

const overBudget = (asked: Quote, refused: Refused, details: Details): OctroiError => {
  const money = amountIn(refused)
  return new OctroiError(
    'budget_exceeded',
    `Budget quota exceeded for the limit "${refused.limit}": of ${money(refused.cap)}, ` +
      `${money(refused.settled)} are spent and ${money(refused.held + refused.unresolved)} held; this call ` +
      `${asked.most === null ? 'has no price and is held at its ceiling of' : 'can cost up to'} ` +
      `${money(refused.asked ?? 0n)}, and ${money(refused.free)} are free.${resets(details)}`,
    details,
  )
}

const overRate = (
  refused: Refused,
  details: Details & { readonly retryAfterMs?: number | null },
): OctroiError => {
  const amount = amountIn(refused)
  const { retryAfterMs = null } = details
  const again =
    retryAfterMs === null ? resets(details) : ` Try again in ${Number((retryAfterMs / 1_000).toFixed(3))}s.`
  return new OctroiError(
    'rate_limited',
    `Rate limit reached for the limit "${refused.limit}": of ${amount(refused.cap)}, ` +
      `${amount(refused.settled + refused.held + refused.unresolved)} are used or held; this call can use up to ` +
      `${amount(refused.asked ?? 0n)}, and ${amount(refused.free)} are free.${again}`,
    details,
  )
}

const amountIn =
  (limit: Refused) =>
  (units: bigint): string => {
    const text = formatAmount(limit.measure, units)
    const unit = unitOf(limit)
    return `${text} ${unit}${limit.currency !== null || text === '1' ? '' : 's'}`
  }

const resets = ({ resetsAt }: Details): string => (resetsAt === null ? '' : ` It resets at ${resetsAt}.`)
