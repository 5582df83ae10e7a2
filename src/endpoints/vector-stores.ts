import type { ReadWire } from './endpoint.ts'
import { countOf, type Json, member, textOf } from './json.ts'
import { emptyReply } from './reply-shape.ts'

/** The replies of Vector Stores: what a store holds now. It costs by gigabyte and day, which whoever keeps
 * accruals works out from one look to the next. */
export const vectorStoreReplies = (): ReadWire => ({
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
})
