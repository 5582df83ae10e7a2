import { messageCounters } from '../endpoints/anthropic-counters.ts'
import { generateContent } from '../endpoints/generate-content.ts'
import { contentCounters } from '../endpoints/google-counters.ts'
import { messagesOnVertex } from '../endpoints/messages-vertex.ts'
import { bearer, type Provider } from './provider.ts'

/** Gemini in Vertex AI: the same wire below a project and a place (@google/genai 3.1.0, `vertexai`). Claude there speaks
 * Messages below its publisher's path; an upstream for it takes its prices from Anthropic. The operator names the host,
 * which is the place's, and whose prices hold; an access token lives for an hour, so clients bring their own, or the
 * operator renews it. */
export const vertex: Provider = {
  id: 'vertex',
  baseUrl: null,
  versions: ['v1', 'v1beta1'],
  authorize: bearer,
  keyVariable: 'VERTEX_ACCESS_TOKEN',
  endpoints: [
    generateContent(contentCounters, '/projects/:project/locations/:location/publishers/google'),
    generateContent(contentCounters, '/publishers/google'),
    messagesOnVertex(messageCounters),
  ],
}
