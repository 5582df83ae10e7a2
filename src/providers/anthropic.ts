import { messageCounters } from '../endpoints/anthropic-counters.ts'
import { anthropicErrors } from '../endpoints/anthropic-errors.ts'
import { messageBatchReplies } from '../endpoints/batches.ts'
import { messageReplies } from '../endpoints/message-replies.ts'
import { messages } from '../endpoints/messages.ts'
import { models } from '../endpoints/models.ts'
import type { Provider, RateLimitHeaders } from './provider.ts'

/** A bucket that refills in a minute; its reset is the instant at which it is full. Tokens are not read: the vendor leaves
 * input read from the cache out, and counts output as it is produced, so what is held here would be more than counts there
 * and keep calls waiting for nothing. */
const rateLimits: RateLimitHeaders = {
  reset: 'instant',
  counts: [
    { measure: 'requests', named: (part) => `anthropic-ratelimit-requests-${part}`, lengthMs: 60_000 },
  ],
}

export const anthropic: Provider = {
  id: 'anthropic',
  baseUrl: 'https://api.anthropic.com/v1',
  authorize: { header: 'x-api-key', prefix: '' },
  keyVariable: 'ANTHROPIC_API_KEY',
  rateLimits,
  endpoints: [messages(messageCounters), { ...models, ...anthropicErrors }],
  readOnly: [messageBatchReplies(messageReplies(messageCounters))],
}
