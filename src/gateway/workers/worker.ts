import type { Socket } from 'node:net'
import { OctroiError } from '../../errors.ts'
import type { Database } from '../../ledger/database.ts'
import { createSlices } from '../../limits/slices.ts'
import type { ModelFacts } from '../../pricing/model-facts.ts'
import type { PriceBook } from '../../pricing/price-book.ts'
import type { Clock } from '../../time.ts'
import type { GatewayConfig } from '../config.ts'
import { createCounting } from '../counting.ts'
import { openCredentials, withStored } from '../credentials/credentials.ts'
import { createForward, defaultTimeouts, type Forward } from '../forward.ts'
import { createHandler, type RefusedRequest } from '../handle.ts'
import { defaultBounds } from '../parts.ts'
import { openKeys } from '../registry/keys.ts'
import { keyedBy } from '../registry/registry.ts'
import { createRouter } from '../route.ts'
import { readRules } from '../rules.ts'
import { type Channel, createChannel } from './channel.ts'
import { type Connections, openConnections } from './connections.ts'
import { createHandover } from './handover.ts'
import { type KeeperVerbs, protocol, type Timing, type WorkerVerbs } from './verbs.ts'
import { workerParts } from './worker-parts.ts'

export type WorkerOptions = {
  readonly config: GatewayConfig
  readonly clock: Clock
  readonly book: PriceBook
  readonly models: ModelFacts
  readonly masterKey: Uint8Array | null
  /** The socket of the keeper's data plane. */
  readonly keeperPath: string
  readonly onFault: (error: unknown) => void
  /** Told to the keeper. */
  readonly send: (message: unknown) => void
}

/** A worker process: it passes on calls whose reply says what they cost, and what its keeper must know or decide it asks. */
export type Worker = {
  /** Takes what the keeper sends. */
  readonly hear: (message: unknown) => void
  /** Asks the keeper what holds. Rejects where the two do not fit together. */
  readonly begin: () => Promise<void>
  /** Answers what comes on a connection. */
  readonly take: (socket: Socket) => void
  /** Answers what still comes on the connections it has, and resolves when they have ended; what is still open
   * after `waitMs` is broken off and settled. With `refuse` it answers nothing new any more. */
  readonly retire: (waitMs: number, refuse: boolean) => Promise<void>
}

const tellMs = 500
/** How long what was broken off may take to be settled. */
const settleMsMax = 5_000

export const createWorker = (options: WorkerOptions): Worker => {
  const { config, clock, book, models, onFault } = options
  const bounds = defaultBounds
  const timings: Timing[] = []
  let verbs: WorkerVerbs | null = null
  const ready = (): WorkerVerbs => {
    if (verbs !== null) return verbs
    throw new OctroiError('internal', 'This worker has not begun.')
  }
  const keeper: Channel<KeeperVerbs> = createChannel({
    send: options.send,
    report: onFault,
    verbs: {
      giveBack: (counters) => ready().giveBack(counters),
      rules: (changed) => ready().rules(changed),
      keyChanged: (id) => ready().keyChanged(id),
      providerKeysChanged: (none) => ready().providerKeysChanged(none),
    } satisfies WorkerVerbs,
  })
  const forward = timed(createForward(defaultTimeouts), timings)
  const counting = createCounting()
  const handover = createHandover(options.keeperPath)
  let idle: (waitMs: number) => Promise<void> = async () => {}
  let connections: Connections | null = null
  let timer: NodeJS.Timeout | undefined
  let taking = true

  const begin = async (): Promise<void> => {
    const { rules: written, epoch, pepper } = await keeper.ask('begin', { protocol })
    let rules = readRules(written)
    const slices = createSlices(rules.limits, epoch)
    const stored: Database = {
      call: <Result>(_: string, verb: string, argument: unknown) =>
        keeper.ask('read', { verb, argument }) as Promise<Result>,
      close: async () => {},
    }
    const keys = await openKeys(stored, keyedBy(pepper))
    const credentials = await openCredentials(stored, options.masterKey)
    verbs = {
      giveBack: (counters) => ({ left: slices.giveBack(counters), epoch: slices.epoch() }),
      rules: (changed) => {
        rules = readRules(changed.written)
        const before = slices.epoch()
        keeper.tell('giveBack', { left: slices.replace(rules.limits, changed.epoch), epoch: before })
      },
      keyChanged: keys.refreshKey,
      providerKeysChanged: credentials.refresh,
    }
    const { parts, watches, liveCalls } = workerParts({
      ...{ keeper, slices, keys, clock, book, models, bounds, forward, counting },
      rules: () => rules,
    })
    const handler = createHandler({
      ...{ parts, watches, elsewhere: handover, report: onFault },
      isTaking: () => taking,
      router: createRouter(withStored(config.upstreams, credentials)),
      beside: (_, incoming, outgoing) => handover.pass(incoming, outgoing, null),
      anonymous: config.anonymous,
      refused: (request: RefusedRequest) => keeper.tell('refused', request),
    })
    connections = openConnections(handler.answer)
    idle = handler.idle
    const look = (): void => {
      const counters = liveCalls() === 0 ? ('all' as const) : slices.idle(clock.now())
      const left = slices.giveBack(counters)
      if (left.length > 0) keeper.tell('giveBack', { left, epoch: slices.epoch() })
      keeper.tell('standing', {
        timings: timings.splice(0),
        requestsInFlight: handler.inFlight() - handover.inFlight(),
        residentBytes: process.memoryUsage.rss(),
      })
    }
    timer = setInterval(look, tellMs)
    timer.unref()
  }

  return {
    hear: keeper.hear,
    begin,
    take: (socket) => {
      if (connections === null) socket.destroy()
      else connections.take(socket)
    },
    retire: async (waitMs, refuse) => {
      if (refuse) taking = false
      await Promise.all([connections?.end({ waitMs, atOnce: refuse }), idle(waitMs)])
      await forward.close()
      await idle(settleMsMax)
      await counting.close()
      clearInterval(timer)
    },
  }
}

const timed = (forward: Forward, timings: Timing[]): Forward => ({
  ...forward,
  send: async (asked) => {
    const begun = performance.now()
    const since = (): number => (performance.now() - begun) / 1_000
    const reply = await forward.send(asked)
    const provider = asked.upstream.name
    timings.push({ provider, of: 'first byte', seconds: since() })
    reply.body.once('close', () => timings.push({ provider, of: 'reply', seconds: since() }))
    return reply
  },
})
