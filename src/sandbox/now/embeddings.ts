import { choice, number } from '../arguments.ts'
import { promptTooLong, readPrompts } from '../prompts.ts'
import { randomFrom } from '../random.ts'
import { Refusal } from '../refusal.ts'
import type { BytesAnswer, Exchange, WireRoute } from '../world.ts'
import { userOf } from './chat-request.ts'
import { billVendor, type LiveWorld } from './live-world.ts'
import { openaiModel } from './openai-models.ts'

/** Embeddings of today: vectors of length 1, the same for the same input, as long as was asked for. */
export const embeddings = (world: LiveWorld): readonly WireRoute[] => [
  {
    method: 'POST',
    path: '/v1/embeddings',
    family: 'embeddings',
    handle: (exchange) => embed(world, exchange),
  },
]

/** Tokens of one input, and of a request (API description: 8,192 and 300,000). */
const tokensMax = 8192
const requestTokensMax = 300_000

const embed = async (world: LiveWorld, { body, requestId }: Exchange): Promise<BytesAnswer> => {
  const model = openaiModel(world, body, 'embedding')
  const format = choice(body, 'encoding_format', ['float', 'base64'])
  const most = model.id === 'text-embedding-3-large' ? 3072 : 1536
  const asked = number(body, 'dimensions', { least: 1, most, whole: true })
  if (asked !== null && model.id === 'text-embedding-ada-002') {
    throw new Refusal(400, 'This model does not support specifying dimensions.', { param: 'dimensions' })
  }
  const inputs = readPrompts(body, 'input')
  const tokens = inputs.map((input) => {
    const count = typeof input === 'string' ? world.counter.count(input) : input.length
    if (count > tokensMax) throw promptTooLong({ window: tokensMax, prompt: count, completion: 0 })
    return count
  })
  const total = tokens.reduce((sum, count) => sum + count, 0)
  if (total > requestTokensMax) {
    throw new Refusal(400, `Requested ${total} tokens, max ${requestTokensMax} tokens per request`, {
      type: 'max_tokens_per_request',
      code: 'max_tokens_per_request',
    })
  }
  // Written vector by vector: two thousand at once would hold the thread.
  const data: string[] = []
  for (const [index, input] of inputs.entries()) {
    if (index % 16 === 15) await new Promise(setImmediate)
    const text = typeof input === 'string' ? input : input.join(' ')
    const vector = vectorOf(world, { text, model: model.id, dimensions: asked ?? most })
    const embedding = format === 'base64' ? Buffer.from(vector.buffer).toString('base64') : [...vector]
    data.push(JSON.stringify({ object: 'embedding', index, embedding }))
  }
  billVendor(world, {
    ...{ provider: 'openai', wire: 'embeddings', id: requestId, requestId, model: model.id },
    usage: { input_text_tokens: total },
    user: userOf(body),
  })
  const usage = { prompt_tokens: total, total_tokens: total }
  const rest = JSON.stringify({ model: model.id, usage }).slice(1)
  const bytes = Buffer.from(`{"object":"list","data":[${data.join(',')}],${rest}`)
  return { bytes, contentType: 'application/json' }
}

const vectorOf = (
  world: LiveWorld,
  { text, model, dimensions }: { text: string; model: string; dimensions: number },
): Float32Array<ArrayBuffer> => {
  const random = randomFrom(world.seed, 'embedding', model, text)
  const vector = Float32Array.from(
    { length: dimensions },
    () => random.whole({ least: -1_000_000, most: 1_000_000 }) / 1_000_000,
  )
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0)) || 1
  return vector.map((value) => value / length)
}
