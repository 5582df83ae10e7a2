import type { Call } from '../ledger/entry.ts'
import { type Admission, createAdmission, type Ended } from '../limits/admit.ts'
import type { Asked, Refused } from '../limits/decision.ts'
import type { Limit } from '../limits/limit.ts'
import { limitsOfVendor } from '../limits/limits-of-vendor.ts'
import type { Used } from '../limits/measure.ts'
import { findVendorLimits, type VendorLimits } from '../limits/vendor-limits.ts'
import type { VendorTier } from '../limits/vendor-tier.ts'
import type { Clock, Instant } from '../time.ts'

/** The vendors' own rate limits, by the tier of each account, so that a call waits here for what the vendor would refuse
 * there. They are the vendors' counters, not the operator's: they are kept in memory, from the start of this process on,
 * and refuse nobody. */
export type VendorPools = {
  /** Takes a place in the pool of a call's model. What it takes is undone, or kept until the call ends. */
  readonly enter: (call: Call, asked: Asked) => Entered
  /** A call ended: what it used, where that is known. */
  readonly ended: (callId: string, used: Used | null) => void
  /** What a vendor's reply says about its limits. */
  readonly heard: (call: Call, reply: Heard) => void
}

export type Entered =
  | { readonly refused: Refused }
  | { readonly refused: null; readonly keep: () => void; readonly undo: () => void }

type Heard = {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

type Pool = {
  limits: readonly Limit[]
  readonly admission: Admission
  /** The vendor said when it takes the next call. */
  closedUntil: Instant
}

/** A vendor that closes a pool for longer is asked again after this. */
const closedMsMax = 600_000
/** Models of one vendor that have a pool. The names are what clients write: what has no limits gets none. */
const poolsMax = 1_000

const free: Entered = { refused: null, keep: () => {}, undo: () => {} }

/** An account at a vendor: the tier that the operator says it is in. */
export type Account = { readonly provider: string; readonly tier: VendorTier }

/** `accounts`: by the names under which providers are configured, which calls have. */
export const createVendorPools = (
  accounts: ReadonlyMap<string, Account>,
  vendorLimits: VendorLimits | null,
  clock: Clock,
): VendorPools => {
  const pools = new Map<string, Pool | null>()
  const open = new Map<string, { readonly pool: Pool; readonly ended: Omit<Ended, 'at'> }>()

  const poolOf = ({ provider, model }: Pick<Call, 'provider' | 'model'>, at: Instant): Pool | null => {
    const account = accounts.get(provider)
    if (account === undefined || vendorLimits === null) return null
    const row = findVendorLimits(vendorLimits, { ...account, model, at })
    if (row === null) return null
    const name = `${provider}\n${row.model}\n${row.from}`
    const known = pools.get(name)
    if (known !== undefined) return known
    if (pools.size >= poolsMax) return null
    const theirs = limitsOfVendor(row, { upstream: provider, tuned: vendorLimits.tuned })
    const limits = theirs.map((limit) => ({ ...limit, cap: ours(limit.measure, limit.cap) }))
    const pool =
      limits.length === 0 ? null : { limits, admission: createAdmission(limits, []), closedUntil: 0 }
    pools.set(name, pool)
    return pool
  }

  const closed = ({ admission, closedUntil }: Pool, asked: Asked): Refused | null => {
    const [state] = admission.state(asked.at)
    return closedUntil <= asked.at || state === undefined
      ? null
      : {
          ...({ admitted: false, reason: 'exceeded', action: 'wait', asked: 1n } as const),
          ...{ ...state, free: 0n, fitsAt: closedUntil, fitsWhenFreed: null },
        }
  }

  const end = (callId: string): { readonly pool: Pool; readonly ended: Ended } | null => {
    const held = open.get(callId)
    open.delete(callId)
    return held === undefined ? null : { pool: held.pool, ended: { ...held.ended, at: clock.now() } }
  }

  return {
    enter: (call, asked) => {
      const pool = poolOf(call, asked.at)
      if (pool === null) return free
      const shut = closed(pool, asked)
      if (shut !== null) return { refused: shut }
      const decision = pool.admission.admit(asked)
      if (!decision.admitted) return decision.reason === 'exceeded' ? { refused: decision } : free
      const ended = { holds: decision.holds, reservedAt: asked.at }
      return {
        refused: null,
        keep: () => open.set(call.id, { pool, ended }),
        undo: () => pool.admission.release({ ...ended, at: asked.at }),
      }
    },
    ended: (callId, used) => {
      const held = end(callId)
      if (held !== null) held.pool.admission.settle(held.ended, { cost: 0n, ...(used !== null && { used }) })
    },
    heard: (call, { status, headers }) => {
      const at = clock.now()
      const pool = poolOf(call, at)
      if (pool === null) return
      if (status === 429) {
        const waitMs = retryMs(headers)
        if (waitMs !== null) {
          pool.closedUntil = Math.max(pool.closedUntil, at + Math.min(waitMs, closedMsMax))
        }
        // What a vendor refuses it does not count.
        const held = end(call.id)
        if (held !== null) held.pool.admission.release(held.ended)
      }
      learn(pool, headers, at)
    },
  }
}

/** One request less than the vendor takes at once: calls do not come there in the rhythm in which they leave. */
const ours = (measure: Limit['measure'], cap: bigint): bigint =>
  measure === 'requests' && cap > 1n ? cap - 1n : cap

/** How long to wait, of `retry-after-ms` and `retry-after` in seconds; null where neither is a time. */
const retryMs = (headers: Heard['headers']): number | null => {
  const ms = countIn(headers, 'retry-after-ms')
  const seconds = countIn(headers, 'retry-after')
  return ms ?? (seconds === null ? null : seconds * 1_000)
}

/** A count that a header says, in its plain form: what is anything else, or absurd, is nothing. */
const countIn = (headers: Heard['headers'], name: string): number | null => {
  const written = headers[name]
  const count =
    typeof written === 'string' && /^\d{1,12}(\.\d{1,9})?$/.test(written.trim()) ? Number(written) : null
  return count === null || count > 1e12 ? null : count
}

/** Takes over what the vendor says of its limits: another cap than the file has, where one limit of the measure leaves no
 * doubt which is meant; and that less is left than this gateway has used, because others use the account too. */
const learn = (pool: Pool, headers: Heard['headers'], at: Instant): void => {
  for (const measure of ['requests', 'tokens'] as const) {
    const cap = countIn(headers, `x-ratelimit-limit-${measure}`)
    const left = countIn(headers, `x-ratelimit-remaining-${measure}`)
    const capHere = ours(measure, BigInt(Math.floor(cap ?? 0)))
    const of = pool.limits.filter((limit) => limit.measure === measure)
    const [only] = of
    if (cap === null || cap < 1 || only === undefined) continue
    if (of.length === 1 && only.cap !== capHere) {
      const told = { ...only, cap: capHere }
      pool.limits = pool.limits.map((limit) => (limit === only ? told : limit))
      pool.admission.replace(pool.limits, [])
    }
    const meant = pool.limits.find((limit) => limit.measure === measure && limit.cap === capHere)
    const state = pool.admission.state(at).find(({ limit }) => limit === meant?.name)
    if (left === null || state === undefined) continue
    const others = state.free - BigInt(Math.floor(left))
    if (others > 0n) {
      const { limit, windowStart } = state
      pool.admission.count({ at, settled: [{ limit, measure, windowStart, amount: others }] })
    }
  }
}
