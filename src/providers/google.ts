import { generateContent } from '../endpoints/generate-content.ts'
import { contentCounters, interactionCounters } from '../endpoints/google-counters.ts'
import { googleErrors } from '../endpoints/google-errors.ts'
import { interactionReplies } from '../endpoints/interactions.ts'
import { models } from '../endpoints/models.ts'
import type { Provider } from './provider.ts'

/** Gemini. Clients say which version of the API they speak (@google/genai 3.1.0, `apiVersion`). */
export const google: Provider = {
  id: 'google',
  baseUrl: 'https://generativelanguage.googleapis.com',
  versions: ['v1beta', 'v1', 'v1alpha'],
  authorize: { header: 'x-goog-api-key', prefix: '' },
  keyVariable: 'GOOGLE_API_KEY',
  endpoints: [generateContent(contentCounters), { ...models, ...googleErrors }],
  readOnly: [interactionReplies(interactionCounters)],
}
