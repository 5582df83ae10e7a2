import { OctroiError } from '../../errors.ts'
import type { Call } from '../../ledger/entry.ts'
import type { Admitted, Asked, LimitState, Refused } from '../../limits/decision.ts'
import { limitsOfVendor, scopeOfRow, type VendorScope } from '../../limits/limits-of-vendor.ts'
import type { Used } from '../../limits/measure.ts'
import {
  findVendorLimits,
  type VendorLimit,
  type VendorLimits,
  vendorTiers,
} from '../../limits/vendor-limits.ts'
import { saidLimits, saidWait } from '../../limits/vendor-limits-said.ts'
import type { Clock, Instant } from '../../time.ts'
import type { Upstream } from '../upstream.ts'
import type { WaitingBounds } from '../waiting.ts'
import { createVendorPool, type VendorPool } from './vendor-pool.ts'
import { type Attempted, createVendorQueue, type VendorQueue } from './vendor-queue.ts'
import { vendorRefusal } from './vendor-refusal.ts'

/** The vendors' own rate limits, so that a call waits here for what the vendor would refuse there. They are the vendors'
 * counters and not the operator's: they are kept in memory, count from the start of this process on, and nothing of them
 * is written. A call takes from them and from the operator's limits at one moment, of all or of none. */
export type VendorPools = {
  /** Asks the operator's limits by `attempt` and the vendor's by `asked` until both admit, as long as a call may wait. What
   * neither the vendor's headers nor a refusal of it has confirmed refuses nobody: the vendor shall say. Throws
   * `rate_limited` where it has said so already. */
  readonly admitted: (
    call: Call,
    asked: () => Asked,
    attempt: () => Admitted | Refused,
    wait: (attempt: () => Admitted | Refused) => Admitted | Refused | Promise<Admitted | Refused>,
  ) => Promise<Admitted | Refused>
  /** A call ended, or was never sent: what it used, where that is known. */
  readonly ended: (callId: string, used: Used | null) => void
  /** How a vendor's reply to a call begins. */
  readonly heard: (call: Call, reply: Heard) => void
  /** Where the limits stand that hold now. */
  readonly state: () => readonly LimitState[]
  /** How many calls wait, by upstream. */
  readonly waiting: () => ReadonlyMap<string, number>
  readonly close: () => void
}

type Heard = {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[]>>
}

type Entry = {
  readonly upstream: string
  readonly pool: VendorPool
  readonly queue: VendorQueue
  row: VendorLimit | null
}

/** How many pools there can be. Models are named by clients, but a vendor says nothing of the limits of models that it does
 * not have. */
const poolsMax = 1_000

/** Wires whose calls vendors count against the limits of their model. Batches, tuning and runs have limits of their own,
 * or none that anybody says. */
const counted: ReadonlySet<string> = new Set([
  ...['chat-completions', 'completions', 'responses', 'embeddings', 'moderations'],
  ...['image-generations', 'image-edits', 'image-variations', 'speech', 'transcriptions', 'translations'],
  ...['messages', 'generate-content', 'converse'],
])

/** No vendor has limits: for calls with a credential of their own, of whose account nothing is known here. */
export const noVendorPools: Pick<VendorPools, 'admitted' | 'ended' | 'heard'> = {
  admitted: async (_call, _asked, attempt, wait) => wait(attempt),
  ended: () => {},
  heard: () => {},
}

/** Throws `bad_input` where an upstream has a tier, and nobody knows what that means at its vendor. */
export const createVendorPools = (
  upstreams: readonly Upstream[],
  files: VendorLimits,
  clock: Clock,
  bounds: WaitingBounds,
): VendorPools => {
  for (const upstream of upstreams) checkTier(upstream, files, clock.now())
  const accounts = new Map(upstreams.map((upstream) => [upstream.name, upstream]))
  const entries = new Map<string, Entry>()
  const open = new Map<string, Entry>()

  const rowOf = ({ provider, tier }: Upstream, model: string): VendorLimit | null =>
    tier === null ? null : findVendorLimits(files, { provider: provider.id, model, tier, at: clock.now() })

  /** The pool of a call. It is made where the files have limits for it, or `isSaid`: the vendor said something of them. */
  const entryOf = (call: Call, isSaid: boolean): Entry | null => {
    const upstream = accounts.get(call.provider)
    if (upstream === undefined || !upstream.learnsLimits || !counted.has(call.endpoint)) return null
    const row = rowOf(upstream, call.model)
    const name = `${upstream.name}\n${row?.model ?? call.model}`
    const known = entries.get(name)
    if (known !== undefined) return refreshed(known, row, upstream)
    if ((row === null && !isSaid) || entries.size >= poolsMax) return null
    const entry = openEntry(upstream, row, call.model)
    entries.set(name, entry)
    return entry
  }

  const filedOf = (row: VendorLimit | null, { name: upstream, tier }: Upstream) =>
    row === null ? [] : limitsOfVendor(row, { upstream, tuned: files.tuned, tier })

  const openEntry = (upstream: Upstream, row: VendorLimit | null, model: string): Entry => {
    const scope: VendorScope =
      row === null
        ? { upstream: upstream.name, model, names: [model], tier: null }
        : scopeOfRow(row, { upstream: upstream.name, tuned: files.tuned, tier: upstream.tier })
    const pool = createVendorPool(scope, filedOf(row, upstream), clock)
    return { upstream: upstream.name, pool, queue: createVendorQueue(clock, bounds, pool.turnAt), row }
  }

  /** The files may know other limits from now on. */
  const refreshed = (entry: Entry, row: VendorLimit | null, upstream: Upstream): Entry => {
    if (row !== null && row !== entry.row) entry.pool.replace(filedOf(row, upstream))
    entry.row = row
    return entry
  }

  const leave = (callId: string): Entry | undefined => {
    const entry = open.get(callId)
    open.delete(callId)
    return entry
  }

  const ended = (callId: string, used: Used | null): void => {
    const entry = leave(callId)
    entry?.pool.ended(callId, used)
    entry?.queue.look()
  }

  return {
    admitted: async (call, asked, attempt, wait) => {
      const entry = entryOf(call, false)
      if (entry === null) return wait(attempt)
      const { pool, queue } = entry
      const both = (): Attempted => {
        const refused = pool.enter(call.id, asked())
        if (refused !== null) return { byVendor: true, answer: refused }
        open.set(call.id, entry)
        const answer = attempt()
        if (!answer.admitted) {
          open.delete(call.id)
          pool.ended(call.id, notSent)
        }
        return { byVendor: false, answer }
      }
      let last = await queue.run(both)
      if (!last.byVendor && !last.answer.admitted && last.answer.action === 'wait') {
        await wait(() => {
          last = both()
          return last.answer
        })
      }
      if (!last.byVendor) return last.answer
      if (pool.isSaid() && last.answer.fitsAt !== null) throw vendorRefusal(call, last.answer, clock.now())
      const isTooLarge = last.answer.fitsAt === null
      const passed = await wait(attempt)
      if (passed.admitted && !isTooLarge) {
        open.set(call.id, entry)
        pool.force(call.id, asked())
      }
      return passed
    },
    ended,
    heard: (call, { status, headers }) => {
      const at = clock.now()
      const upstream = accounts.get(call.provider)
      if (upstream === undefined || !upstream.learnsLimits) return
      const { rateLimits } = upstream.provider
      const said = rateLimits === undefined ? [] : saidLimits(headers, rateLimits, at)
      const waitMs = status === 429 ? saidWait(headers, at) : null
      const entry = entryOf(call, said.length > 0 || waitMs !== null)
      if (entry === null) return
      if (status === 429) {
        open.delete(call.id)
        entry.pool.refused(call.id, waitMs)
      }
      if (status < 400) entry.pool.heard(said)
      entry.queue.look()
    },
    state: () => [...entries.values()].flatMap(({ pool }) => pool.state(clock.now())),
    waiting: () => {
      const counts = new Map<string, number>()
      for (const { upstream, queue } of entries.values()) {
        counts.set(upstream, (counts.get(upstream) ?? 0) + queue.count())
      }
      return counts
    },
    close: () => {
      for (const { queue } of entries.values()) queue.close()
    },
  }
}

/** What a call that never came to its vendor used of its limits there. */
const notSent: Used = { requests: 0n, tokens: 0n, images: 0n }

const checkTier = ({ name, provider, tier }: Upstream, files: VendorLimits, at: Instant): void => {
  if (tier === null) return
  const isKnown = files.limits.some((row) => row.provider === provider.id)
  if (isKnown || vendorTiers(files, { provider: provider.id, at }).length > 0) return
  const known = [...new Set(files.limits.map((row) => row.provider))]
  throw new OctroiError(
    'bad_input',
    `Configuration: providers.${name}.tier: the limits of tiers are known of ${known.join(', ') || 'no provider'} only. ` +
      'Leave it out, and set "rateLimits" to "learn" to take them from the replies of the vendor.',
  )
}
