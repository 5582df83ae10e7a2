import type { ReplyRoute } from '../endpoints/endpoint.ts'
import type { Reply, Standing, StreamMeter } from '../endpoints/reply.ts'
import { allTokens } from '../endpoints/response-objects.ts'
import type { Call } from '../ledger/entry.ts'
import type { Quote } from '../planning/quote.ts'
import { containerRule } from '../usage/accrual.ts'
import { meterFacts } from '../usage/meter.ts'
import type { Exchange } from './exchange.ts'
import type { Parts } from './parts.ts'
import { rememberFacts } from './remember.ts'
import type { Upstream } from './upstream.ts'

/** What a call does to the objects at the vendor that it names or makes. */
export type ReplyObjects = {
  /** The vendor refused it, or never had it. */
  readonly refused: () => Promise<void>
  /** Remembers what a stream names as soon as it does, so that its client can ask for it at once. */
  readonly watching: (meter: StreamMeter) => StreamMeter
  /** Resolves when that is written; rejects when it could not be. */
  readonly known: () => Promise<void>
  /** Remembers what its reply named, what its conversation has become, and what its tools opened. */
  readonly settled: (reply: Reply) => Promise<void>
}

/** Begins before a call is sent: the conversation it names is as long, from now on, as the call can make it. */
export const beginObjects = async (
  parts: Parts,
  exchange: Exchange,
  { route, call, quoted }: { route: ReplyRoute; call: Call; quoted: Quote },
): Promise<ReplyObjects> => {
  const { request, objects } = exchange
  const { upstream } = exchange.target
  const room = await takeRoom(parts, exchange, quoted)
  const learn = async (reply: Reply): Promise<void> => {
    const learned = route.learn?.({ request, reply, objects }) ?? []
    await rememberFacts(parts.registry, { upstream, owner: exchange.caller.key?.id ?? null }, learned)
  }
  let early: Promise<void> | null = null
  return {
    refused: room.giveBack,
    watching: (meter) => {
      if (route.learn === undefined) return meter
      return {
        ...meter,
        event: (event) => {
          const ends = meter.event(event)
          if (early === null && meter.reply().id !== null) {
            early = learn(meter.reply())
            // `known` and `settled` tell of it; until one of them is asked it must not end the process.
            early.catch(() => {})
          }
          return ends
        },
      }
    },
    known: async () => {
      await early
    },
    settled: async (reply) => {
      await early
      await learn(reply)
      await room.settled(reply)
      const replyId = reply.id ?? call.id
      for (const standing of reply.standing) await openSession(parts, upstream, { call, replyId, standing })
    },
  }
}

/** `giveBack`: the call never was. */
type Room = {
  readonly giveBack: () => Promise<void>
  readonly settled: (reply: Reply) => Promise<void>
}

const noRoom: Room = { giveBack: async () => {}, settled: async () => {} }

/** The room that a call may take in the conversation it names. A crash leaves it taken, which bounds the conversation
 * all the same. */
export const takeRoom = async (
  { registry }: Parts,
  { target, objects: { conversation } }: Exchange,
  quoted: Quote,
): Promise<Room> => {
  if (conversation === undefined || conversation.tokensMost === null) return noRoom
  const name = { upstream: target.upstream.name, kind: 'conversation', id: conversation.id } as const
  const before = conversation.tokensMost
  const after = tokensMost(quoted)
  const taken = after === null ? null : Math.max(0, after - before)
  await registry.grow(name, taken)
  if (taken === null) return noRoom
  return {
    giveBack: () => registry.grow(name, -taken),
    settled: async ({ usage }) => {
      const now = (await registry.object(name))?.facts.tokensMost ?? null
      // Where others have added to it meanwhile, what this call added stays at its most.
      if (usage === null || usage.problems.length > 0 || now !== before + taken) return
      await registry.grow(name, Math.min(0, allTokens(usage.usage) - now))
    },
  }
}

/** All that a call can read and write. */
const tokensMost = ({ usage }: Quote): number | null =>
  usage
    .filter(({ meters: [meter] }) => meterFacts(meter).unit === 'token')
    .reduce<number | null>((sum, { most }) => (sum === null || most === null ? null : sum + most), 0)

/** How long a container is one session where its price is the same however long it lives: longer than any does. */
const wholeLifeSeconds = 30 * 86_400

/** A container that was used opens a session, unless one of it is running. Which containers are billed by the minute
 * no reply says, so each begun session counts whole. */
export const openSession = async (
  parts: Parts,
  upstream: Upstream,
  { call, replyId, standing }: { call: Call; replyId: string; standing: Standing },
): Promise<void> => {
  if (standing.meter !== 'container_session') return
  const { key, organization, team, project, environment, tags, endUser, at } = call
  const { blockSeconds } = containerRule({ startedAt: at, eligible: false })
  await parts.accruals.use({
    id: `${replyId}/${standing.id}`,
    owner: { key, organization, team, project, environment, tags, endUser },
    upstream: upstream.name,
    pricesFrom: upstream.pricesFrom,
    endpoint: call.endpoint,
    meter: standing.meter,
    holder: standing.id,
    attributes: standing.attributes,
    conversation: call.conversation,
    at,
    seconds: blockSeconds ?? wholeLifeSeconds,
  })
}
