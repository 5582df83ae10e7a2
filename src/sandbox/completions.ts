import { checkNames, flag, number, userOf } from './arguments.ts'
import { promptTooLong, readPrompts } from './prompts.ts'
import { randomFrom } from './random.ts'
import { Refusal } from './refusal.ts'
import { replyPieces } from './replies.ts'
import { type Ended, readStops, stopAt } from './stops.ts'
import {
  type Answer,
  bill,
  type Exchange,
  type Fields,
  hiddenTokens,
  otherModel,
  seconds,
  type WireRoute,
  type World,
} from './world.ts'

/** The older completions, of `gpt-3.5-turbo-instruct`: a prompt is continued. */
export const completions = (world: World): readonly WireRoute[] => [
  {
    method: 'POST',
    path: '/v1/completions',
    family: 'completions',
    handle: (exchange) => complete(world, exchange),
  },
]

/** The model's window; and the length of a completion that names none (API description 2.0.0). */
const window = 4097
const tokensUnlessSaid = 16

const played = ['model', 'prompt', 'max_tokens', 'n', 'stop', 'stream', 'user']
const ignored = ['temperature', 'top_p', 'presence_penalty', 'frequency_penalty', 'logit_bias', 'seed']
const unplayed = ['suffix', 'logprobs', 'echo', 'best_of']

const complete = (world: World, { body, requestId }: Exchange): Answer => {
  checkNames(body, [...played, ...ignored, ...unplayed])
  refuseUnplayed(body)
  const model = otherModel(world, body, 'completions')
  const prompts = readPrompts(body, 'prompt')
  const asked = number(body, 'max_tokens', { least: 0, most: Number.MAX_SAFE_INTEGER, whole: true })
  const most = asked ?? tokensUnlessSaid
  const each = number(body, 'n', { least: 1, most: 128, whole: true }) ?? 1
  const stops = readStops(body['stop'])
  const counts = prompts.map((prompt) => {
    const count = typeof prompt === 'string' ? world.counter.count(prompt) : prompt.length
    if (count + most > window) throw promptTooLong({ window, prompt: count, completion: most })
    return count
  })
  if (prompts.length * each > choicesMax) {
    throw new Refusal(400, `The sandbox writes at most ${choicesMax} completions at once.`, { param: 'n' })
  }
  const random = randomFrom(world.seed, 'completion', model.id, JSON.stringify(body['prompt']))
  const choices = Array.from({ length: prompts.length * each }, (_, index): Choice => {
    const pieces = replyPieces(Math.min(random.whole(world.outputTokens), most + 1), random)
    return { index, ...stopAt(stops, pieces, most) }
  })
  const hidden = hiddenTokens(world, random)
  const usage = {
    prompt_tokens: counts.reduce((sum, count) => sum + count, hidden.prompt),
    completion_tokens: Math.min(
      choices.reduce((sum, { pieces }) => sum + pieces.length, hidden.completion),
      most * choices.length,
    ),
  }
  const head = { id: world.newId('cmpl-', 29), created: seconds(world), model: model.id }
  bill(world, {
    wire: 'completions',
    id: head.id,
    requestId,
    model: model.id,
    user: userOf(body),
    usage: { input_text_tokens: usage.prompt_tokens, output_text_tokens: usage.completion_tokens },
  })
  if (flag(body, 'stream')) return { events: streamed(head, choices) }
  const total = { ...usage, total_tokens: usage.prompt_tokens + usage.completion_tokens }
  return { json: { ...shared(head), choices: choices.map(whole), usage: total } }
}

const choicesMax = 2048

type Choice = Ended & { readonly index: number }
type Head = { readonly id: string; readonly created: number; readonly model: string }

/** What the vendor had and the sandbox does not play: refused, so that no count is ever a guess. */
const refuseUnplayed = (body: Fields): void => {
  for (const name of unplayed) {
    const value = body[name]
    if (value === undefined || value === null || value === false) continue
    throw new Refusal(400, `The sandbox does not play '${name}' yet: leave it out.`, { param: name })
  }
}

const shared = ({ id, created, model }: Head) => ({ id, object: 'text_completion', created, model })

const whole = ({ index, pieces, finish }: Choice) => ({
  text: pieces.join(''),
  index,
  logprobs: null,
  finish_reason: finish,
})

/** A token an event, one choice after the other, and why each ended. */
function* streamed(head: Head, choices: readonly Choice[]): Generator<string> {
  const event = (choice: object): string =>
    `data: ${JSON.stringify({ ...shared(head), choices: [{ logprobs: null, ...choice }] })}\n\n`
  for (const { index, pieces, finish } of choices) {
    for (const text of pieces) yield event({ text, index, finish_reason: null })
    yield event({ text: '', index, finish_reason: finish })
  }
  yield 'data: [DONE]\n\n'
}
