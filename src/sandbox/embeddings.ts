import { checkNames, choice, userOf } from './arguments.ts'
import { type Prompt, promptTooLong, readPrompts } from './prompts.ts'
import { randomFrom } from './random.ts'
import { type BytesAnswer, bill, type Exchange, otherModel, type WireRoute, type World } from './world.ts'

/** Embeddings of November 2023: one model, vectors of 1,536 numbers and of length 1, the same for the same
 * input. */
export const embeddings = (world: World): readonly WireRoute[] => [
  {
    method: 'POST',
    path: '/v1/embeddings',
    family: 'embeddings',
    handle: (exchange) => embed(world, exchange),
  },
]

const dimensions = 1536

/** Tokens of one input: the vendor's models page says 8,191, and so did its refusals. */
const tokensMax = 8191

const embed = async (world: World, { body, requestId }: Exchange): Promise<BytesAnswer> => {
  checkNames(body, ['model', 'input', 'encoding_format', 'user'])
  const model = otherModel(world, body, 'embeddings')
  const format = choice(body, 'encoding_format', ['float', 'base64'])
  const inputs = readPrompts(body, 'input')
  const tokens = inputs.map((input) => {
    const count = typeof input === 'string' ? world.counter.count(input) : input.length
    if (count > tokensMax) throw promptTooLong({ window: tokensMax, prompt: count, completion: 0 })
    return count
  })
  // Written vector by vector: two thousand at once would hold the thread.
  const data: string[] = []
  for (const [index, input] of inputs.entries()) {
    if (index % 16 === 15) await new Promise(setImmediate)
    const vector = vectorOf(world, input)
    const embedding = format === 'base64' ? Buffer.from(vector.buffer).toString('base64') : [...vector]
    data.push(JSON.stringify({ object: 'embedding', index, embedding }))
  }
  const total = tokens.reduce((sum, count) => sum + count, 0)
  bill(world, {
    wire: 'embeddings',
    id: requestId,
    requestId,
    model: model.id,
    user: userOf(body),
    usage: { input_text_tokens: total },
  })
  const usage = { prompt_tokens: total, total_tokens: total }
  const rest = JSON.stringify({ model: model.id, usage }).slice(1)
  const bytes = Buffer.from(`{"object":"list","data":[${data.join(',')}],${rest}`)
  return { bytes, contentType: 'application/json' }
}

const vectorOf = (world: World, input: Prompt): Float32Array<ArrayBuffer> => {
  const random = randomFrom(world.seed, 'embedding', typeof input === 'string' ? input : input.join(' '))
  const vector = Float32Array.from(
    { length: dimensions },
    () => random.whole({ least: -1_000_000, most: 1_000_000 }) / 1_000_000,
  )
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0))
  return vector.map((value) => value / length)
}
