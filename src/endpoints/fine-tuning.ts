import type { Reading } from '../usage/read.ts'
import type { ReadWire, Reply } from './endpoint.ts'
import { countOf, type Json, member, textOf } from './json.ts'
import { emptyReply } from './reply-shape.ts'

/** The replies of Fine-tuning: a job, which says how many tokens it was trained on when it has ended. */
export const fineTuningReplies = (): ReadWire => ({
  id: 'fine-tuning',
  reader: {
    readReply: (job: Json): Reply => ({
      ...emptyReply,
      id: textOf(member(job, 'id')),
      model: textOf(member(job, 'model')),
      usage: trained(job),
      ended: ends.has(textOf(member(job, 'status')) ?? ''),
    }),
    meterStream: null,
  },
})

const ends = new Set(['succeeded', 'failed', 'cancelled'])

/** Reinforcement is billed by the hours it trained and by its graders' tokens, neither of which a job says. */
const trained = (job: Json): Reading | null => {
  if (member(member(job, 'method'), 'type') === 'reinforcement') return null
  const tokens = countOf(member(job, 'trained_tokens'))
  return tokens === null ? null : { usage: { training_tokens: tokens }, problems: [] }
}
