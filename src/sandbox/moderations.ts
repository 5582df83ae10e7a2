import { checkNames, isOneOf, shown } from './arguments.ts'
import { randomFrom } from './random.ts'
import { Refusal } from './refusal.ts'
import type { Exchange, Fields, WireRoute, World } from './world.ts'

/** Moderations of November 2023: free, and not in the books. A text with the word "kill" is flagged as violence
 * and as a threat, as in the vendor's own example; nothing else is. */
export const moderations = (world: World): readonly WireRoute[] => [
  {
    method: 'POST',
    path: '/v1/moderations',
    family: 'moderations',
    handle: (exchange) => moderate(world, exchange),
  },
]

/** The categories of API description 2.0.0. */
const categories = [
  ...(['hate', 'hate/threatening', 'harassment', 'harassment/threatening', 'self-harm'] as const),
  ...(['self-harm/intent', 'self-harm/instructions', 'sexual', 'sexual/minors'] as const),
  ...(['violence', 'violence/graphic'] as const),
]
const threats: readonly string[] = ['violence', 'harassment/threatening']

/** As replies of that autumn name it. */
const servedAs = 'text-moderation-006'

const inputsMax = 2048

const moderate = (world: World, { body }: Exchange) => {
  checkNames(body, ['input', 'model'])
  const model = body['model'] ?? 'text-moderation-latest'
  if (!isOneOf(['text-moderation-latest', 'text-moderation-stable'], model)) {
    const known = "'text-moderation-stable', 'text-moderation-latest'"
    throw new Refusal(400, `${shown(model)} is not one of [${known}] - 'model'`)
  }
  const results = inputsOf(body).map((input) => judged(world, input))
  return { json: { id: world.newId('modr-', 29), model: servedAs, results } }
}

const inputsOf = (body: Fields): readonly string[] => {
  const input = body['input']
  if (input === undefined) throw new Refusal(400, "'input' is a required property")
  const list: readonly unknown[] = Array.isArray(input) ? input : [input]
  const texts = list.filter((each) => typeof each === 'string')
  if (list.length === 0) throw new Refusal(400, "[] is too short - 'input'")
  if (texts.length < list.length) throw new Refusal(400, `${shown(input)} is not of type 'string' - 'input'`)
  if (list.length > inputsMax) throw new Refusal(400, `${shown(input)} is too long - 'input'`)
  return texts
}

const judged = (world: World, input: string) => {
  const random = randomFrom(world.seed, 'moderation', input)
  const flagged = /\bkill\b/i.test(input)
  const scores = categories.map((name) => {
    const low = random.whole({ least: 1, most: 9999 }) / 1_000_000
    return { name, score: flagged && threats.includes(name) ? 0.99 - low : low }
  })
  return {
    flagged,
    categories: Object.fromEntries(scores.map(({ name, score }) => [name, score > 0.5])),
    category_scores: Object.fromEntries(scores.map(({ name, score }) => [name, score])),
  }
}
