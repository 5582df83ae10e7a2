import { agentReplies } from '../endpoints/agents.ts'
import { assistants } from '../endpoints/assistants.ts'
import { batchReplies } from '../endpoints/batches.ts'
import { chatCompletions, chatReplies } from '../endpoints/chat-completions.ts'
import { completionReplies } from '../endpoints/completions.ts'
import { containerReplies } from '../endpoints/containers.ts'
import { countedReplies } from '../endpoints/counted-replies.ts'
import { evalReplies } from '../endpoints/evals.ts'
import { fineTuningReplies } from '../endpoints/fine-tuning.ts'
import { imageReplies } from '../endpoints/images.ts'
import { models } from '../endpoints/models.ts'
import { moderationReplies } from '../endpoints/moderations.ts'
import * as counters from '../endpoints/openai-counters.ts'
import { responsesReplies } from '../endpoints/responses.ts'
import { speechReplies } from '../endpoints/speech.ts'
import { transcriptionReplies } from '../endpoints/transcriptions.ts'
import { vectorStoreReplies } from '../endpoints/vector-stores.ts'
import { videoReplies } from '../endpoints/videos.ts'
import { bearer, type Provider } from './provider.ts'

const completions = completionReplies('completions', counters.chatCounters)
const embeddings = countedReplies('embeddings', counters.inputCounters)
const responses = responsesReplies(counters.responsesCounters)

/** What a picture is made at where the request does not say (API reference of November 2023). */
const pictures = { model: 'dall-e-2', size: '1024x1024', quality: 'standard' }

export const openai: Provider = {
  id: 'openai',
  baseUrl: 'https://api.openai.com/v1',
  authorize: bearer,
  keyVariable: 'OPENAI_API_KEY',
  endpoints: [chatCompletions(counters.chatCounters), assistants(counters.plainCounters), models],
  readOnly: [
    completions,
    completionReplies('edits', counters.plainCounters),
    responses,
    embeddings,
    moderationReplies(),
    countedReplies('decisions', counters.responsesCounters),
    imageReplies('image-generations', counters.imageCounters, pictures),
    imageReplies('image-edits', counters.imageCounters, pictures),
    imageReplies('image-variations', counters.imageCounters, pictures),
    speechReplies(counters.speechCounters),
    transcriptionReplies('transcriptions', counters.transcriptionCounters),
    transcriptionReplies('translations', counters.transcriptionCounters),
    videoReplies(),
    agentReplies(counters.responsesCounters),
    batchReplies(counters.responsesCounters, {
      '/v1/chat/completions': chatReplies(counters.chatCounters),
      '/v1/completions': completions,
      '/v1/embeddings': embeddings,
      '/v1/responses': responses,
    }),
    fineTuningReplies(),
    evalReplies(counters.evalCounters),
    vectorStoreReplies(),
    containerReplies(),
  ],
}
