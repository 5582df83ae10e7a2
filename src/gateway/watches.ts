import { type Later, type LaterWire, laterPath, readLater } from '../endpoints/later.ts'
import { OctroiError } from '../errors.ts'
import { type Asking, ask, askingAs, betaOf } from './ask.ts'
import type { Exchange } from './exchange.ts'
import type { Parts } from './parts.ts'
import type { WatchedLater } from './registry/registry.ts'
import { settleJob } from './settle-job.ts'
import { type HeldRun, settleRun } from './settle-run.ts'
import type { Upstream } from './upstream.ts'

/** Runs and jobs that go on at the vendor after their reply: asked after until they end, then settled once. */
export type Watches = {
  /** Throws `overloaded` when as many are asked after as there may be. */
  readonly checkRoom: () => void
  readonly began: (later: Later, exchange: Exchange, held: HeldRun) => Promise<void>
  /** A client's own reading shows that one has ended. Resolves when it is settled, whoever settles it. */
  readonly ended: (later: Later, exchange: Exchange) => Promise<void>
  /** Settles the runs of a thread that are over but not settled yet. True where there were any to ask after. */
  readonly catchUp: (upstream: string, thread: string) => Promise<boolean>
  /** Takes up those that an earlier process left, as far as the configuration has a credential for them. */
  readonly resume: (upstreams: readonly Upstream[]) => Promise<void>
  readonly close: () => void
}

/** How often one is asked after, in real time: waits that grow from the first to the longest, and how many of them
 * before it is given up. */
export type Rhythm = { readonly firstMs: number; readonly longestMs: number; readonly times: number }
export type Rhythms = Readonly<Record<LaterWire['kind'], Rhythm>>

/** A run is there at most ten minutes, unless it waits for its client. A job may be done in seconds, or wait its turn
 * and train for hours; it is given up after two weeks. */
export const defaultRhythms: Rhythms = {
  run: { firstMs: 500, longestMs: 10_000, times: 2_000 },
  job: { firstMs: 5_000, longestMs: 600_000, times: 2_016 },
}

type Watch = HeldRun & {
  readonly asking: Asking
  readonly wire: LaterWire
  readonly path: string
  readonly thread: string | null
  settling: Promise<void> | null
  timer: NodeJS.Timeout | undefined
  /** How often the vendor has said that there is no such thing, or not what it used, since it last showed it. Then it is
   * asked again soon: what is gone does not come back, and holds what others could use. */
  missed: number
}

/** The first question about what an earlier process left: it may have ended long ago. Many are asked one by one. */
const resumedMs = 500
const betweenResumedMs = 5
const missedMax = 3
const settledRemembered = 10_000

export const createWatches = (parts: Parts, rhythms: Rhythms, report: (error: unknown) => void): Watches => {
  const watched = new Map<string, Watch>()
  const settled = new Set<string>()

  const longer = ({ wire }: Watch, waitMs: number): number =>
    Math.min(waitMs * 1.5, rhythms[wire.kind].longestMs)

  const forget = async (watch: Watch): Promise<void> => {
    clearTimeout(watch.timer)
    watched.delete(nameOf(watch))
    await parts.registry.unwatch({ upstream: watch.asking.upstream.name, path: watch.path })
  }

  /** Nobody can say any more what it used: its hold expires, and stays counted at its most. */
  const giveUp = async (watch: Watch): Promise<void> => {
    parts.leases.letGo(watch.reservation.call.id)
    await forget(watch)
  }

  const settleWatched = async (watch: Watch, later: Later): Promise<void> => {
    if (!(await settleLater(parts, watch, later))) {
      watch.settling = null
      miss(watch)
      return
    }
    settled.add(nameOf(watch))
    const [oldest] = settled.size > settledRemembered ? settled : []
    if (oldest !== undefined) settled.delete(oldest)
    await forget(watch)
  }

  const settleOnce = (watch: Watch, later: Later): Promise<void> => {
    clearTimeout(watch.timer)
    watch.settling ??= settleWatched(watch, later).catch((error: unknown) => {
      watch.settling = null
      const { longestMs, times } = rhythms[watch.wire.kind]
      failed(watch, error, { waitMs: longestMs, polls: times / 2 })
    })
    return watch.settling
  }

  const miss = (watch: Watch): void => {
    watch.missed += 1
    poll(watch, rhythms[watch.wire.kind].firstMs, watch.missed >= missedMax ? 0 : missedMax)
  }

  const failed = (
    watch: Watch,
    error: unknown,
    { waitMs, polls }: { waitMs: number; polls: number },
  ): void => {
    report(error)
    const gone = error instanceof OctroiError && error.code === 'unknown_object'
    if (gone) watch.missed += 1
    const nextMs = gone ? rhythms[watch.wire.kind].firstMs : waitMs
    poll(watch, nextMs, gone && watch.missed >= missedMax ? 0 : polls)
  }

  const look = async (watch: Watch): Promise<Later | null> =>
    readLater(watch.wire, await ask(parts, watch.asking, watch.path))

  const poll = (watch: Watch, waitMs: number, polls: number): void => {
    if (watched.get(nameOf(watch)) !== watch) return
    if (polls <= 0) {
      void giveUp(watch).catch(report)
      return
    }
    clearTimeout(watch.timer)
    watch.timer = setTimeout(() => {
      void look(watch)
        .then((later) => {
          if (later?.seen.ended === true) return settleOnce(watch, later)
          watch.missed = 0
          return poll(watch, longer(watch, waitMs), polls - 1)
        })
        .catch((error: unknown) => failed(watch, error, { waitMs: longer(watch, waitMs), polls: polls - 1 }))
    }, waitMs)
    watch.timer.unref()
  }

  const begin = (begun: Omit<Watch, 'settling' | 'timer' | 'missed'>): Watch => {
    const watch: Watch = { ...begun, settling: null, timer: undefined, missed: 0 }
    watched.set(nameOf(watch), watch)
    return watch
  }

  /** One that this process does not watch: it began it and an earlier process left it, or it is one of a client. */
  const endedUnwatched = async (later: Later, asking: Asking): Promise<void> => {
    const name = { upstream: asking.upstream.name, kind: later.kind, id: later.seen.id }
    const owned = await parts.registry.object(name)
    if (owned === null || owned.callId === null) return
    const reservation = await parts.ledger.unended(owned.callId)
    if (reservation === null) return
    const place = placeOf(later)
    const known = watched.get(nameOf({ asking, ...place }))
    const { wire } = later
    await settleOnce(known ?? begin({ asking, wire, ...place, reservation, answerMost: null }), later)
  }

  const resumeOne = async (
    later: WatchedLater,
    { upstreams, waitMs }: { upstreams: readonly Upstream[]; waitMs: number },
  ): Promise<void> => {
    const upstream = upstreams.find(({ name }) => name === later.upstream)
    const reservation = await parts.ledger.unended(later.callId)
    if (reservation === null) return parts.registry.unwatch(later)
    const wire = upstream === undefined ? null : laterWireOf(upstream, reservation.call.endpoint)
    if (upstream === undefined || wire === null || upstream.credential() === null) return
    parts.leases.hold(later.callId)
    const headers = later.beta === null ? {} : { 'openai-beta': later.beta }
    const asking = { upstream, caller: { key: null, ownCredential: null, tags: {} }, headers }
    const { path, thread, answerMost } = later
    const watch = begin({ asking, wire, path, thread, reservation, answerMost })
    poll(watch, waitMs, rhythms[wire.kind].times)
  }

  return {
    checkRoom: () => {
      if (watched.size < parts.bounds.watchesMax) return
      throw new OctroiError(
        'overloaded',
        'This gateway asks after as many runs and jobs as it can. Try again when some have ended.',
      )
    },
    began: async (later, exchange, held) => {
      const asking = askingAs(exchange)
      const place = placeOf(later)
      const { wire } = later
      const { id } = held.reservation.call
      // It goes on for longer than this process may live: from now on its reservation must be on the disk.
      await parts.ledger.renew({ callIds: [id], until: parts.leases.until(parts.clock.now()) })
      const watch = begin({ ...held, asking, wire, ...place })
      if (asking.caller.ownCredential === null) {
        await parts.registry.watch({
          upstream: asking.upstream.name,
          ...place,
          callId: id,
          beta: betaOf(asking),
          answerMost: held.answerMost,
        })
      }
      const { firstMs, times } = rhythms[wire.kind]
      poll(watch, firstMs, times)
    },
    ended: async (later, exchange) => {
      const asking = askingAs(exchange)
      const name = nameOf({ asking, ...placeOf(later) })
      const watch = watched.get(name)
      if (watch !== undefined) return settleOnce(watch, later)
      if (!settled.has(name)) await endedUnwatched(later, asking)
    },
    catchUp: async (upstream, thread) => {
      const open = [...watched.values()].filter(
        (watch) => watch.asking.upstream.name === upstream && watch.thread === thread,
      )
      for (const watch of open) {
        const later = await look(watch).catch((error: unknown) => {
          report(error)
          return null
        })
        if (later?.seen.ended === true) await settleOnce(watch, later)
      }
      return open.length > 0
    },
    resume: async (upstreams) => {
      for (const [at, later] of (await parts.registry.watched()).entries()) {
        await resumeOne(later, { upstreams, waitMs: resumedMs + at * betweenResumedMs })
      }
    },
    close: () => {
      for (const { timer } of watched.values()) clearTimeout(timer)
      watched.clear()
    },
  }
}

const nameOf = ({ asking, path }: Pick<Watch, 'asking' | 'path'>): string =>
  `${asking.upstream.name}\n${path}`

const placeOf = (later: Later): Pick<Watch, 'path' | 'thread'> => ({
  path: laterPath(later),
  thread: later.kind === 'run' ? later.seen.thread : null,
})

/** False where what it used is not said, and cannot be counted. */
const settleLater = async (parts: Parts, watch: Watch, later: Later): Promise<boolean> => {
  const { asking, reservation, answerMost } = watch
  if (later.kind === 'job') return settleJob(parts, asking.upstream, { reservation, job: later.seen })
  await settleRun(parts, asking, { reservation, answerMost, wire: later.wire, run: later.seen })
  return true
}

const laterWireOf = ({ provider }: Upstream, endpoint: string): LaterWire | null => {
  for (const { id, routes } of provider.endpoints) {
    if (id !== endpoint) continue
    for (const route of routes) {
      if (route.billing === 'later') return route.wire
      if (route.billing === 'reply' && route.later !== undefined) return route.later.wire
    }
  }
  return null
}
