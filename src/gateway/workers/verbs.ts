import type { Attempt, Reservation, Settlement } from '../../ledger/entry.ts'
import type { Actual, Asked, LimitState, Misfit, Refused } from '../../limits/admit.ts'
import type { CounterName } from '../../limits/hold.ts'
import type { Used } from '../../limits/measure.ts'
import type { Left, Lent } from '../../limits/slice.ts'
import type { Picos } from '../../money/money.ts'
import type { Instant } from '../../time.ts'
import type { Use } from '../accruals/accruals.ts'
import type { RefusedRequest } from '../handle.ts'
import type { NamedObject, ObjectName, OwnedObject } from '../registry/registry.ts'
import type { WrittenRules } from '../rules.ts'
import type { SpoolPlace } from '../spool/spool-queue.ts'

/** Where a limit stands for a call, and whether that fits it. */
export type StateAbout = LimitState & Pick<Misfit, 'action' | 'asked'> & { readonly fits: boolean }

/** Both ends must be of one version: a worker runs the code that is on the disk, its keeper that it was started with. */
export const protocol = 1

/** What holds for a worker when it begins. */
export type Beginning = {
  readonly rules: WrittenRules
  readonly epoch: number
  readonly pepper: Uint8Array
}

/** What the keeper answers to a worker. */
export type KeeperVerbs = {
  readonly begin: (asked: { readonly protocol: number }) => Beginning
  /** Lends what a call needs of all its limits. With `wait` the call waits where its limits let it. */
  readonly lend: (call: { readonly asked: Asked; readonly wait: boolean }) => Promise<Lent | Refused>
  readonly giveBack: (back: { readonly left: readonly Left[]; readonly epoch: number }) => void
  /** Where the limits of a call stand. */
  readonly about: (asked: Asked) => readonly StateAbout[]
  /** Books a call that was admitted from slices, at an instant and under an epoch. */
  readonly reserve: (call: {
    readonly reservation: Reservation
    readonly allowance: Picos | null
    readonly epoch: number
    readonly at: Instant
  }) => Promise<SpoolPlace | null>
  readonly settle: (call: {
    readonly settlement: Settlement
    readonly came: { readonly to: Actual; readonly used: Used }
  }) => Promise<SpoolPlace | null>
  readonly release: (call: {
    readonly callId: string
    readonly reason: string
    readonly attempt?: Attempt
  }) => Promise<void>
  readonly letGo: (callId: string) => void
  readonly useSession: (use: Use) => Promise<void>
  readonly pseudonym: (name: string) => Promise<string>
  readonly object: (name: ObjectName) => Promise<OwnedObject | null>
  readonly among: (asked: {
    readonly upstream: string
    readonly ids: readonly string[]
  }) => Promise<readonly NamedObject[]>
  readonly remember: (objects: readonly OwnedObject[]) => Promise<void>
  readonly grow: (growth: {
    readonly name: ObjectName
    readonly by: number | null
    readonly model?: string
  }) => Promise<void>
  /** Reads stored keys, of applications and of vendors. */
  readonly read: (stored: { readonly verb: string; readonly argument: unknown }) => Promise<unknown>
  readonly refused: (request: RefusedRequest) => void
  /** What has been counted since this was last told, and what stands. */
  readonly standing: (standing: WorkerStanding) => void
}

/** How long a vendor took, in seconds. */
export type Timing = {
  readonly provider: string
  readonly of: 'first byte' | 'reply'
  readonly seconds: number
}

/** How a worker fares. `requestsInFlight` without those that the keeper answers for it. */
export type WorkerStanding = {
  readonly timings: readonly Timing[]
  readonly requestsInFlight: number
  readonly residentBytes: number
}

/** What a worker answers to the keeper. Each resolves when it holds in the worker. */
export type WorkerVerbs = {
  readonly giveBack: (counters: readonly CounterName[]) => {
    readonly left: readonly Left[]
    readonly epoch: number
  }
  readonly rules: (changed: { readonly written: WrittenRules; readonly epoch: number }) => void
  readonly keyChanged: (id: string) => Promise<void>
  readonly providerKeysChanged: (none: null) => Promise<void>
}
