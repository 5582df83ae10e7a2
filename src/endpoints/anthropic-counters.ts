import type { UsageShape } from '../usage/read.ts'

/** How Messages says what it used. All of it apart (@anthropic-ai/sdk 1.12.0, `BetaUsage`): what was read from the
 * cache and what was written to it is not in the input. Only thinking is inside, in the output. */
export const messageCounters: UsageShape = {
  at: {
    input_text_tokens: 'input_tokens',
    cached_input_tokens: 'cache_read_input_tokens',
    cache_write_5m_tokens: ['cache_creation.ephemeral_5m_input_tokens', 'cache_creation_input_tokens'],
    cache_write_1h_tokens: 'cache_creation.ephemeral_1h_input_tokens',
    output_text_tokens: 'output_tokens',
    output_reasoning_tokens: 'output_tokens_details.thinking_tokens',
    web_search_call: 'server_tool_use.web_search_requests',
    web_fetch_call: 'server_tool_use.web_fetch_requests',
  },
  inside: ['output_reasoning_tokens'],
  known: [
    'cache_creation_input_tokens',
    'iterations[].input_tokens',
    'iterations[].output_tokens',
    'iterations[].cache_read_input_tokens',
    'iterations[].cache_creation_input_tokens',
    'iterations[].cache_creation.ephemeral_5m_input_tokens',
    'iterations[].cache_creation.ephemeral_1h_input_tokens',
  ],
}
