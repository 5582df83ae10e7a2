import { chatCompletions } from '../endpoints/chat-completions.ts'
import { models } from '../endpoints/models.ts'
import { chatCounters } from '../endpoints/openai-counters.ts'
import { bearer, type Provider } from './provider.ts'

/** Speaks OpenAI's wire, but reports reasoning outside the completion: 663 prompt, 50 completion and 124
 * reasoning tokens are 837 in all (Google Cloud's documentation of Grok, read 2026-11). */
export const xai: Provider = {
  id: 'xai',
  baseUrl: 'https://api.x.ai/v1',
  authorize: bearer,
  keyVariable: 'XAI_API_KEY',
  endpoints: [
    chatCompletions({
      at: chatCounters.at,
      inside: (chatCounters.inside ?? []).filter((meter) => meter !== 'output_reasoning_tokens'),
      known: [...(chatCounters.known ?? []), 'num_sources_used', 'cost_in_usd_ticks'],
    }),
    models,
  ],
}
