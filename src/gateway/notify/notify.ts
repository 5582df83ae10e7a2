import type { Crossing } from '../../limits/crossing.ts'
import type { LimitState } from '../../limits/decision.ts'
import type { Limit } from '../../limits/limit.ts'
import { format, type Rational } from '../../money/rational.ts'
import type { Clock, Instant } from '../../time.ts'
import type { AlertStore, StoredAlert } from '../registry/alerts.ts'
import { testAlert, thresholdAlert } from './alert.ts'
import type { BurnWatch } from './burn-watch.ts'
import type { SendWebhook, Webhook } from './webhook.ts'

/** Tells of limits, to whoever is to know: each alert once, kept before it is sent. */
export type Notify = {
  /** A share of a cap was reached: raises it, and sends soon. */
  readonly crossed: (crossing: Crossing) => void
  /** Looks at limits with shares as they stand, and raises what nobody was told of yet: once, since what was reached just
   * before the process began may not be kept, and again under other limits. */
  readonly look: () => Promise<void>
  /** Looks at how fast budgets are spent. */
  readonly watch: () => Promise<void>
  /** Sends what is due, one after another to each receiver. */
  readonly send: () => Promise<void>
  /** Raises an alert about nothing. */
  readonly test: () => Promise<StoredAlert>
  /** Deliveries by their state, as of the last sending. */
  readonly counts: () => Readonly<Record<string, number>>
  readonly stop: () => Promise<void>
}

/** What it raised, and what it gave up. */
export type NotifyEvent =
  | { readonly kind: 'raised'; readonly alert: StoredAlert }
  | {
      readonly kind: 'given up'
      readonly alert: StoredAlert
      readonly receiver: string
      readonly said: string
    }

const countersMax = 100_000
const perTurn = 100
const firstWaitMs = 5_000
const longestWaitMs = 3_600_000
/** A receiver that takes nothing for so long is not asked again. */
const giveUpAfterMs = 86_400_000

/** Where a share of its cap is reached by what is settled and unresolved, as `warnAt` counts it. */
const isReached = (
  { numerator, denominator }: Rational,
  { cap, settled, unresolved }: LimitState,
): boolean => {
  const used = settled + unresolved
  return used > 0n && used * denominator >= cap * numerator
}

export const createNotify = (parts: {
  readonly store: AlertStore
  readonly webhooks: readonly Webhook[]
  readonly transport: { readonly send: SendWebhook; readonly close: () => Promise<void> }
  readonly limits: () => readonly Limit[]
  readonly state: (
    at: Instant,
    countersMax: number,
    isAsked: (limit: Limit) => boolean,
  ) => readonly LimitState[]
  readonly burn: BurnWatch
  readonly clock: Clock
  /** From 0 to 1: spreads retries. */
  readonly random: () => number
  readonly told: (event: NotifyEvent) => void
  readonly report: (error: unknown) => void
}): Notify => {
  const { store, webhooks, transport, clock, burn } = parts
  const receivers = webhooks.map(({ url }) => url.href)
  const known = new Set<string>()
  /** The turn of each receiver, so that one which hangs keeps no other waiting. */
  const turns = new Map<string, Promise<void>>()
  const working = new Set<Promise<void>>()
  let lookedUnder: readonly Limit[] | null = null
  let counts: Readonly<Record<string, number>> = {}

  const raise = async (alert: StoredAlert): Promise<void> => {
    if (known.has(alert.id)) return
    const isNew = await store.raise({ alert, receivers })
    known.add(alert.id)
    if (isNew) parts.told({ kind: 'raised', alert })
  }

  const look = async (): Promise<void> => {
    const asked = parts.limits()
    if (asked === lookedUnder) return
    const at = clock.now()
    const limits = new Map(asked.map((limit) => [limit.name, limit]))
    for (const state of parts.state(at, countersMax, ({ warnAt }) => warnAt.length > 0)) {
      for (const share of limits.get(state.limit)?.warnAt ?? []) {
        if (isReached(share, state)) await raise(thresholdAlert(state, format(share), at))
      }
    }
    lookedUnder = asked
  }

  const waitMs = (attempts: number): number =>
    Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(attempts, 20)) * (0.5 + parts.random() / 2)

  const sendTo = async (webhook: Webhook): Promise<void> => {
    const receiver = webhook.url.href
    const due = await store.due({ receiver, at: clock.now(), limit: perTurn })
    for (const { alert, attempts } of due) {
      const said = await transport.send(webhook, alert, clock.now())
      const at = clock.now()
      const isOver = said !== null && at - alert.at >= giveUpAfterMs
      const state = said === null ? 'sent' : isOver ? 'given up' : 'pending'
      const nextAt = Math.ceil(at + waitMs(attempts))
      await store.tried({ alert: alert.id, receiver, state, nextAt, said })
      if (isOver) parts.told({ kind: 'given up', alert, receiver, said })
    }
  }

  const turnOf = (webhook: Webhook): Promise<void> => {
    const { href } = webhook.url
    const turn =
      turns.get(href) ??
      sendTo(webhook).finally(() => {
        turns.delete(href)
      })
    turns.set(href, turn)
    return turn
  }

  const send = async (): Promise<void> => {
    await Promise.all(webhooks.map(turnOf))
    counts = await store.count()
  }

  const raiseCrossing = async (crossing: Crossing): Promise<void> => {
    await raise(thresholdAlert(crossing, crossing.share, clock.now()))
    await send()
  }

  return {
    crossed: (crossing) => {
      const work = raiseCrossing(crossing)
        .catch(parts.report)
        .finally(() => working.delete(work))
      working.add(work)
    },
    look,
    watch: async () => {
      const at = clock.now()
      for (const alert of burn.look(parts.state(at, countersMax, burn.isAbout), at)) await raise(alert)
    },
    send,
    test: async () => {
      const alert = testAlert(`${clock.now()} ${parts.random()}`, clock.now())
      await raise(alert)
      // A turn that has begun may not have it.
      await Promise.allSettled([...turns.values()])
      await send()
      return alert
    },
    counts: () => counts,
    stop: async () => {
      await transport.close()
      await Promise.allSettled([...turns.values(), ...working])
    },
  }
}
