import { createAdmission, type Ended } from '../../limits/admit.ts'
import type { Asked, LimitState, Refused } from '../../limits/decision.ts'
import type { Limit } from '../../limits/limit.ts'
import { limitOfVendor, type VendorScope } from '../../limits/limits-of-vendor.ts'
import type { Used } from '../../limits/measure.ts'
import type { SaidLimit } from '../../limits/vendor-limits-said.ts'
import type { Clock, Instant } from '../../time.ts'

/** What one account may use of one model, with what shares its limits. */
export type VendorPool = {
  /** Takes what a call asks, or says why it cannot be had; null is taken. */
  readonly enter: (callId: string, asked: Asked) => Refused | null
  /** Takes it, room or not: the vendor shall say. */
  readonly force: (callId: string, asked: Asked) => void
  /** A call ended, or was never sent: what it used of the limits, where that is known. */
  readonly ended: (callId: string, used: Used | null) => void
  /** The vendor refused a call, which counts for nothing there; it may have said when it takes the next. */
  readonly refused: (callId: string, waitMs: number | null) => void
  /** The vendor took a call, and said how its limits stand. */
  readonly heard: (said: readonly SaidLimit[]) => void
  /** When a call comes to its turn that finds so many before it; null where nobody knows. */
  readonly turnAt: (refused: Refused, before: number) => Instant | null
  /** Whether the vendor itself has said what holds here. */
  readonly isSaid: () => boolean
  readonly state: (at: Instant) => readonly LimitState[]
  /** Puts other limits of the files in the place of those there are. */
  readonly replace: (limits: readonly Limit[]) => void
}

/** A vendor that wants to be left alone for longer is asked again after this. */
const closedMsMax = 600_000
/** After a refusal calls go one by one, each when the one before was answered, or when this has passed: refusals come at
 * once, replies may take minutes. */
const singleMsMax = 1_000

/** Opens a pool with the limits of the files, or none. */
export const createVendorPool = (scope: VendorScope, filed: readonly Limit[], clock: Clock): VendorPool => {
  let limits = filed.map(ours)
  const admission = createAdmission(limits, [])
  const open = new Map<string, Omit<Ended, 'at'>>()
  let isSaid = false
  let closedUntil: Instant = 0
  /** Since the vendor refused a call, none was taken: the one that goes alone, and until when nothing follows it. */
  let single: { readonly callId: string | null; readonly until: Instant } | null = null

  const shut = (at: Instant): Refused | null => {
    const until = Math.max(closedUntil, single?.callId == null ? 0 : single.until)
    if (until <= at) return null
    const [first] = admission.state(at)
    const state =
      first ??
      ({
        ...{ limit: `${scope.upstream} calls of ${scope.model}`, counter: {}, measure: 'requests', cap: 0n },
        ...{
          currency: null,
          windowStart: at,
          resetsAt: until,
          settled: 0n,
          held: 0n,
          unresolved: 0n,
          over: 0n,
        },
      } as const)
    const why = { admitted: false, reason: 'exceeded', action: 'wait', asked: 1n } as const
    return { ...why, ...state, free: 0n, fitsAt: until, fitsWhenFreed: null }
  }

  const take = (callId: string, asked: Asked, holds: Ended['holds']): void => {
    open.set(callId, { holds, reservedAt: asked.at })
    if (single !== null) single = { callId, until: asked.at + singleMsMax }
  }

  const leave = (callId: string): Ended | null => {
    const held = open.get(callId)
    open.delete(callId)
    if (single?.callId === callId) single = { callId: null, until: 0 }
    return held === undefined ? null : { ...held, at: clock.now() }
  }

  const put = (changed: readonly Limit[]): void => {
    limits = [...changed]
    admission.replace(limits, [])
  }

  const learn = ({ measure, cap, left, lengthMs }: SaidLimit, at: Instant): void => {
    const told = BigInt(cap)
    const same = limits.filter((limit) => limit.measure === measure)
    const known = same.find(({ cap: here, window }) =>
      lengthMs === null
        ? here === ourCap(measure, told)
        : window !== null && 'bucket' in window && window.lengthMs === lengthMs,
    )
    if (known === undefined && lengthMs === null) return
    const next = ours(
      known === undefined
        ? limitOfVendor(scope, { measure, lengthMs: lengthMs ?? 0, cap: told })
        : { ...known, cap: told },
    )
    isSaid = true
    if (known === undefined) put([...limits, next])
    else if (known.cap !== next.cap) put(limits.map((limit) => (limit === known ? next : limit)))
    const state = admission.state(at).find(({ limit }) => limit === next.name)
    if (left === null || state === undefined) return
    // Others use the account too.
    const room = BigInt(left) - (told - next.cap)
    const amount = state.free - (room > 0n ? room : 0n)
    if (amount > 0n) {
      const { windowStart } = state
      admission.count({ at, settled: [{ limit: next.name, measure, windowStart, amount }] })
    }
  }

  return {
    enter: (callId, asked) => {
      const isShut = shut(asked.at)
      if (isShut !== null) return isShut
      const first = admission.admit(asked)
      // What nobody can bound, such as images billed by tokens, counts as the request that it is.
      const decision =
        first.admitted || first.reason === 'exceeded'
          ? first
          : admission.admit({ ...asked, quote: { unpriced: [], pricedMost: 0n, usage: [] } })
      if (!decision.admitted) return decision
      take(callId, asked, decision.holds)
      return null
    },
    force: (callId, asked) => take(callId, asked, admission.hold(asked)),
    ended: (callId, used) => {
      const held = leave(callId)
      if (held !== null) admission.settle(held, { cost: 0n, ...(used !== null && { used }) })
    },
    refused: (callId, waitMs) => {
      const held = leave(callId)
      if (held !== null) admission.release(held)
      if (waitMs === null) return
      isSaid = true
      closedUntil = Math.max(closedUntil, clock.now() + Math.min(waitMs, closedMsMax))
      single = { callId: null, until: 0 }
    },
    heard: (said) => {
      if (closedUntil <= clock.now()) single = null
      for (const each of said) learn(each, clock.now())
    },
    turnAt: (refused, before) => {
      if (!isSaid || refused.fitsAt === null) return null
      const paces = limits.flatMap(({ measure, window, cap }) =>
        measure === 'requests' && window !== null && 'bucket' in window && cap > 0n
          ? [window.lengthMs / Number(cap)]
          : [],
      )
      return Math.ceil(refused.fitsAt + before * Math.max(0, ...paces))
    },
    isSaid: () => isSaid,
    state: (at) => admission.state(at),
    replace: (next) => put(next.map(ours)),
  }
}

/** A hundredth less of the requests than the vendor takes at once, at least one: calls do not come there in the rhythm in
 * which they leave. */
const ourCap = (measure: Limit['measure'], cap: bigint): bigint => {
  if (measure !== 'requests' || cap <= 1n) return cap
  const hundredth = cap / 100n
  return cap - (hundredth > 1n ? hundredth : 1n)
}

const ours = (limit: Limit): Limit => ({ ...limit, cap: ourCap(limit.measure, limit.cap) })
