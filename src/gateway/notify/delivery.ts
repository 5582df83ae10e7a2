import type { Clock } from '../../time.ts'
import type { AlertStore, DueDelivery, StoredAlert } from '../registry/alerts.ts'
import type { SendWebhook, Webhook } from './webhook.ts'

/** Brings alerts that are kept to those that are to get them. */
export type Delivery = {
  /** Sends what is due, one after another to each receiver, and to all of them beside each other. A receiver that does
   * not take one is left alone until the next time, so that it hears of all that waits when it is well again. */
  readonly send: () => Promise<void>
  /** Sends one to every receiver now, beside what waits. */
  readonly deliver: (alert: StoredAlert) => Promise<void>
  /** Deliveries by their state, as of the last sending. */
  readonly counts: () => Readonly<Record<string, number>>
  /** Sends nothing more. */
  readonly stop: () => void
}

/** An alert that a receiver will not get, and why. */
export type GivenUp = {
  readonly kind: 'given up'
  readonly alert: StoredAlert
  readonly receiver: string
  readonly said: string
}

/** No attempt takes longer. */
export const deliveryMsMax = 10_000

const perTurn = 100
const firstWaitMs = 5_000
const longestWaitMs = 3_600_000
/** A receiver that takes nothing for so long is not asked again. */
const giveUpAfterMs = 86_400_000

export const createDelivery = (parts: {
  readonly store: AlertStore
  readonly webhooks: readonly Webhook[]
  readonly transport: { readonly send: SendWebhook }
  readonly clock: Clock
  /** From 0 to 1: spreads retries. */
  readonly random: () => number
  readonly told: (event: GivenUp) => void
}): Delivery => {
  const { store, webhooks, transport, clock } = parts
  const turns = new Map<Webhook, Promise<void>>()
  let counts: Readonly<Record<string, number>> = {}
  let stopped = false

  /** From half of it to all of it, doubled with each attempt. */
  const waitMs = (attempts: number): number =>
    Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(attempts, 20)) * (0.5 + parts.random() / 2)

  /** False where it was not taken. */
  const attempt = async (webhook: Webhook, { alert, attempts }: DueDelivery): Promise<boolean> => {
    const said = await transport.send(webhook, alert, clock.now())
    // What was broken off by the end of this process is tried again by the next.
    if (stopped && said !== null) return false
    const at = clock.now()
    const isOver = said !== null && at - alert.at >= giveUpAfterMs
    const state = said === null ? 'sent' : isOver ? 'given up' : 'pending'
    const receiver = webhook.url.href
    const nextAt = Math.ceil(at + waitMs(attempts))
    await store.tried({ alert: alert.id, receiver, state, nextAt, said })
    if (isOver) parts.told({ kind: 'given up', alert, receiver, said: `${said}, for a day` })
    return said === null
  }

  const turnOf = async (webhook: Webhook): Promise<void> => {
    const receiver = webhook.url.href
    for (;;) {
      const due = stopped ? [] : await store.due({ receiver, at: clock.now(), limit: perTurn })
      for (const each of due) if (stopped || !(await attempt(webhook, each))) return
      if (due.length < perTurn) return
    }
  }

  /** Joins the turn of a receiver that has one. */
  const begin = (webhook: Webhook): Promise<void> => {
    const turn =
      turns.get(webhook) ??
      turnOf(webhook).finally(() => {
        turns.delete(webhook)
      })
    turns.set(webhook, turn)
    return turn
  }

  const count = async (): Promise<void> => {
    if (!stopped) counts = await store.count()
  }

  return {
    send: async () => {
      if (webhooks.length === 0) return
      // A receiver that hangs does not keep the others from being counted.
      await Promise.all([count(), ...webhooks.map((webhook) => begin(webhook).then(count))])
    },
    deliver: async (alert) => {
      await Promise.all(webhooks.map((webhook) => attempt(webhook, { alert, attempts: 0 })))
      await count()
    },
    counts: () => counts,
    stop: () => {
      stopped = true
    },
  }
}
