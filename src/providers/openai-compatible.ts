import { chatCompletions } from '../endpoints/chat-completions.ts'
import { models } from '../endpoints/models.ts'
import { bearer, type Provider } from './provider.ts'

/** Any server that speaks OpenAI's Chat Completions: the operator names its address, and whose prices it has. */
export const openaiCompatible: Provider = {
  id: 'openai-compatible',
  baseUrl: null,
  authorize: bearer,
  keyVariable: null,
  endpoints: [
    chatCompletions({
      at: {
        input_text_tokens: 'prompt_tokens',
        cached_input_tokens: 'prompt_tokens_details.cached_tokens',
        output_text_tokens: 'completion_tokens',
        output_reasoning_tokens: 'completion_tokens_details.reasoning_tokens',
      },
      inside: ['cached_input_tokens', 'output_reasoning_tokens'],
    }),
    models,
  ],
}
