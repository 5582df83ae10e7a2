import { parseDecimal } from '../money/rational.ts'
import type { Reading } from '../usage/read.ts'
import { toQuantity } from '../usage/usage.ts'
import { type Json, member, textOf } from './json.ts'
import type { ReadWire, Reply } from './reply.ts'
import { emptyReply } from './reply-shape.ts'

/** The replies of Videos: a job that is billed by the seconds it made, at its model and size. */
export const videoReplies = (): ReadWire => ({
  id: 'videos',
  reader: {
    readReply: (job: Json): Reply => {
      const [status, size] = [textOf(member(job, 'status')), textOf(member(job, 'size'))]
      return {
        ...emptyReply,
        id: textOf(member(job, 'id')),
        model: textOf(member(job, 'model')),
        attributes: size === null ? {} : { size },
        usage: status === 'completed' ? secondsOf(textOf(member(job, 'seconds'))) : null,
        ended: status === 'completed' || status === 'failed',
      }
    },
    meterStream: null,
  },
})

const secondsOf = (text: string | null): Reading | null =>
  text === null || !/^\d{1,6}(\.\d{1,6})?$/.test(text)
    ? null
    : { usage: { video_seconds: toQuantity(parseDecimal(text)) }, problems: [] }
