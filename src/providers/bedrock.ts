import { converse } from '../endpoints/converse.ts'
import { bearer, type Provider } from './provider.ts'

/** Amazon Bedrock: input excludes what was read from the cache and what was written to it
 * (@aws-sdk/client-bedrock-runtime 3.1164.0, `TokenUsage`). A regional host, which the operator names. */
export const bedrock: Provider = {
  id: 'bedrock',
  baseUrl: null,
  authorize: bearer,
  keyVariable: 'AWS_BEARER_TOKEN_BEDROCK',
  endpoints: [
    converse({
      at: {
        input_text_tokens: 'inputTokens',
        cached_input_tokens: 'cacheReadInputTokens',
        cache_write_5m_tokens: ['cacheDetails[ttl=5m].inputTokens', 'cacheWriteInputTokens'],
        cache_write_1h_tokens: 'cacheDetails[ttl=1h].inputTokens',
        output_text_tokens: 'outputTokens',
      },
      known: ['totalTokens'],
    }),
  ],
}
