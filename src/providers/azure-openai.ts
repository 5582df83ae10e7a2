import { chatCompletions } from '../endpoints/chat-completions.ts'
import { completions } from '../endpoints/completions.ts'
import { embeddings } from '../endpoints/embeddings.ts'
import { models } from '../endpoints/models.ts'
import { mounted } from '../endpoints/mounted.ts'
import { chatCounters, inputCounters, responsesCounters } from '../endpoints/openai-counters.ts'
import { responsesReplies } from '../endpoints/responses.ts'
import type { Provider } from './provider.ts'

/** A deployment stands in the path, or in the body's `model`. */
const places = [
  { prefix: '/openai/deployments/:deployment', model: 'deployment' },
  { prefix: '/openai/v1' },
] as const

/** OpenAI's models in Azure. A deployment's name says nothing of the model: the operator's map does, and the
 * reply. */
export const azureOpenai: Provider = {
  id: 'azure-openai',
  baseUrl: null,
  authorize: { header: 'api-key', prefix: '' },
  keyVariable: 'AZURE_OPENAI_API_KEY',
  endpoints: [
    mounted(chatCompletions(chatCounters, {}, { isOpenai: true }), places),
    mounted(completions(chatCounters), places),
    mounted(embeddings(inputCounters), places),
    mounted(models, [{ prefix: '/openai/v1' }]),
  ],
  readOnly: [responsesReplies(responsesCounters)],
}
