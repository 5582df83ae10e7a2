import { chatCompletions } from '../endpoints/chat-completions.ts'
import { models } from '../endpoints/models.ts'
import { chatCounters } from '../endpoints/openai-counters.ts'
import { bearer, type Provider } from './provider.ts'

/** Any server that speaks OpenAI's Chat Completions: the operator names its address, and whose prices it has. */
export const openaiCompatible: Provider = {
  id: 'openai-compatible',
  baseUrl: null,
  authorize: bearer,
  keyVariable: null,
  endpoints: [chatCompletions(chatCounters), models],
}
