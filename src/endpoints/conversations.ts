import type { Endpoint } from './endpoint.ts'
import { openaiRefusal, openaiStreamFault } from './openai-errors.ts'
import { itemNames, itemsTokensMost, learnConversation, learnItems } from './response-objects.ts'

/** Conversations: items that responses read and add to. The calls are free; what a conversation holds is input again
 * at each response, so its size is remembered. */
export const conversations: Endpoint = {
  id: 'conversations',
  reader: null,
  routes: [
    { method: 'POST', path: '/conversations', billing: 'free', learn: learnConversation, names: itemNames },
    { method: 'GET', path: '/conversations/:conversation', billing: 'free' },
    { method: 'POST', path: '/conversations/:conversation', billing: 'free' },
    { method: 'DELETE', path: '/conversations/:conversation', billing: 'free' },
    { method: 'GET', path: '/conversations/:conversation/items', billing: 'free' },
    {
      method: 'POST',
      path: '/conversations/:conversation/items',
      billing: 'free',
      grows: { kind: 'conversation', by: itemsTokensMost },
      names: itemNames,
      learn: learnItems,
    },
    { method: 'GET', path: '/conversations/:conversation/items/:item', billing: 'free' },
    { method: 'DELETE', path: '/conversations/:conversation/items/:item', billing: 'free' },
  ],
  refusal: openaiRefusal,
  streamFault: openaiStreamFault,
}
