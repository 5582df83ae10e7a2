import { countChat } from '../../tokens/chat.ts'
import { refusals2023 } from '../profiles/refusals-2023.ts'
import { hexFrom, randomFrom } from '../random.ts'
import { Refusal } from '../refusal.ts'
import { type Answer, type Exchange, type Fields, seconds, type WireRoute } from '../world.ts'
import type { LiveModel } from './catalogue.ts'
import { type ChatRequest, readChat } from './chat-request.ts'
import { billVendor, type LiveWorld, lengthOfReply } from './live-world.ts'
import { type BilledPrompt, partCounter, piecesOf, textMeters, throughCache } from './openai-prompt.ts'
import { type Said, say } from './said.ts'

/** Chat completions of today, whole and streamed. */
export const chatCompletions = (world: LiveWorld): readonly WireRoute[] => [
  {
    method: 'POST',
    path: '/v1/chat/completions',
    family: 'chat-completions',
    handle: (exchange) => complete(world, exchange),
  },
]

/** The reply is produced, and billed, before its first byte is sent. */
const complete = (world: LiveWorld, { body, requestId }: Exchange): Answer => {
  const request = readChat(world, body)
  const { model, reasons } = request
  const random = randomFrom(world.seed, 'chat', model.id, JSON.stringify(body['messages']))
  const counted = countPrompt(world, request, body)
  const room = roomFor(model, { prompt: counted.total, asked: request.tokensMax })
  const { thought, hidden } = lengthOfReply(world, random, { room, thinks: reasons })
  const choices = Array.from(
    { length: request.choices },
    (_, index): Choice => ({
      index,
      ...say(world, {
        question: { ...request.question, room: room - thought },
        random,
        counter: world.newCounter,
      }),
      callIds: [],
    }),
  ).map((choice) => ({ ...choice, callIds: choice.calls.map(() => world.newId('call_')) }))
  const cache = throughCache(world, { model, pieces: counted.pieces, body })
  const prompt = { ...cache, tokens: counted.total + hidden.prompt }
  const said = choices.reduce((sum, { tokens }) => sum + tokens, hidden.completion)
  const thoughts = thought * request.choices
  const output = { all: Math.min(said + thoughts, room * request.choices), thought: thoughts }
  const head: Head = {
    id: world.newId('chatcmpl-', 29),
    created: seconds(world),
    model: model.servedAs,
    service_tier: request.tier.served,
    system_fingerprint: `fp_${hexFrom(10, world.seed, model.servedAs)}`,
  }
  billVendor(world, {
    ...{ provider: 'openai', wire: 'chat-completions', id: head.id, requestId, model: head.model },
    usage: textMeters(prompt, output),
    ...{ tier: request.tier.priced, cacheLifetime: prompt.lifetime, promptTokens: prompt.tokens },
    user: request.user,
  })
  const usage = reported(prompt, output, model)
  if (!request.stream) return { json: wholeReply(head, choices, usage) }
  return { events: streamedReply(head, choices, request.includeUsage ? usage : null) }
}

type Choice = Said & { readonly index: number; readonly callIds: readonly string[] }

type Head = {
  readonly id: string
  readonly created: number
  readonly model: string
  readonly service_tier: string
  readonly system_fingerprint: string
}

const countPrompt = (world: LiveWorld, { model, messages }: ChatRequest, body: Fields) => {
  const partTokens = partCounter(model)
  const count = (request: Fields): number =>
    countChat({ ...request, model: model.id }, world.newCounter, { partTokens }).tokens
  const total = count(body)
  const { tools, response_format: format } = body
  return {
    total,
    pieces: piecesOf({
      total,
      before: { tools, format },
      messages,
      count: (some) => count({ messages: some }),
    }),
  }
}

/** How many tokens the reply may have, thoughts included. Throws the vendor's refusal when it does not fit. */
export const roomFor = (
  { id, contextTokensMax, outputTokensMax }: LiveModel,
  { prompt, asked }: { readonly prompt: number; readonly asked: number | null },
): number => {
  const window = contextTokensMax ?? 128_000
  const cap = outputTokensMax ?? window
  if (asked !== null && outputTokensMax !== null && asked > cap) {
    throw new Refusal(
      400,
      `max_tokens is too large: ${asked}. This model supports at most ${cap} completion tokens, whereas you provided ${asked}.`,
      { param: id.startsWith('gpt-4') ? 'max_tokens' : 'max_completion_tokens', code: 'invalid_value' },
    )
  }
  if (prompt >= window) throw refusals2023.contextExceeded({ window, prompt, completion: null })
  return Math.min(asked ?? cap, cap, window - prompt)
}

/** Usage in the words of today: every detail that the model reports. Writes are only told by models that bill
 * them. */
const reported = (prompt: BilledPrompt, output: { all: number; thought: number }, model: LiveModel) => ({
  prompt_tokens: prompt.tokens,
  completion_tokens: output.all,
  total_tokens: prompt.tokens + output.all,
  prompt_tokens_details: {
    cached_tokens: prompt.cached,
    audio_tokens: 0,
    ...(model.cacheLifetimes.length > 0 && { cache_write_tokens: prompt.written }),
  },
  completion_tokens_details: {
    reasoning_tokens: output.thought,
    audio_tokens: 0,
    accepted_prediction_tokens: 0,
    rejected_prediction_tokens: 0,
  },
})

const finishes = { stop: 'stop', length: 'length', calls: 'tool_calls' } as const

const wholeReply = (head: Head, choices: readonly Choice[], usage: object) => ({
  ...head,
  object: 'chat.completion',
  choices: choices.map((choice) => ({
    index: choice.index,
    message: {
      role: 'assistant',
      content: choice.calls.length > 0 ? null : choice.pieces.join(''),
      ...(choice.calls.length > 0 && { tool_calls: callsOf(choice) }),
      refusal: null,
      annotations: [],
    },
    logprobs: null,
    finish_reason: finishes[choice.finish],
  })),
  usage,
})

const callsOf = ({ calls, callIds }: Choice) =>
  calls.map(({ name, input }, index) => ({
    id: callIds[index] ?? '',
    type: 'function',
    function: { name, arguments: JSON.stringify(input) },
  }))

/** The events of a stream: who speaks, then a token each or the calls, then why it ended; with usage, null in
 * each of them and the numbers in one more at the end. */
function* streamedReply(head: Head, choices: readonly Choice[], usage: object | null): Generator<string> {
  const event = (choice: readonly object[], reportedUsage: object | null = null): string =>
    `data: ${JSON.stringify({
      ...head,
      object: 'chat.completion.chunk',
      choices: choice,
      ...(usage !== null && { usage: reportedUsage }),
    })}\n\n`
  const delta = (index: number, part: object, finish: string | null = null): string =>
    event([{ index, delta: part, logprobs: null, finish_reason: finish }])
  for (const choice of choices) {
    const isCall = choice.calls.length > 0
    yield delta(choice.index, { role: 'assistant', content: isCall ? null : '', refusal: null })
  }
  const longest = Math.max(...choices.map(({ pieces }) => pieces.length))
  for (let at = 0; at < longest; at++) {
    for (const { index, pieces } of choices) {
      const content = pieces[at]
      if (content !== undefined) yield delta(index, { content })
    }
  }
  for (const choice of choices) {
    for (const [index, call] of callsOf(choice).entries()) {
      const { arguments: given, name } = call.function
      yield delta(choice.index, { tool_calls: [{ index, ...call, function: { name, arguments: '' } }] })
      for (const piece of given.match(/[\s\S]{1,12}/g) ?? []) {
        yield delta(choice.index, { tool_calls: [{ index, function: { arguments: piece } }] })
      }
    }
  }
  for (const { index, finish } of choices) yield delta(index, {}, finishes[finish])
  if (usage !== null) yield event([], usage)
  yield 'data: [DONE]\n\n'
}
