import cluster, { type Worker as Process } from 'node:cluster'
import { OctroiError } from '../../errors.ts'
import type { PriceFile } from '../../pricing/price-book.ts'
import { openDoor, type Taker } from './door.ts'
import type { Keeper } from './keeper.ts'

/** What a worker is started with. `config` and `prices` as they are written: the keeper has read and checked them, and a
 * worker that is started later shall have the same. `clock` as on the command line; null is the machine's. */
export type Start = {
  readonly config: unknown
  readonly prices: readonly PriceFile[]
  readonly clock: string | null
  readonly keeperPath: string
}

/** What the keeper tells a worker of its life. */
export type Order =
  | { readonly start: Start }
  /** With it comes a connection; the worker says when it has it. */
  | { readonly connection: number }
  | { readonly retire: { readonly waitMs: number; readonly refuse: boolean } }

/** What a worker tells of its life. */
export type Said = 'up' | 'ready' | 'leaving' | { readonly failed: string } | { readonly taken: number }

/** What becomes of workers, for the log. `again`: in how many milliseconds another one is started in its place. */
export type CrewEvent = {
  readonly worker: string
  readonly pid: number | null
  readonly is: 'ready' | 'retired' | 'ended'
  readonly by?: string
  readonly again?: number
}

/** The worker processes of a gateway. */
export type Crew = {
  /** Where clients connect. */
  readonly port: number
  /** Starts as many new workers, by other settings. When all are ready `changed` is called, then calls go to them and the
   * old ones retire. Where one does not get ready, or `changed` fails, all stays as it was, and it rejects. */
  readonly replace: (start: () => Start, changed: () => Promise<void>) => Promise<void>
  /** Lets all workers end what they have, and waits until they are gone. */
  readonly stop: () => Promise<void>
}

export type CrewOptions = {
  readonly size: number
  readonly keeper: Keeper
  readonly place: { readonly host: string; readonly port: number }
  readonly start: () => Start
  readonly drainMs: number
  readonly told: (event: CrewEvent) => void
}

type Hand = Taker & {
  readonly name: string
  readonly process: Process
  readonly ready: Promise<void>
  readonly ended: Promise<void>
  /** `working`: calls go to it, and another takes its place when it ends. */
  state: 'starting' | 'working' | 'retiring'
}

/** How long a worker may take to get ready. */
const startMsMax = 60_000
/** What a worker may take to end beyond the time that its calls have. */
const endMsMax = 8_000
/** A worker that lived longer is replaced at once. */
const soundMs = 10_000
const firstBackoffMs = 250
const longestBackoffMs = 10_000

/** Starts workers, to which calls go when this resolves. Rejects with `bad_input` where one does not get so far, or the
 * port is taken. */
export const startCrew = async (options: CrewOptions): Promise<Crew> => {
  const { size, keeper, drainMs, told } = options
  const door = await openDoor(options.place)
  cluster.setupPrimary({ serialization: 'advanced' })
  let start = options.start
  let hands = new Set<Hand>()
  let backoffMs = 0
  let isStopping = false
  let filling = 0

  /** Starts another worker in the place of one that ended, later and later where they end soon. */
  const again = (ended: Pick<CrewEvent, 'worker' | 'pid' | 'by'>, isSound: boolean): void => {
    backoffMs = isSound ? 0 : Math.min(longestBackoffMs, Math.max(firstBackoffMs, backoffMs * 2))
    told({ ...ended, is: 'ended', again: backoffMs })
    setTimeout(() => void fill(), backoffMs).unref()
  }

  /** It takes no more calls. */
  const leave = (hand: Hand): void => {
    hand.state = 'retiring'
    hands.delete(hand)
    door.open([...hands])
  }

  const fork = (settings: Start): Hand => {
    const child = cluster.fork()
    const name = String(child.id)
    const begun = performance.now()
    const ready = Promise.withResolvers<void>()
    // Who is not waited for must not end the process.
    ready.promise.catch(() => {})
    const given = new Map<number, { readonly taken: () => void; readonly lost: () => void }>()
    let connections = 0
    const seat = keeper.join({ name, send: (message) => sendTo(child, message), kill: () => kill(child) })
    let failed = 'it ended before it was ready'
    child.on('message', (message: Said | object) => {
      if (message === 'up') sendTo(child, { start: settings } satisfies Order)
      else if (message === 'ready') ready.resolve()
      else if (message === 'leaving') {
        leave(hand)
        void fill()
      } else if ('failed' in Object(message)) failed = String((message as { failed: unknown }).failed)
      else if ('taken' in Object(message)) taken((message as { taken: number }).taken)
      else seat.hear(message)
    })
    child.on('error', () => {})
    const taken = (id: number): void => {
      const ends = given.get(id)
      given.delete(id)
      ends?.taken()
    }
    const exit = Promise.withResolvers<void>()
    const hand: Hand = {
      ...{ name, process: child, state: 'starting' },
      ready: inTime(ready.promise),
      ended: exit.promise,
      give: (socket, ends) => {
        const id = connections++
        given.set(id, ends)
        if (child.isConnected())
          child.send({ connection: id } satisfies Order, socket, { keepOpen: true }, () => {})
      },
    }
    child.once('exit', (code, signal) => {
      seat.left()
      ready.reject(notStarted(failed))
      hands.delete(hand)
      door.open([...hands])
      for (const { lost } of given.values()) lost()
      given.clear()
      const facts = { worker: name, pid: child.process.pid ?? null }
      const by = signal ?? `exit ${code}`
      if (hand.state === 'retiring' || isStopping) told({ ...facts, is: 'retired' })
      else if (hand.state === 'working') again({ ...facts, by }, performance.now() - begun > soundMs)
      exit.resolve()
    })
    return hand
  }

  /** From now on calls go to these workers. */
  const take = (ready: ReadonlySet<Hand>): void => {
    const next = new Set([...ready].filter((hand) => !hand.process.isDead()))
    for (const hand of next) {
      if (hand.state === 'starting')
        told({ worker: hand.name, pid: hand.process.process.pid ?? null, is: 'ready' })
      hand.state = 'working'
    }
    hands = next
    door.open([...next])
    for (let missing = next.size; missing < size; missing += 1) void fill()
  }

  /** Puts another worker in the place of one that ended. */
  const fill = async (): Promise<void> => {
    if (isStopping || hands.size + filling >= size) return
    filling += 1
    const by = start
    const hand = fork(by())
    try {
      await hand.ready
      // Meanwhile others may have come in the place of all.
      const isWanted = !isStopping && by === start && hands.size < size
      filling -= 1
      if (isWanted) take(new Set([...hands, hand]))
      else kill(hand.process)
    } catch (error) {
      filling -= 1
      kill(hand.process)
      await hand.ended
      const why = error instanceof OctroiError ? error.message : 'a fault'
      if (!isStopping) again({ worker: hand.name, pid: hand.process.process.pid ?? null, by: why }, false)
    }
  }

  /** As many workers that are ready and do not listen yet, or none. */
  const crewOf = async (settings: () => Start): Promise<ReadonlySet<Hand>> => {
    const next = new Set(Array.from({ length: size }, () => fork(settings())))
    try {
      await Promise.all([...next].map((hand) => hand.ready))
      return next
    } catch (error) {
      for (const hand of next) kill(hand.process)
      await Promise.all([...next].map((hand) => hand.ended))
      throw error
    }
  }

  const retire = async (hand: Hand, refuse: boolean): Promise<void> => {
    hand.state = 'retiring'
    sendTo(hand.process, { retire: { waitMs: drainMs, refuse } } satisfies Order)
    const late = setTimeout(() => kill(hand.process), drainMs + endMsMax)
    await hand.ended
    clearTimeout(late)
  }

  try {
    take(await crewOf(start))
  } catch (error) {
    door.close()
    throw error
  }

  return {
    port: door.port,
    replace: async (settings, changed) => {
      const next = await crewOf(settings)
      try {
        await changed()
      } catch (error) {
        for (const hand of next) kill(hand.process)
        throw error
      }
      const old = [...hands]
      for (const hand of old) hand.state = 'retiring'
      start = settings
      take(next)
      for (const hand of old) void retire(hand, false)
    },
    stop: async () => {
      isStopping = true
      door.close()
      const all = Object.values(cluster.workers ?? {}).filter((child) => child !== undefined)
      const ends = all.map((child) => {
        sendTo(child, { retire: { waitMs: drainMs, refuse: true } } satisfies Order)
        const late = setTimeout(() => kill(child), drainMs + endMsMax)
        return new Promise<void>((resolve) => {
          child.once('exit', () => {
            clearTimeout(late)
            resolve()
          })
        })
      })
      await Promise.all(ends)
    },
  }
}

/** A worker that is just ending hears no more. */
const sendTo = (child: Process, message: unknown): void => {
  if (child.isConnected()) child.send(message as object, () => {})
}

const kill = (child: Process): void => {
  child.process.kill('SIGKILL')
}

const inTime = (ready: Promise<void>): Promise<void> => {
  const late = Promise.withResolvers<void>()
  const timer = setTimeout(() => late.reject(notStarted('it was not ready in time')), startMsMax)
  const first = Promise.race([ready, late.promise]).finally(() => clearTimeout(timer))
  // Who is not waited for must not end the process.
  first.catch(() => {})
  return first
}

const notStarted = (why: string): OctroiError =>
  new OctroiError('bad_input', `A worker did not start: ${why}`)
