import type { Admission } from '../../limits/admit.ts'
import type { Crossing } from '../../limits/crossing.ts'
import type { LimitState } from '../../limits/decision.ts'
import type { Limit } from '../../limits/limit.ts'
import { format, type Rational } from '../../money/rational.ts'
import type { Clock, Instant } from '../../time.ts'
import type { AlertStore, StoredAlert } from '../registry/alerts.ts'
import { burnAlert, testAlert, thresholdAlert } from './alert.ts'
import { type BurnWatch, watchedMax } from './burn-watch.ts'
import { createDelivery, type Delivery, deliveryMsMax, type GivenUp } from './delivery.ts'
import type { SendWebhook, Webhook } from './webhook.ts'

/** Tells of limits, to whoever is to know: each alert once, kept before it is sent. */
export type Notify = {
  /** Takes note of a share that is reached, to be told soon. */
  readonly crossed: (crossing: Crossing) => void
  /** Raises what crossed. At first, and when limits are new, it looks at all of them as they stand, for what crossed just
   * before the process ended, or is crossed under a new cap; and once a minute at how fast budgets are spent. */
  readonly look: () => Promise<void>
  /** Sends what is due. */
  readonly send: () => Promise<void>
  /** Raises an alert about nothing, and sends it. */
  readonly test: () => Promise<StoredAlert>
  /** Deliveries by their state, as of the last sending. */
  readonly counts: Delivery['counts']
  readonly stop: () => Promise<void>
}

/** What it raised, and what it gave up. */
export type NotifyEvent = { readonly kind: 'raised'; readonly alert: StoredAlert } | GivenUp

/** So many counters of a limit are looked at. */
const countersMax = 100_000
const crossingsMax = 10_000
const knownMax = 100_000
/** How many alerts wait for a receiver. */
const pendingMax = 1_000
const burnLookMs = 60_000
const dayMs = 86_400_000
const keptMs = 90 * dayMs

/** Where a share of its cap is reached by what is settled and unresolved, as `warnAt` counts it. */
const isReached = (
  { numerator, denominator }: Rational,
  { cap, settled, unresolved }: LimitState,
): boolean => {
  const used = settled + unresolved
  return used > 0n && used * denominator >= cap * numerator
}

/** An alert, and the limit that it is about. */
type Found = { readonly alert: StoredAlert; readonly limit: string | null }

export const createNotify = (parts: {
  readonly store: AlertStore
  readonly webhooks: readonly Webhook[]
  readonly transport: { readonly send: SendWebhook; readonly close: () => Promise<void> }
  readonly limits: () => readonly Limit[]
  readonly state: Admission['state']
  readonly burn: BurnWatch
  readonly clock: Clock
  /** From 0 to 1: spreads retries. */
  readonly random: () => number
  readonly told: (event: NotifyEvent) => void
  readonly report: (error: unknown) => void
}): Notify => {
  const { store, webhooks, transport, clock, burn, report } = parts
  const delivery = createDelivery(parts)
  /** What was raised already, so that the disk need not be asked. */
  const known = new Set<string>()
  let crossings: Found[] = []
  /** The limits that were looked at; null when something may have been missed. */
  let seen: readonly Limit[] | null = null
  let [burnLookedAt, forgotAt] = [0, 0]
  let looking: Promise<void> | null = null
  let soon: NodeJS.Timeout | undefined
  let stopped = false

  const raise = async ({ alert, limit }: Found, dueAt = clock.now()): Promise<void> => {
    if (known.has(alert.id)) return
    const heard = webhooks.filter(({ hears }) => limit === null || hears(alert.type, limit))
    const receivers = heard.map(({ url }) => url.href)
    const full = 'too many alerts wait for it'
    const dropped = await store.raise({ alert, receivers, dueAt, pendingMax, full })
    if (known.size >= knownMax) known.clear()
    known.add(alert.id)
    if (dropped === null) return
    parts.told({ kind: 'raised', alert })
    for (const receiver of dropped) parts.told({ kind: 'given up', alert, receiver, said: full })
  }

  const raiseCrossings = async (): Promise<void> => {
    const found = crossings
    crossings = []
    for (const each of found) await raise(each)
  }

  const reached = (limits: readonly Limit[], at: Instant): readonly Found[] => {
    const warned = new Map(limits.map(({ name, warnAt }) => [name, warnAt]))
    return parts
      .state(at, countersMax, ({ warnAt }) => warnAt.length > 0)
      .flatMap((state) =>
        (warned.get(state.limit) ?? [])
          .filter((share) => isReached(share, state))
          .map((share) => ({ alert: thresholdAlert(state, format(share), at), limit: state.limit })),
      )
  }

  const burning = (limits: readonly Limit[], at: Instant): readonly Found[] =>
    burn
      .look(
        parts.state(at, watchedMax, ({ burnRate }) => burnRate !== undefined),
        new Map(limits.map((limit) => [limit.name, limit])),
        at,
      )
      .map(({ state, rule, since }) => ({ alert: burnAlert(state, rule, since), limit: state.limit }))

  const lookNow = async (): Promise<void> => {
    await raiseCrossings()
    const [at, limits] = [clock.now(), parts.limits()]
    if (seen !== limits) {
      for (const each of reached(limits, at)) await raise(each)
      seen = limits
    }
    if (Math.abs(at - burnLookedAt) >= burnLookMs) {
      burnLookedAt = at
      for (const each of burning(limits, at)) await raise(each)
    }
    if (Math.abs(at - forgotAt) >= dayMs) {
      forgotAt = at
      await store.forget(at - keptMs)
    }
  }

  const look = (): Promise<void> => {
    looking ??= lookNow()
      .catch((error: unknown) => {
        seen = null
        throw error
      })
      .finally(() => {
        looking = null
      })
    return looking
  }

  return {
    crossed: (crossing) => {
      if (stopped) return
      if (crossings.length >= crossingsMax) seen = null
      else {
        const { limit, share } = crossing
        crossings.push({ alert: thresholdAlert(crossing, share, clock.now()), limit })
      }
      soon ??= setTimeout(() => {
        soon = undefined
        // A look that is under way may have passed it by.
        look().then(look).then(delivery.send).catch(report)
      }, 50)
    },
    look,
    send: delivery.send,
    test: async () => {
      const at = clock.now()
      const alert = testAlert(`${at} ${parts.random()}`, at)
      // It is sent here, beside what waits, and is due only if that fails.
      await raise({ alert, limit: null }, at + 2 * deliveryMsMax)
      await delivery.deliver(alert)
      return alert
    },
    counts: delivery.counts,
    stop: async () => {
      stopped = true
      clearTimeout(soon)
      delivery.stop()
      await transport.close()
      await Promise.allSettled([looking, delivery.send()])
      await raiseCrossings().catch(report)
    },
  }
}
