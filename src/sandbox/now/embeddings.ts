import { choice, number } from '../arguments.ts'
import { countInputs, embeddingsAnswer, unitVector, written } from '../embeddings.ts'
import { type Prompt, readPrompts } from '../prompts.ts'
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
  const total = countInputs(world, inputs, tokensMax)
  if (total > requestTokensMax) {
    throw new Refusal(400, `Requested ${total} tokens, max ${requestTokensMax} tokens per request`, {
      type: 'max_tokens_per_request',
      code: 'max_tokens_per_request',
    })
  }
  billVendor(world, {
    ...{ provider: 'openai', wire: 'embeddings', id: requestId, requestId, model: model.id },
    usage: { input_text_tokens: total },
    user: userOf(body),
  })
  const vectorOf = (input: Prompt) =>
    unitVector(randomFrom(world.seed, 'embedding', model.id, written(input)), asked ?? most)
  return embeddingsAnswer(inputs, { format, model: model.id, tokens: total, vectorOf })
}
