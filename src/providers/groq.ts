import { chatCompletions } from '../endpoints/chat-completions.ts'
import { models } from '../endpoints/models.ts'
import { chatCounters } from '../endpoints/openai-counters.ts'
import { bearer, openaiRateLimits, type Provider, type RateLimitHeaders } from './provider.ts'

/** OpenAI's headers, but tokens read from the cache do not count (GroqDocs, "Rate Limits"), so tokens are not read. */
const requestLimits: RateLimitHeaders = {
  ...openaiRateLimits,
  counts: openaiRateLimits.counts.filter(({ measure }) => measure === 'requests'),
}

/** Speaks OpenAI's wire; its streams report usage in a member of their own, and times stand among the counts
 * (groq-sdk 1.6.0, `XGroq` and `CompletionUsage`). */
export const groq: Provider = {
  id: 'groq',
  baseUrl: 'https://api.groq.com/openai/v1',
  authorize: bearer,
  keyVariable: 'GROQ_API_KEY',
  rateLimits: requestLimits,
  endpoints: [
    chatCompletions(
      {
        ...chatCounters,
        known: [
          ...(chatCounters.known ?? []),
          'queue_time',
          'prompt_time',
          'completion_time',
          'total_time',
          'dram_cached_tokens',
          'sram_cached_tokens',
        ],
      },
      { usage: ['usage', 'x_groq.usage'], tiers: { on_demand: 'standard' } },
      { unasked: true },
    ),
    models,
  ],
}
