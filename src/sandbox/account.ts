import { OctroiError } from '../errors.ts'
import { tierOf, type VendorLimits, type VendorTierRule, vendorTiers } from '../limits/vendor-limits.ts'
import type { VendorTier } from '../limits/vendor-tier.ts'
import { add, compare, format, parseDecimal, type Rational, subtract, zero } from '../money/rational.ts'
import { formatInstant, type Instant } from '../time.ts'
import type { BookTotal } from './books.ts'
import type { World } from './world.ts'

/** What an account paid, and when: credit that was bought up front, as since November 2023. `usd` is a decimal
 * text with at most two places. */
export type Payment = { readonly at: Instant; readonly usd: string }

/** How the vendor's account begins. */
export type AccountOptions = {
  /** Already made when the sandbox starts. Opened again on the same state, it does not make them twice. */
  readonly payments?: readonly Payment[]
  /** Calls are refused with `insufficient_quota` once the books reach what was paid. Credit has no end unless
   * this is set. */
  readonly prepaid?: boolean
}

/** The account that all keys of a sandbox belong to. */
export type Account = {
  readonly tier: () => VendorTier
  /** Pays in some dollars, now. Throws `bad_input`. */
  readonly pay: (usd: unknown) => void
  /** Nothing is left of what was paid up front. */
  readonly spent: () => boolean
  /** What it is, for people. */
  readonly shown: () => unknown
}

/** Opens the account. `limits` has the terms of its tiers; without them there is only the free one. `tier` holds it
 * in one tier, whatever it pays. */
export const openAccount = (
  world: World,
  {
    limits,
    tier: held,
    payments = [],
    prepaid = false,
    total,
  }: AccountOptions & {
    readonly limits: VendorLimits | null
    readonly tier?: VendorTier
    /** What the books come to. */
    readonly total: () => BookTotal
  },
): Account => {
  const { state, clock } = world
  payments.forEach(({ at, usd }, index) => {
    const id = `payment_${index + 1}`
    if (state.find(place, id) === null) state.add(place, { id, object: 'payment', at, usd: dollars(usd) })
  })
  const every = () => state.every('payment')
  const paid = (): Rational => every().reduce((sum, { usd }) => add(sum, parseDecimal(usd)), zero)
  const left = (): Rational => subtract(paid(), parseDecimal(total().amount))
  const rules = (): readonly VendorTierRule[] =>
    limits === null ? [] : vendorTiers(limits, { provider: 'openai', at: clock.now() })
  const firstPaymentAt = (): Instant | null =>
    every().reduce<Instant | null>((first, { at }) => Math.min(first ?? at, at), null)
  const tier = (): VendorTier =>
    held ?? tierOf(rules(), { paid: paid(), firstPaymentAt: firstPaymentAt(), at: clock.now() })
  return {
    tier,
    pay: (usd) => {
      if (every().length >= paymentsMax) {
        throw new OctroiError('bad_input', `An account keeps at most ${paymentsMax} payments.`)
      }
      const id = world.newId('payment_')
      state.add(place, { id, object: 'payment', at: clock.now(), usd: dollars(usd) })
    },
    spent: () => prepaid && compare(left(), zero) <= 0,
    shown: () => {
      const first = firstPaymentAt()
      const at = rules().findIndex((rule) => rule.tier === tier())
      const next = rules()[at + 1]
      return {
        tier: tier(),
        paid_usd: format(paid()),
        spent_usd: total().amount,
        credit_usd: prepaid ? format(left()) : null,
        first_payment_at: first === null ? null : formatInstant(first),
        next_tier:
          held !== undefined || next === undefined
            ? null
            : {
                tier: next.tier,
                paid_usd: format(next.paid),
                days_since_first_payment: next.daysSinceFirstPayment,
              },
        limits: limitsShown(limits, tier(), clock.now()),
      }
    },
  }
}

const place = { kind: 'payment', parent: null } as const
const paymentsMax = 10_000

const limitsShown = (limits: VendorLimits | null, tier: VendorTier, at: Instant): readonly unknown[] =>
  (limits?.limits ?? [])
    .filter((row) => row.tiers.includes(tier) && row.from <= at && at < (row.to ?? Number.POSITIVE_INFINITY))
    .map((row) => ({
      model: row.model,
      requests_per_minute: row.requestsPerMinute,
      requests_per_day: row.requestsPerDay,
      tokens_per_minute: row.tokensPerMinute,
      tokens_per_day: row.tokensPerDay,
      images_per_minute: row.imagesPerMinute,
      source: row.source,
      confidence: row.confidence,
    }))

const dollars = (usd: unknown): string => {
  const text = typeof usd === 'number' || typeof usd === 'string' ? String(usd) : ''
  if (/^\d{1,9}(\.\d{1,2})?$/.test(text) && /[1-9]/.test(text)) return text
  throw new OctroiError(
    'bad_input',
    `A payment must be some dollars, such as {"usd": "50"}, not ${JSON.stringify(usd)?.slice(0, 60)}.`,
  )
}
