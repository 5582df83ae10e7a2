import { parentPort } from 'node:worker_threads'
import { parseJson } from '../endpoints/json.ts'
import { countChat } from '../tokens/chat.ts'
import { encodingOf, loadEncoding } from '../tokens/text.ts'
import type { CountAnswered, CountAsked } from './counting.ts'

/** The thread that counts prompts, one after the other. A model of unknown encoding is not counted. */

const count = async ({ id, body, model }: CountAsked): Promise<CountAnswered> => {
  const encoding = encodingOf(model)
  if (encoding === null) return { id, count: null }
  const request = parseJson(Buffer.from(body).toString('utf8'))
  return { id, count: countChat(request, await loadEncoding(encoding)) }
}

parentPort?.on('message', (asked: CountAsked) => {
  void count(asked)
    .catch((): CountAnswered => ({ id: asked.id, count: null }))
    .then((answered) => parentPort?.postMessage(answered))
})
