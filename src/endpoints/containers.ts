import { type Json, member, textOf } from './json.ts'
import type { ReadWire } from './reply.ts'
import { emptyReply } from './reply-shape.ts'
import { containerOf } from './response-tools.ts'

/** The replies of Containers: a container costs by the session as long as it is used, whoever opened it. */
export const containerReplies = (): ReadWire => ({
  id: 'containers',
  reader: {
    readReply: (reply: Json) => {
      const id = textOf(member(reply, 'id'))
      const standing = id === null ? [] : [containerOf(id, member(reply, 'memory_limit'))]
      return { ...emptyReply, id, usage: { usage: {}, problems: [] }, standing }
    },
    meterStream: null,
  },
})
