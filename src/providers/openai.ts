import { assistants } from '../endpoints/assistants.ts'
import { chatCompletions } from '../endpoints/chat-completions.ts'
import { models } from '../endpoints/models.ts'
import { bearer, type Provider } from './provider.ts'

export const openai: Provider = {
  id: 'openai',
  baseUrl: 'https://api.openai.com/v1',
  authorize: bearer,
  keyVariable: 'OPENAI_API_KEY',
  endpoints: [
    chatCompletions({
      at: {
        input_text_tokens: 'prompt_tokens',
        cached_input_tokens: 'prompt_tokens_details.cached_tokens',
        cache_write_tokens: 'prompt_tokens_details.cache_write_tokens',
        input_audio_tokens: 'prompt_tokens_details.audio_tokens',
        output_text_tokens: 'completion_tokens',
        output_reasoning_tokens: 'completion_tokens_details.reasoning_tokens',
        output_audio_tokens: 'completion_tokens_details.audio_tokens',
      },
      inside: [
        'cached_input_tokens',
        'cache_write_tokens',
        'input_audio_tokens',
        'output_reasoning_tokens',
        'output_audio_tokens',
      ],
    }),
    assistants({ at: { input_text_tokens: 'prompt_tokens', output_text_tokens: 'completion_tokens' } }),
    models,
  ],
}
