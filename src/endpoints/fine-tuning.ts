import type { Bound } from './bound.ts'
import type { Endpoint, RequestFacts, Surroundings } from './endpoint.ts'
import type { Job, JobWire } from './job.ts'
import { countOf, type Json, member, textOf } from './json.ts'
import type { Learn, Names } from './objects.ts'
import { openaiRefusal, openaiStreamFault } from './openai-errors.ts'
import { openaiTags } from './openai-tags.ts'
import type { Reply, ReplyReader } from './reply.ts'
import { emptyReply } from './reply-shape.ts'

/** The replies of Fine-tuning: a job, which says how many tokens it was trained on when it has ended. */
const reader: ReplyReader = {
  readReply: (job: Json): Reply => {
    const tokens = trainedTokens(job)
    return {
      ...emptyReply,
      id: textOf(member(job, 'id')),
      model: trainedModel(job),
      usage: tokens === null ? null : { usage: { training_tokens: tokens }, problems: [] },
      ended: ends.has(textOf(member(job, 'status')) ?? ''),
    }
  },
  meterStream: null,
}

const ends = new Set(['succeeded', 'failed', 'cancelled'])

/** The vendor calls them billable, and says them of a job that has ended. Reinforcement is billed by the hours it
 * trained and by its graders' tokens, neither of which a job says. */
const trainedTokens = (job: Json): number | null =>
  member(member(job, 'method'), 'type') === 'reinforcement' ? null : countOf(member(job, 'trained_tokens'))

/** The model that is trained. One that was tuned before has the price of its base: `ft:base:organization:suffix:id`. */
const trainedModel = (json: Json): string | null => {
  const model = textOf(member(json, 'model'))
  return model === null ? null : (/^ft:([^:]+)/.exec(model)?.[1] ?? model)
}

const read = (request: Json): RequestFacts => ({
  model: trainedModel(request),
  stream: false,
  tier: null,
  endUser: null,
  tags: openaiTags(request),
})

/** A token is at least a byte of the file, also with what the vendor puts around messages: their JSON is longer. A
 * pair of answers that are compared has its prompt before each, so a byte counts twice there. A job may fail or be
 * cancelled at once, which costs nothing. */
const bound = (request: Json, { model, objects }: Surroundings): readonly Bound[] => {
  const method = textOf(member(member(request, 'method'), 'type')) ?? 'supervised'
  const bytes = objects.file?.bytes ?? null
  const passes = passesOf(method)
  const reason =
    passes === null
      ? `nothing in a request bounds what a job of the method "${method.slice(0, 40)}" costs`
      : seesImages.test(model)
        ? `the training file of ${model} can name images, and their tokens do not follow from its size`
        : 'the size of the training file is not known'
  const bounded = passes !== null && bytes !== null && !seesImages.test(model)
  const most = bounded ? bytes * passes * epochsMost(request, method) : null
  return [{ meters: ['training_tokens'], least: 0, most, ...(most === null && { reason }) }]
}

/** How often a byte of the file is trained on in an epoch; null where a job is not billed by its file. */
const passesOf = (method: string): number | null =>
  method === 'supervised' ? 1 : method === 'dpo' ? 2 : null

/** Models whose training files can have images: OpenAI's guide "Vision fine-tuning" names `gpt-4o-2024-08-06`, Azure's
 * `gpt-4.1-2025-04-14` as well (both read 2026-11). */
const seesImages = /^gpt-(4o|4\.1)(-\d|$)/

/** The most epochs that the vendor takes (API reference of November 2023, `hyperparameters.n_epochs`: from 1 to 50).
 * With `auto`, which holds where nothing is asked, it chooses by the size of the file and does not say how. */
const epochsLimit = 50

/** By the more where a request has them in both of its places. */
const epochsMost = (request: Json, method: string): number => {
  const places = [request, member(member(request, 'method'), method)]
  const asked = places
    .map((place) => member(member(place, 'hyperparameters'), 'n_epochs'))
    .filter((epochs) => epochs !== undefined && epochs !== null)
  return asked.length === 0 ? epochsLimit : Math.max(...asked.map((epochs) => countOf(epochs) ?? epochsLimit))
}

const fileIn = (request: Json, name: 'training_file' | 'validation_file'): string | null =>
  textOf(member(request, name))

const readJob = (reply: Json): Job | null => {
  const { id, model, ended } = reader.readReply(reply)
  if (id === null) return null
  const tokens = trainedTokens(reply)
  const status = textOf(member(reply, 'status')) ?? ''
  const why = textOf(member(member(reply, 'error'), 'code'))
  const usage = tokens === null ? (status === 'failed' ? {} : null) : { training_tokens: tokens }
  const note = status === 'succeeded' ? null : `job ${status}${why === null ? '' : `: ${why.slice(0, 80)}`}`
  return { id, model, ended, usage: ended ? usage : null, note }
}

const wire: JobWire = {
  kind: 'job',
  read,
  bound,
  file: (request) => {
    const id = fileIn(request, 'training_file')
    return id === null ? null : { id, path: `/files/${encodeURIComponent(id)}` }
  },
  readJob,
  jobPath: ({ id }) => `/fine_tuning/jobs/${encodeURIComponent(id)}`,
}

const namedFiles: Names = (request) =>
  (['training_file', 'validation_file'] as const).flatMap((name) => {
    const id = fileIn(request, name)
    return id === null ? [] : [{ kind: 'file', id }]
  })

const learnJob: Learn = ({ reply }) => {
  const id = textOf(member(reply, 'id'))
  if (id === null) return []
  return [{ kind: 'job', id, parent: null, model: trainedModel(reply), tokensMost: null, tools: false }]
}

/** Fine-tuning: jobs, billed by tokens and epochs when they end, whoever sees that first. */
export const fineTuning: Endpoint = {
  id: 'fine-tuning',
  reader,
  routes: [
    {
      method: 'POST',
      path: '/fine_tuning/jobs',
      billing: 'later',
      wire,
      names: namedFiles,
      learn: learnJob,
    },
    { method: 'GET', path: '/fine_tuning/jobs/:job', billing: 'free', observes: wire },
    { method: 'POST', path: '/fine_tuning/jobs/:job/cancel', billing: 'free', observes: wire },
    { method: 'POST', path: '/fine_tuning/jobs/:job/pause', billing: 'free', observes: wire },
    { method: 'POST', path: '/fine_tuning/jobs/:job/resume', billing: 'free', observes: wire },
    { method: 'GET', path: '/fine_tuning/jobs/:job/events', billing: 'free' },
    { method: 'GET', path: '/fine_tuning/jobs/:job/checkpoints', billing: 'free' },
    {
      method: 'GET',
      path: '/fine_tuning/jobs',
      billing: 'closed',
      why: 'a list would show the jobs of every owner; retrieve them by id',
    },
  ],
  refusal: openaiRefusal,
  streamFault: openaiStreamFault,
}
