import { tokensAtMost } from '../tokens/text.ts'
import type { UsageShape } from '../usage/read.ts'
import { readEvent } from './events.ts'
import { countOf, type Json, listOf, member, parseJson, textOf } from './json.ts'
import { gatherProduced } from './produced.ts'
import type { Portion, ReadWire, Reply, StreamMeter } from './reply.ts'
import { emptyReply, openaiPlaces, portionOf, shapeReader } from './reply-shape.ts'

/** The replies of Messages, Anthropic's wire, whole and streamed. */
export const messageReplies = (counters: UsageShape): ReadWire => {
  const readReply = messageReader(counters)
  return { id: 'messages', reader: { readReply, meterStream: () => messageStream(readReply) } }
}

/** Reads one message. Every number of its usage stands apart: input is neither cached nor written, and its
 * writes are counted by lifetime. */
const messageReader = (counters: UsageShape): ((message: Json) => Reply) => {
  const read = shapeReader({ ...openaiPlaces, counters, tier: ['usage.service_tier'], tiers: {} })
  return (message) => {
    const { usage, problems } = withLifetimes(member(message, 'usage'))
    const passes = listOf(member(usage, 'iterations'))
    const found = read({ ...Object(message), usage })
    const geography = textOf(member(usage, 'inference_geo'))
    const reply = {
      ...withProblems(found, [...problems, ...otherModels(found, passes)]),
      tier: member(usage, 'speed') === 'fast' ? 'fast' : found.tier,
      attributes: geography === null ? {} : { inference_geo: geography },
    }
    return {
      ...reply,
      produced: [visibleText(listOf(member(message, 'content')))],
      apart: passesApart(reply, passes, counters),
    }
  }
}

const withProblems = (reply: Reply, problems: readonly string[]): Reply =>
  reply.usage === null
    ? reply
    : { ...reply, usage: { ...reply.usage, problems: [...reply.usage.problems, ...problems] } }

const visibleText = (content: readonly Json[]): string =>
  content
    .map(
      (block) =>
        textOf(member(block, 'text')) ??
        textOf(member(block, 'thinking')) ??
        jsonText(member(block, 'input')),
    )
    .join('')

const jsonText = (input: Json): string => (input === undefined ? '' : JSON.stringify(input))

/** Where another model than the one that answers took passes of the call, as after a refusal, no document says
 * how the totals divide: they are priced as those of the model that answers, and that is said. */
const otherModels = ({ model }: Reply, passes: readonly Json[]): readonly string[] => {
  const others = passes.filter(
    (pass) => member(pass, 'type') === 'message' && (textOf(member(pass, 'model')) ?? model) !== model,
  )
  return others.length === 0
    ? []
    : [`${others.length} of ${passes.length} iterations are of another model than ${model}`]
}

/** Passes of a call that its totals leave out: the compaction of its context, at the price of its own model,
 * and an advisor's advice, at the advisor's (@anthropic-ai/sdk 1.12.0, `BetaIterationsUsage`). */
const passesApart = (reply: Reply, passes: readonly Json[], counters: UsageShape): readonly Portion[] =>
  passes.flatMap((pass, index) => {
    const type = textOf(member(pass, 'type')) ?? ''
    if (type !== 'compaction' && type !== 'advisor_message') return []
    const model = textOf(member(pass, 'model')) ?? reply.model
    const { tier, attributes } = reply
    return portionOf(pass, counters, { id: `${type}-${index}`, model, tier, attributes })
  })

/** `message_start` has the whole usage as it stands then, `message_delta` the totals so far without lifetimes,
 * tier and place: the later totals go over the earlier, the rest stays. */
const messageStream = (readReply: (message: Json) => Reply): StreamMeter => {
  const produced = gatherProduced()
  let message: Message | null = null
  let [totalled, ended] = [false, false]
  const take = (type: string, data: Json): void => {
    if (type === 'message_start') message = { ...Object(member(data, 'message')) }
    if (type === 'message_delta' && message !== null) {
      message = { ...message, usage: { ...Object(message['usage']), ...present(member(data, 'usage')) } }
      totalled ||= countOf(member(member(data, 'usage'), 'output_tokens')) !== null
    }
    if (type === 'content_block_delta') produced.add(deltaText(member(data, 'delta')), 0)
    ended ||= type === 'message_stop'
  }
  return {
    event: (event) => {
      const found = readEvent(event)
      const data = found === null ? undefined : parseJson(found.data)
      take(found?.type ?? textOf(member(data, 'type')) ?? '', data)
      return ended
    },
    reply: () => {
      const texts = produced.texts()
      const read = message === null ? emptyReply : readReply(message)
      return { ...(totalled ? read : withoutTotals(read, texts, ended)), produced: texts, ended }
    },
    soFar: () => ({
      usage: (message === null ? null : readReply(message).usage)?.usage ?? {},
      outputTokens: produced.tokensLeast(),
    }),
  }
}

/** A stream that broke off before its totals, or ended without them: its input is known, and of its output only the
 * text that came, which has at most one token a byte. Thinking that is not shown is not in it. */
const withoutTotals = (reply: Reply, produced: readonly string[], ended: boolean): Reply => {
  if (reply.usage === null) return reply
  const { output_text_tokens: begun } = reply.usage.usage
  const came = produced.reduce((sum, text) => sum + tokensAtMost(text), 0)
  const outputBegun = typeof begun === 'number' ? begun : 0
  const output = Math.max(came, outputBegun)
  const usage = { ...reply.usage.usage, output_text_tokens: output }
  const problem = 'the stream ended without totals'
  const problems = ended ? [...reply.usage.problems, problem] : reply.usage.problems
  return { ...reply, outputBegun, usage: { ...reply.usage, usage, problems } }
}

type Message = Readonly<Record<string, Json>>

const deltaText = (delta: Json): string =>
  textOf(member(delta, 'text')) ??
  textOf(member(delta, 'partial_json')) ??
  textOf(member(delta, 'thinking')) ??
  ''

const present = (usage: Json): object =>
  Object.fromEntries(Object.entries(Object(usage)).filter(([, value]) => value !== null))

/** A usage whose writes to the cache have all their lifetimes, or none. What a server's tools write after the
 * start of a stream is in the total alone: it lives as long as what the call wrote before, and where that was
 * both, the dearer lifetime is taken for all of it, and said. */
const withLifetimes = (usage: Json): { readonly usage: Json; readonly problems: readonly string[] } => {
  const written = countOf(member(usage, 'cache_creation_input_tokens'))
  const split = member(usage, 'cache_creation')
  const short = countOf(member(split, 'ephemeral_5m_input_tokens')) ?? 0
  const long = countOf(member(split, 'ephemeral_1h_input_tokens')) ?? 0
  if (written === null || short + long === written) return { usage, problems: [] }
  const lifetimes =
    long > 0
      ? { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: written }
      : { ephemeral_5m_input_tokens: written, ephemeral_1h_input_tokens: 0 }
  const problem = `cache_creation_input_tokens is ${written}, its lifetimes are ${short} and ${long}`
  return {
    usage: { ...Object(usage), cache_creation: lifetimes },
    problems: short > 0 && long > 0 ? [problem] : [],
  }
}
