import { chatCompletions } from '../endpoints/chat-completions.ts'
import { completions } from '../endpoints/completions.ts'
import { embeddings } from '../endpoints/embeddings.ts'
import { models } from '../endpoints/models.ts'
import { chatCounters, inputCounters } from '../endpoints/openai-counters.ts'
import { bearer, type Provider } from './provider.ts'

/** vLLM, which serves models on a machine of one's own and speaks OpenAI's wire. What it costs, the operator says. */
export const vllm: Provider = {
  id: 'vllm',
  baseUrl: 'http://127.0.0.1:8000/v1',
  authorize: bearer,
  keyVariable: null,
  endpoints: [chatCompletions(chatCounters), completions(chatCounters), embeddings(inputCounters), models],
}
