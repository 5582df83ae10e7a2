import { readEvent } from './events.ts'
import { countOf, type Json, listOf, member, parseJson, textOf } from './json.ts'
import { gatherProduced } from './produced.ts'
import type { Reply, StreamMeter } from './reply.ts'
import { emptyReply } from './reply-shape.ts'

/** Reads a stream of chunks that each look like a small reply and end with `[DONE]`. What a later chunk says
 * of model, tier, usage and cost holds, since vendors who report usage more than once report it from the
 * beginning. `visible` is the text a choice adds. */
export const chunkStream = (read: (chunk: Json) => Reply, visible: (choice: Json) => string): StreamMeter => {
  const produced = gatherProduced()
  let reply: Reply = { ...emptyReply, ended: false }
  return {
    event: (event) => {
      const data = readEvent(event)?.data
      if (data === undefined) return false
      const ended = data === '[DONE]'
      if (ended) reply = { ...reply, ended }
      else {
        const chunk = parseJson(data)
        reply = over(reply, read(chunk))
        for (const choice of listOf(member(chunk, 'choices'))) {
          produced.add(visible(choice), countOf(member(choice, 'index')) ?? 0)
        }
      }
      return ended
    },
    reply: () => ({ ...reply, produced: produced.texts() }),
    soFar: () => ({ usage: reply.usage?.usage ?? {}, outputTokens: produced.tokensLeast() }),
  }
}

const over = (before: Reply, chunk: Reply): Reply => ({
  ...before,
  id: chunk.id ?? before.id,
  model: chunk.model ?? before.model,
  tier: chunk.tier ?? before.tier,
  attributes: { ...before.attributes, ...chunk.attributes },
  usage: chunk.usage ?? before.usage,
  stated: chunk.stated ?? before.stated,
})

/** A stream of typed events. `reports`: the events that hold a report, and where in their data (null: it is the
 * data); the last one seen holds. `ends`: the events after which nothing comes. `visible`: the text an event
 * adds to the reply, and to which choice. */
export type TypedStream = {
  readonly reports: Readonly<Record<string, string | null>>
  readonly ends: readonly string[]
  readonly visible?: (type: string, data: Json) => { readonly text: string; readonly index: number } | null
  /** Whether all visible text is output that is billed by the token. */
  readonly billsText?: boolean
}

/** Reads a typed stream. Events that are named and hold nothing of interest are not parsed: a picture in one
 * can have megabytes. */
export const typedStream = (
  { reports, ends, visible, billsText = false }: TypedStream,
  read: (report: Json) => Reply,
): StreamMeter => {
  const places = new Map(Object.entries(reports))
  const last = new Set(ends)
  const produced = gatherProduced()
  let reply: Reply = { ...emptyReply, ended: false }
  const take = (type: string, data: Json): void => {
    const text = visible?.(type, data)
    if (text) produced.add(text.text, text.index)
    const at = places.get(type)
    if (at !== undefined) reply = read(at === null ? data : member(data, at))
  }
  return {
    event: (event) => {
      const found = readEvent(event)
      if (found === null) return false
      const named = found.type
      if (named !== null && visible === undefined && !places.has(named)) return last.has(named)
      const data = parseJson(found.data)
      const type = named ?? textOf(member(data, 'type')) ?? textOf(member(data, 'event_type')) ?? ''
      take(type, data)
      return last.has(type)
    },
    reply: () => (reply.produced.length === 0 ? { ...reply, produced: produced.texts() } : reply),
    ...(billsText && {
      soFar: () => ({ usage: reply.usage?.usage ?? {}, outputTokens: produced.tokensLeast() }),
    }),
  }
}
