import type { UsageShape } from '../usage/read.ts'
import { type Json, listOf, member, textOf } from './json.ts'
import type { ReadWire, Reply } from './reply.ts'
import { emptyReply, portionOf } from './reply-shape.ts'

/** The replies of Evals: a run, which counts its tokens model by model. */
export const evalReplies = (counters: UsageShape): ReadWire => ({
  id: 'evals',
  reader: {
    readReply: (run: Json): Reply => {
      const models = listOf(member(run, 'per_model_usage'))
      return {
        ...emptyReply,
        id: textOf(member(run, 'id')),
        usage: models.length === 0 ? null : { usage: {}, problems: [] },
        apart: models.flatMap((usage) => {
          const model = textOf(member(usage, 'model_name'))
          return portionOf(usage, counters, { id: model, model })
        }),
        ended: ends.has(textOf(member(run, 'status')) ?? ''),
      }
    },
    meterStream: null,
  },
})

const ends = new Set(['completed', 'failed', 'canceled'])
