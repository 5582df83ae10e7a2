import { chatCompletions } from '../endpoints/chat-completions.ts'
import { models } from '../endpoints/models.ts'
import { bearer, type Provider } from './provider.ts'

/** Speaks OpenAI's wire, but reports cache hits and misses apart. */
export const deepseek: Provider = {
  id: 'deepseek',
  baseUrl: 'https://api.deepseek.com',
  authorize: bearer,
  keyVariable: 'DEEPSEEK_API_KEY',
  endpoints: [
    chatCompletions({
      at: {
        input_text_tokens: 'prompt_cache_miss_tokens',
        cached_input_tokens: 'prompt_cache_hit_tokens',
        output_text_tokens: 'completion_tokens',
        output_reasoning_tokens: 'completion_tokens_details.reasoning_tokens',
      },
      inside: ['output_reasoning_tokens'],
      known: ['prompt_tokens', 'total_tokens', 'prompt_tokens_details.cached_tokens'],
    }),
    models,
  ],
}
