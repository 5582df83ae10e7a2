import { chatReplies } from '../endpoints/chat-completions.ts'
import { completionReplies } from '../endpoints/completions.ts'
import { countedReplies } from '../endpoints/counted-replies.ts'
import { chatCounters, inputCounters, responsesCounters } from '../endpoints/openai-counters.ts'
import { responsesReplies } from '../endpoints/responses.ts'
import type { Provider } from './provider.ts'

/** OpenAI's models in Azure. A deployment's name stands in the path and says nothing of the model; the reply
 * does. */
export const azureOpenai: Provider = {
  id: 'azure-openai',
  baseUrl: null,
  authorize: { header: 'api-key', prefix: '' },
  keyVariable: 'AZURE_OPENAI_API_KEY',
  endpoints: [],
  readOnly: [
    chatReplies(chatCounters),
    completionReplies('completions', chatCounters),
    countedReplies('embeddings', inputCounters),
    responsesReplies(responsesCounters),
  ],
}
