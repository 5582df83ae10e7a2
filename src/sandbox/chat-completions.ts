import { countChat } from '../tokens/chat.ts'
import { type ChatRequest, readChat } from './chat-request.ts'
import { hexFrom, randomFrom } from './random.ts'
import { replyPieces } from './replies.ts'
import { type Ended, stopAt } from './stops.ts'
import { imageTokens, withoutImages } from './vision.ts'
import {
  type Answer,
  bill,
  type Exchange,
  hiddenTokens,
  seconds,
  type WireRoute,
  type World,
} from './world.ts'

/** Chat completions as of November 2023, whole and streamed. */
export const chatCompletions = (world: World): readonly WireRoute[] => [
  {
    method: 'POST',
    path: '/v1/chat/completions',
    family: 'chat-completions',
    handle: (exchange) => complete(world, exchange),
  },
]

/** The reply is produced, and billed, before its first byte is sent. */
const complete = (world: World, { body, requestId }: Exchange): Answer => {
  const request = readChat(body, world.profile)
  const random = randomFrom(world.seed, 'chat', request.model.id, JSON.stringify(body['messages']))
  const texts = { ...body, messages: withoutImages(request.messages), model: request.model.id }
  const prompt = countChat(texts, world.counter).tokens + imageTokens(request.messages)
  const room = roomFor(request, prompt, world)
  const choices = Array.from({ length: request.choices }, (_, index): Choice => {
    // One token more than there is room for, so that a reply that does not fit is cut and not rounded off.
    const pieces = replyPieces(Math.min(random.whole(world.outputTokens), room + 1), random)
    return { index, ...stopAt(request.stop, pieces, room) }
  })
  const hidden = hiddenTokens(world, random)
  const usage = {
    prompt_tokens: prompt + hidden.prompt,
    // What nobody sees is inside the limit of the request, as the vendor's own count is.
    completion_tokens: Math.min(
      choices.reduce((sum, choice) => sum + choice.pieces.length, hidden.completion),
      room * request.choices,
    ),
  }
  const head: Head = {
    id: world.newId('chatcmpl-', 29),
    created: seconds(world),
    model: request.model.servedAs,
    system_fingerprint: request.model.fingerprint ? `fp_${hexFrom(10, world.seed, request.model.id)}` : null,
  }
  bill(world, {
    wire: 'chat-completions',
    id: head.id,
    requestId,
    model: head.model,
    user: request.user,
    usage: { input_text_tokens: usage.prompt_tokens, output_text_tokens: usage.completion_tokens },
  })
  const reported = { ...usage, total_tokens: usage.prompt_tokens + usage.completion_tokens }
  if (!request.stream) return { json: wholeReply(head, choices, reported) }
  return { events: streamedReply(head, choices, request.includeUsage ? reported : null) }
}

type Choice = Ended & { readonly index: number }

type Head = {
  readonly id: string
  readonly created: number
  readonly model: string
  readonly system_fingerprint: string | null
}

type Reported = {
  readonly prompt_tokens: number
  readonly completion_tokens: number
  readonly total_tokens: number
}

/** How many tokens the reply may have. Throws the vendor's refusal when the request does not fit. */
const roomFor = ({ model, tokensMax }: ChatRequest, prompt: number, world: World): number => {
  const { refusals } = world.profile
  const window = model.contextTokensMax
  const cap = model.outputTokensMax ?? window
  if (tokensMax !== null && model.outputTokensMax !== null && tokensMax > cap) {
    throw refusals.outputTooLarge({ asked: tokensMax, cap })
  }
  if (prompt >= window) throw refusals.contextExceeded({ window, prompt, completion: null })
  if (tokensMax !== null && prompt + tokensMax > window) {
    throw refusals.contextExceeded({ window, prompt, completion: tokensMax })
  }
  return Math.min(tokensMax ?? model.outputTokensDefault ?? cap, cap, window - prompt)
}

const wholeReply = (head: Head, choices: readonly Choice[], usage: Reported) => ({
  id: head.id,
  object: 'chat.completion',
  created: head.created,
  model: head.model,
  choices: choices.map(({ index, pieces, finish }) => ({
    index,
    message: { role: 'assistant', content: pieces.join('') },
    finish_reason: finish,
  })),
  usage,
  system_fingerprint: head.system_fingerprint,
})

/** The events of a stream: who speaks, then a token each, the choices taking turns, then why it ended.
 * With `usage`, as OpenAI does since May 2024: null in each of them, and the numbers in one more at the end. */
function* streamedReply(head: Head, choices: readonly Choice[], usage: Reported | null): Generator<string> {
  const event = (choice: readonly object[], reported: Reported | null = null): string =>
    `data: ${JSON.stringify({
      id: head.id,
      object: 'chat.completion.chunk',
      created: head.created,
      model: head.model,
      system_fingerprint: head.system_fingerprint,
      choices: choice,
      ...(usage !== null && { usage: reported }),
    })}\n\n`
  for (const { index } of choices) {
    yield event([{ index, delta: { role: 'assistant', content: '' }, finish_reason: null }])
  }
  const longest = Math.max(...choices.map(({ pieces }) => pieces.length))
  for (let at = 0; at < longest; at++) {
    for (const { index, pieces } of choices) {
      const content = pieces[at]
      if (content !== undefined) yield event([{ index, delta: { content }, finish_reason: null }])
    }
  }
  for (const { index, finish } of choices) yield event([{ index, delta: {}, finish_reason: finish }])
  if (usage !== null) yield event([], usage)
  yield 'data: [DONE]\n\n'
}
