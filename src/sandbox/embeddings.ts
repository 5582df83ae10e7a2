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
  const total = countInputs(world, inputs, tokensMax)
  bill(world, {
    wire: 'embeddings',
    id: requestId,
    requestId,
    model: model.id,
    user: userOf(body),
    usage: { input_text_tokens: total },
  })
  const vectorOf = (input: Prompt) =>
    unitVector(randomFrom(world.seed, 'embedding', written(input)), dimensions)
  return embeddingsAnswer(inputs, { format, model: model.id, tokens: total, vectorOf })
}

/** The tokens of all inputs. Throws the vendor's refusal of one that has more than `most`. */
export const countInputs = (world: Pick<World, 'counter'>, inputs: readonly Prompt[], most: number): number =>
  inputs.reduce<number>((sum, input) => {
    const count = typeof input === 'string' ? world.counter.count(input) : input.length
    if (count > most) throw promptTooLong({ window: most, prompt: count, completion: 0 })
    return sum + count
  }, 0)

/** An input as a text: its tokens with spaces between, where it is given by them. */
export const written = (input: Prompt): string => (typeof input === 'string' ? input : input.join(' '))

type Vector = Float32Array<ArrayBuffer>

/** A vector of length 1. */
export const unitVector = (random: ReturnType<typeof randomFrom>, dimensions: number): Vector => {
  const vector = Float32Array.from(
    { length: dimensions },
    () => random.whole({ least: -1_000_000, most: 1_000_000 }) / 1_000_000,
  )
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0)) || 1
  return vector.map((value) => value / length)
}

/** The vectors of all inputs, as numbers or as the base64 of their bytes. */
export const embeddingsAnswer = async (
  inputs: readonly Prompt[],
  told: {
    readonly format: string
    readonly model: string
    readonly tokens: number
    readonly vectorOf: (input: Prompt) => Vector
  },
): Promise<BytesAnswer> => {
  const { format, model, tokens, vectorOf } = told
  // Written vector by vector: two thousand at once would hold the thread.
  const data: string[] = []
  for (const [index, input] of inputs.entries()) {
    if (index % 16 === 15) await new Promise(setImmediate)
    const vector = vectorOf(input)
    const embedding = format === 'base64' ? Buffer.from(vector.buffer).toString('base64') : [...vector]
    data.push(JSON.stringify({ object: 'embedding', index, embedding }))
  }
  const usage = { prompt_tokens: tokens, total_tokens: tokens }
  const rest = JSON.stringify({ model, usage }).slice(1)
  const bytes = Buffer.from(`{"object":"list","data":[${data.join(',')}],${rest}`)
  return { bytes, contentType: 'application/json' }
}
