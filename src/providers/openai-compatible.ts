import { chatCompletions } from '../endpoints/chat-completions.ts'
import { completions } from '../endpoints/completions.ts'
import { embeddings } from '../endpoints/embeddings.ts'
import { models } from '../endpoints/models.ts'
import { chatCounters, inputCounters } from '../endpoints/openai-counters.ts'
import { bearer, openaiRateLimits, type Provider } from './provider.ts'

/** Any server that speaks OpenAI's Chat Completions, and maybe its Completions and Embeddings: the operator names its address, and whose prices it has. */
export const openaiCompatible: Provider = {
  id: 'openai-compatible',
  baseUrl: null,
  authorize: bearer,
  keyVariable: null,
  rateLimits: openaiRateLimits,
  endpoints: [chatCompletions(chatCounters), completions(chatCounters), embeddings(inputCounters), models],
}
