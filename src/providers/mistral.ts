import { chatCompletions } from '../endpoints/chat-completions.ts'
import { embeddings } from '../endpoints/embeddings.ts'
import { models } from '../endpoints/models.ts'
import { inputCounters } from '../endpoints/openai-counters.ts'
import { bearer, type Provider } from './provider.ts'

/** Speaks OpenAI's wire; cached tokens stand under one of three names, sound is billed by the second, and the
 * tier is within the usage (@mistralai/mistralai 2.7.0, `UsageInfo` and `PromptTokensDetails`). */
export const mistral: Provider = {
  id: 'mistral',
  baseUrl: 'https://api.mistral.ai/v1',
  authorize: bearer,
  keyVariable: 'MISTRAL_API_KEY',
  endpoints: [
    chatCompletions(
      {
        at: {
          input_text_tokens: 'prompt_tokens',
          cached_input_tokens: [
            'num_cached_tokens',
            'prompt_tokens_details.cached_tokens',
            'prompt_token_details.cached_tokens',
          ],
          audio_seconds: 'prompt_audio_seconds',
          output_text_tokens: 'completion_tokens',
        },
        inside: ['cached_input_tokens'],
        known: [
          'total_tokens',
          'request_count',
          'prompt_tokens_details.audio_tokens',
          'prompt_token_details.audio_tokens',
        ],
      },
      { tier: ['service_tier', 'usage.service_tier'] },
      { unasked: true },
    ),
    embeddings(inputCounters),
    models,
  ],
}
