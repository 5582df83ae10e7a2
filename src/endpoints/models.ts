import type { Endpoint } from './endpoint.ts'
import { openaiRefusal, openaiStreamFault } from './openai-errors.ts'

/** The vendor's list of models: free, and the same for every owner. */
export const models: Endpoint = {
  id: 'models',
  reader: null,
  routes: [
    { method: 'GET', path: '/models', billing: 'free' },
    { method: 'GET', path: '/models/:model', billing: 'free' },
  ],
  refusal: openaiRefusal,
  streamFault: openaiStreamFault,
}
