import { fileDeleted } from './assistant-storage.ts'
import type { Endpoint } from './endpoint.ts'
import { countOf, member, textOf } from './json.ts'
import type { Learn } from './objects.ts'
import { openaiRefusal, openaiStreamFault } from './openai-errors.ts'

const learnFile: Learn = ({ reply }) => {
  const id = textOf(member(reply, 'id'))
  if (id === null) return []
  return [
    {
      kind: 'file',
      id,
      parent: null,
      model: null,
      tokensMost: null,
      tools: false,
      bytes: countOf(member(reply, 'bytes')),
    },
  ]
}

/** Files: uploaded for assistants, fine-tuning and batches. The calls are free; what keeps a file costs by its
 * bytes, so these are remembered. */
export const files: Endpoint = {
  id: 'files',
  reader: null,
  routes: [
    { method: 'POST', path: '/files', billing: 'free', form: { sounds: [] }, learn: learnFile },
    { method: 'GET', path: '/files/:file', billing: 'free' },
    { method: 'GET', path: '/files/:file/content', billing: 'free' },
    { method: 'DELETE', path: '/files/:file', billing: 'free', standing: fileDeleted },
    {
      method: 'GET',
      path: '/files',
      billing: 'closed',
      why: 'a list would show the files of every owner; retrieve them by id',
    },
  ],
  refusal: openaiRefusal,
  streamFault: openaiStreamFault,
}
