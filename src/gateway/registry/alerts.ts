import type { Database } from '../../ledger/database.ts'
import { formatInstant, type Instant } from '../../time.ts'

/** An alert as it is kept. `body` is the JSON that is sent, the same at each attempt. */
export type StoredAlert = {
  readonly id: string
  readonly type: string
  readonly body: string
  readonly at: Instant
}

/** An alert that is to be kept, and whom it is to reach from which instant on. */
export type RaisedAlert = {
  readonly alert: StoredAlert
  readonly receivers: readonly string[]
  readonly dueAt: Instant
  /** A receiver that has so many to come gets none more, and `full` is said of it. */
  readonly pendingMax: number
  readonly full: string
}

export type DueDelivery = { readonly alert: StoredAlert; readonly attempts: number }

export type TriedDelivery = {
  readonly alert: string
  readonly receiver: string
  readonly state: 'pending' | 'sent' | 'given up'
  readonly nextAt: Instant
  readonly said: string | null
}

/** An alert and what became of it at each of its receivers. */
export type ListedAlert = StoredAlert & {
  readonly deliveries: readonly {
    readonly receiver: string
    readonly state: string
    readonly attempts: number
    readonly said: string | null
  }[]
}

/** Alerts, durable: each once. */
export type AlertStore = {
  /** Gives the receivers whose queues are full; null where it was raised before. */
  readonly raise: (raised: RaisedAlert) => Promise<readonly string[] | null>
  readonly due: (asked: { receiver: string; at: Instant; limit: number }) => Promise<readonly DueDelivery[]>
  readonly tried: (delivery: TriedDelivery) => Promise<void>
  /** The latest first. */
  readonly list: (limit: number) => Promise<readonly ListedAlert[]>
  /** Deliveries by their state. */
  readonly count: () => Promise<Readonly<Record<string, number>>>
  /** Forgets what was raised before an instant and cannot be raised again. */
  readonly forget: (before: Instant) => Promise<void>
}

/** The alerts of a database that was opened with `registryStore`. */
export const openAlerts = (database: Database): AlertStore => ({
  raise: (raised) => database.call('registry', 'raiseAlert', raised),
  due: (asked) => database.call('registry', 'dueAlerts', asked),
  tried: (delivery) => database.call('registry', 'triedAlert', delivery),
  list: (limit) => database.call('registry', 'listAlerts', limit),
  count: () => database.call('registry', 'countAlerts', null),
  forget: (before) =>
    database.call('registry', 'forgetAlerts', { at: before, written: formatInstant(before) }),
})
