import { randomFrom } from '../random.ts'
import { type Exchange, isFields, type WireRoute } from '../world.ts'
import { missing, wrongType } from './chat-request.ts'
import type { LiveWorld } from './live-world.ts'
import { openaiModel } from './openai-models.ts'

/** Moderations of today: free, and not in the books. A text with the word "kill" is flagged as violence. */
export const moderations = (world: LiveWorld): readonly WireRoute[] => [
  {
    method: 'POST',
    path: '/v1/moderations',
    family: 'moderations',
    handle: (exchange) => ({ json: moderate(world, exchange) }),
  },
]

/** The categories of omni-moderation (openai 7.57.0, `Moderation.Categories`). */
const categories = [
  ...(['harassment', 'harassment/threatening', 'hate', 'hate/threatening', 'illicit'] as const),
  ...(['illicit/violent', 'self-harm', 'self-harm/instructions', 'self-harm/intent', 'sexual'] as const),
  ...(['sexual/minors', 'violence', 'violence/graphic'] as const),
]

const moderate = (world: LiveWorld, { body }: Exchange) => {
  const model = openaiModel(
    world,
    { ...body, model: body['model'] ?? 'omni-moderation-latest' },
    'moderation',
  )
  const { input } = body
  if (input === undefined || input === null) throw missing('input')
  const list: readonly unknown[] = Array.isArray(input) ? input : [input]
  const texts = list.map((each) => {
    if (typeof each === 'string') return each
    if (!isFields(each)) throw wrongType('input', each, 'a string or an array')
    return typeof each['text'] === 'string' ? each['text'] : ''
  })
  // Parts are one thing that is judged, texts are one each.
  const whole = list.some(isFields) ? [texts.join('\n')] : texts
  return {
    id: world.newId('modr-', 29),
    model: model.servedAs,
    results: whole.map((each) => judged(world, each)),
  }
}

const judged = (world: LiveWorld, input: string) => {
  const random = randomFrom(world.seed, 'moderation', input)
  const flagged = /\bkill\b/i.test(input)
  const scores = categories.map((name) => {
    const low = random.whole({ least: 1, most: 9999 }) / 1_000_000
    return [name, flagged && name === 'violence' ? 0.99 - low : low] as const
  })
  return {
    flagged,
    categories: Object.fromEntries(scores.map(([name, score]) => [name, score > 0.5])),
    category_scores: Object.fromEntries(scores),
    category_applied_input_types: Object.fromEntries(categories.map((name) => [name, ['text']])),
  }
}
