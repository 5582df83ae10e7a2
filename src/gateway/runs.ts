import type { IncomingHttpHeaders } from 'node:http'
import { learnAssistant } from '../endpoints/assistants.ts'
import type { Message, Run, RunWire } from '../endpoints/endpoint.ts'
import { type Json, parseJson } from '../endpoints/json.ts'
import { OctroiError } from '../errors.ts'
import type { Reservation } from '../ledger/entry.ts'
import { tokensAtMost } from '../tokens/text.ts'
import type { Exchange } from './exchange.ts'
import { hold } from './held.ts'
import type { Caller } from './identify.ts'
import { meterRun } from './meter.ts'
import type { Parts } from './parts.ts'
import { settle } from './settle.ts'
import type { Upstream } from './upstream.ts'

/** Runs that go on at the vendor after their reply: asked after until they end, then settled once. */
export type Runs = {
  /** The model of the assistant a request names, where it was not created through this gateway. */
  readonly modelOf: (exchange: Exchange) => Promise<string | null>
  readonly began: (run: Run, wire: RunWire, exchange: Exchange, held: HeldRun) => void
  /** A client's own reading shows that a run has ended. Resolves when it is settled, whoever settles it. */
  readonly ended: (run: Run, wire: RunWire, exchange: Exchange) => Promise<void>
  readonly count: () => number
  readonly close: () => void
}

/** What a run holds: money, and room in its thread for the longest answer; null where that is not known. */
export type HeldRun = { readonly reservation: Reservation; readonly answerMost: number | null }

/** With what a run can be asked after: the client's own credential stays in memory only. */
type Asking = {
  readonly upstream: Upstream
  readonly caller: Caller
  readonly headers: IncomingHttpHeaders
}

type Watched = Asking &
  HeldRun & {
    readonly run: Run
    readonly wire: RunWire
    settling: Promise<void> | null
    timer: NodeJS.Timeout | undefined
  }

const firstPollMs = 500
const pollMsMax = 10_000
const pollsMax = 2_000
const messagePagesMax = 200
const settledRemembered = 10_000

export const createRuns = (parts: Parts, report: (error: unknown) => void): Runs => {
  const watched = new Map<string, Watched>()
  const settled = new Set<string>()

  const get = async ({ upstream, caller, headers }: Asking, path: string): Promise<Json> => {
    const beta = headers['openai-beta']
    const reply = await parts.forward.send({
      upstream,
      method: 'GET',
      path,
      headers: beta === undefined ? {} : { 'openai-beta': beta },
      caller,
      body: null,
    })
    const { held } = await hold(reply.body, parts.bounds.heldBytesMax)
    if (reply.status >= 300) {
      throw new OctroiError(
        'upstream_broken',
        `${upstream.name} answered ${reply.status} when asked after a run.`,
      )
    }
    return parseJson(held.toString('utf8'))
  }

  const messagesOf = async (asking: Asking, run: Run, wire: RunWire): Promise<readonly Message[]> => {
    const messages: Message[] = []
    let after: string | null = null
    for (let page = 0; page < messagePagesMax; page += 1) {
      const read = wire.readMessages(await get(asking, wire.messagesPath(run, after)))
      messages.push(...read.messages)
      if (read.next === null) break
      after = read.next
    }
    return messages
  }

  const settleRun = async (watch: Watched, run: Run): Promise<void> => {
    const { wire, upstream, reservation } = watch
    const messages = await messagesOf(watch, run, wire)
    const outcome = await meterRun(wire, {
      run,
      messages,
      provider: upstream.pricesFrom,
      at: reservation.call.at,
      models: parts.models,
    })
    await settle(parts, reservation, upstream, outcome)
    await growThread(parts, watch, run, messages)
    watched.delete(run.id)
    settled.add(run.id)
    const [oldest] = settled.size > settledRemembered ? settled : []
    if (oldest !== undefined) settled.delete(oldest)
  }

  const settleOnce = (watch: Watched, run: Run): Promise<void> => {
    clearTimeout(watch.timer)
    watch.settling ??= settleRun(watch, run).catch((error: unknown) => {
      watch.settling = null
      watch.timer = undefined
      poll(watch, pollMsMax, pollsMax / 2)
      report(error)
    })
    return watch.settling
  }

  const poll = (watch: Watched, waitMs: number, polls: number): void => {
    if (polls === 0) {
      watched.delete(watch.run.id)
      parts.leases.letGo(watch.reservation.call.id)
      return
    }
    watch.timer = setTimeout(() => {
      void get(watch, watch.wire.runPath(watch.run))
        .then((reply) => {
          const run = watch.wire.readRun(reply)
          if (run?.ended === true) return settleOnce(watch, run)
          return poll(watch, Math.min(waitMs * 1.5, pollMsMax), polls - 1)
        })
        .catch((error: unknown) => {
          report(error)
          poll(watch, pollMsMax, polls - 1)
        })
    }, waitMs)
    watch.timer.unref()
  }

  const begin = (run: Run, wire: RunWire, exchange: Exchange, held: HeldRun): Watched => {
    const { target, caller, incoming } = exchange
    const asking = { upstream: target.upstream, caller, headers: incoming.headers }
    return { ...asking, ...held, run, wire, settling: null, timer: undefined }
  }

  return {
    modelOf: async ({ target, caller, incoming, request }) => {
      const id = assistantId(request)
      if (id === null) return null
      const reply = await get(
        { upstream: target.upstream, caller, headers: incoming.headers },
        `/assistants/${id}`,
      )
      return learnAssistant(reply)[0]?.model ?? null
    },
    began: (run, wire, exchange, held) => {
      const watch = begin(run, wire, exchange, held)
      watched.set(run.id, watch)
      poll(watch, firstPollMs, pollsMax)
    },
    ended: async (run, wire, exchange) => {
      const watch = watched.get(run.id)
      if (watch !== undefined) return settleOnce(watch, run)
      if (settled.has(run.id)) return
      const owned = await parts.registry.object({
        upstream: exchange.target.upstream.name,
        kind: 'run',
        id: run.id,
      })
      if (owned === null || owned.callId === null) return
      const reservation = await parts.ledger.unended(owned.callId)
      if (reservation !== null)
        await settleOnce(begin(run, wire, exchange, { reservation, answerMost: null }), run)
    },
    count: () => watched.size,
    close: () => {
      for (const { timer } of watched.values()) clearTimeout(timer)
      watched.clear()
    },
  }
}

const assistantId = (request: Json): string | null => {
  const id =
    typeof request === 'object' && request !== null && 'assistant_id' in request ? request.assistant_id : null
  return typeof id === 'string' && /^[A-Za-z0-9_-]{1,128}$/.test(id) ? id : null
}

/** What the run answered takes the place of the longest answer it could have given. */
const growThread = async (
  { registry }: Parts,
  { upstream, answerMost }: Watched,
  run: Run,
  messages: readonly Message[],
): Promise<void> => {
  if (answerMost === null) return
  const answered = messages
    .filter((message) => message.run === run.id)
    .reduce((sum, { text }) => sum + tokensAtMost(text), 0)
  await registry.grow({ upstream: upstream.name, kind: 'thread', id: run.thread }, answered - answerMost)
}
