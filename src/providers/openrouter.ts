import { chatCompletions } from '../endpoints/chat-completions.ts'
import { models } from '../endpoints/models.ts'
import { chatCounters } from '../endpoints/openai-counters.ts'
import { bearer, type Provider } from './provider.ts'

/** Speaks OpenAI's wire and says itself what a call costs, in credits, which are dollars; the tokens are for
 * analysis (@openrouter/sdk 1.3.19, `ChatUsage`). With a key of one's own the upstream vendor bills apart. */
export const openrouter: Provider = {
  id: 'openrouter',
  baseUrl: 'https://openrouter.ai/api/v1',
  authorize: bearer,
  keyVariable: 'OPENROUTER_API_KEY',
  endpoints: [
    chatCompletions(
      {
        ...chatCounters,
        known: [
          ...(chatCounters.known ?? []),
          'cost',
          'cost_details.server_tool_cost',
          'cost_details.upstream_inference_cost',
          'cost_details.upstream_inference_prompt_cost',
          'cost_details.upstream_inference_completions_cost',
          'prompt_tokens_details.video_tokens',
          'server_tool_use_details.tool_calls_executed',
          'server_tool_use_details.tool_calls_requested',
          'server_tool_use_details.web_search_requests',
        ],
      },
      { stated: ['usage.cost'] },
      { unasked: true },
    ),
    models,
  ],
}
