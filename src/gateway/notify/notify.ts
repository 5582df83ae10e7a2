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
  /** Looks at the limits as they stand, and raises what nobody was told of yet. */
  readonly look: () => Promise<void>
  /** Looks soon: something may have crossed. */
  readonly nudge: () => void
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
  readonly state: (at: Instant, countersMax: number) => readonly LimitState[]
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
  let [looking, sending]: [Promise<void> | null, Promise<void> | null] = [null, null]
  let nudged: NodeJS.Timeout | undefined
  let counts: Readonly<Record<string, number>> = {}

  const raise = async (alert: StoredAlert): Promise<void> => {
    if (known.has(alert.id)) return
    const isNew = await store.raise({ alert, receivers })
    known.add(alert.id)
    if (isNew) parts.told({ kind: 'raised', alert })
  }

  const lookNow = async (): Promise<void> => {
    const at = clock.now()
    const limits = new Map(parts.limits().map((limit) => [limit.name, limit]))
    if (![...limits.values()].some(({ warnAt }) => warnAt.length > 0) && !burn.isAny) return
    const states = parts.state(at, countersMax)
    for (const state of states) {
      for (const share of limits.get(state.limit)?.warnAt ?? []) {
        if (isReached(share, state)) await raise(thresholdAlert(state, format(share), at))
      }
    }
    for (const alert of burn.look(states, at)) await raise(alert)
  }

  const look = (): Promise<void> => {
    looking ??= lookNow().finally(() => {
      looking = null
    })
    return looking
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

  const send = (): Promise<void> => {
    sending ??= Promise.all(webhooks.map(sendTo))
      .then(async () => {
        counts = await store.count()
      })
      .finally(() => {
        sending = null
      })
    return sending
  }

  return {
    look,
    nudge: () => {
      nudged ??= setTimeout(() => {
        nudged = undefined
        look().then(send).catch(parts.report)
      }, 50)
    },
    send,
    test: async () => {
      const alert = testAlert(`${clock.now()} ${parts.random()}`, clock.now())
      await raise(alert)
      await send()
      return alert
    },
    counts: () => counts,
    stop: async () => {
      clearTimeout(nudged)
      await transport.close()
      await Promise.allSettled([looking, sending])
    },
  }
}
