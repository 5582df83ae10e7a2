import { agentReplies } from '../endpoints/agents.ts'
import { assistants } from '../endpoints/assistants.ts'
import { batchReplies } from '../endpoints/batches.ts'
import { chatCompletions, chatReplies } from '../endpoints/chat-completions.ts'
import { openaiClosed } from '../endpoints/closed.ts'
import { completionReplies, completions } from '../endpoints/completions.ts'
import { containerReplies } from '../endpoints/containers.ts'
import { conversations } from '../endpoints/conversations.ts'
import { countedReplies } from '../endpoints/counted-replies.ts'
import { embeddings } from '../endpoints/embeddings.ts'
import { evalReplies } from '../endpoints/evals.ts'
import { files } from '../endpoints/files.ts'
import { fineTuning } from '../endpoints/fine-tuning.ts'
import { images } from '../endpoints/images.ts'
import { models } from '../endpoints/models.ts'
import { moderations } from '../endpoints/moderations.ts'
import * as counters from '../endpoints/openai-counters.ts'
import { responses, responsesReplies } from '../endpoints/responses.ts'
import { speech } from '../endpoints/speech.ts'
import { transcriptions } from '../endpoints/transcriptions.ts'
import { vectorStores } from '../endpoints/vector-stores.ts'
import { videoReplies } from '../endpoints/videos.ts'
import { bearer, openaiRateLimits, type Provider } from './provider.ts'

/** What a picture is made at where the request does not say (API reference of November 2023). */
const pictures = { model: 'dall-e-2', size: '1024x1024', quality: 'standard' }

export const openai: Provider = {
  id: 'openai',
  baseUrl: 'https://api.openai.com/v1',
  authorize: bearer,
  keyVariable: 'OPENAI_API_KEY',
  rateLimits: openaiRateLimits,
  endpoints: [
    chatCompletions(counters.chatCounters, {}, { isOpenai: true }),
    responses(counters.responsesCounters),
    conversations,
    completions(counters.chatCounters),
    embeddings(counters.inputCounters),
    images('image-generations', counters.imageCounters, pictures),
    images('image-edits', counters.imageCounters, pictures),
    images('image-variations', counters.imageCounters, pictures),
    speech(counters.speechCounters),
    transcriptions('transcriptions', counters.transcriptionCounters),
    transcriptions('translations', counters.transcriptionCounters),
    moderations(),
    assistants(counters.plainCounters),
    vectorStores(),
    files,
    fineTuning,
    models,
  ],
  closed: openaiClosed,
  readOnly: [
    completionReplies('edits', counters.plainCounters),
    countedReplies('decisions', counters.responsesCounters),
    videoReplies(),
    agentReplies(counters.responsesCounters),
    batchReplies(counters.responsesCounters, {
      '/v1/chat/completions': chatReplies(counters.chatCounters),
      '/v1/completions': completionReplies('completions', counters.chatCounters),
      '/v1/embeddings': countedReplies('embeddings', counters.inputCounters),
      '/v1/responses': responsesReplies(counters.responsesCounters),
    }),
    evalReplies(counters.evalCounters),
    containerReplies(),
  ],
}
