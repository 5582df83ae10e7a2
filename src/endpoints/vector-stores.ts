import { namedFiles } from './assistant-objects.ts'
import type { Done, Endpoint, FreeRoute, Route, StandingChange } from './endpoint.ts'
import { countOf, type Json, member, textOf } from './json.ts'
import { openaiRefusal, openaiStreamFault } from './openai-errors.ts'
import { emptyReply } from './reply-shape.ts'
import { storeFacts, storeLook, storeSeen } from './store-changes.ts'

/** Vector Stores: what file search reads. The calls are free; a store costs by gigabyte and day. How large it is its
 * own reply says, so it is looked at whenever its files change; files are taken in after the reply, so also whenever
 * somebody asks how far that is. Searches (`/search`) are no route: what one costs is not published. */
export const vectorStores = (): Endpoint => ({
  id: 'vector-stores',
  reader: {
    readReply: (reply: Json) => {
      const [id, bytes] = [textOf(member(reply, 'id')), countOf(member(reply, 'usage_bytes'))]
      // A file of a store has bytes too; they are within its store's.
      if (id === null || bytes === null || member(reply, 'object') !== 'vector_store')
        return { ...emptyReply, id }
      const standing = [{ meter: 'file_search_gb_day', id, bytes, attributes: {} }] as const
      return { ...emptyReply, id, usage: { usage: {}, problems: [] }, standing }
    },
    meterStream: null,
  },
  routes: [...storeRoutes, ...fileRoutes],
  refusal: openaiRefusal,
  streamFault: openaiStreamFault,
})

const free = (
  method: Route['method'],
  path: string,
  more: Omit<FreeRoute, 'method' | 'path' | 'billing'> = {},
): Route => ({ method, path: `/vector_stores${path}`, billing: 'free', ...more })

const shown = ({ reply }: Done): readonly StandingChange[] => storeSeen(reply)

const storeRoutes: readonly Route[] = [
  free('POST', '', { names: namedFiles, learn: ({ reply }) => storeFacts(reply), standing: shown }),
  free('GET', '/:vector_store', { standing: shown }),
  free('POST', '/:vector_store', { standing: shown }),
  free('DELETE', '/:vector_store', {
    standing: ({ params: { vector_store: id } }) => (id === undefined ? [] : [{ change: 'store-gone', id }]),
  }),
  {
    method: 'GET',
    path: '/vector_stores',
    billing: 'closed',
    why: 'a list would show the vector stores of every owner; retrieve them by id',
  },
]

const changed = ({ params: { vector_store: id } }: Done): readonly StandingChange[] =>
  id === undefined ? [] : [storeLook(id)]

const fileRoutes: readonly Route[] = [
  free('POST', '/:vector_store/files', { standing: changed }),
  free('GET', '/:vector_store/files'),
  free('GET', '/:vector_store/files/:file', { standing: changed }),
  free('DELETE', '/:vector_store/files/:file', { standing: changed }),
  free('POST', '/:vector_store/file_batches', { names: namedFiles, standing: changed }),
  free('GET', '/:vector_store/file_batches/:batch', { standing: changed }),
  free('POST', '/:vector_store/file_batches/:batch/cancel', { standing: changed }),
  free('GET', '/:vector_store/file_batches/:batch/files'),
]
