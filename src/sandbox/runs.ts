import { assistantPlace, modelOf, textMax } from './assistants.ts'
import { threadFiles } from './attachments.ts'
import { readFields } from './fields.ts'
import { keep, refuse, the } from './kept.ts'
import type { Run } from './objects.ts'
import { listOf } from './pages.ts'
import type { RunEngine } from './run-engine.ts'
import { runPlace } from './run-life.ts'
import { stepPlace } from './run-steps.ts'
import { heldByRun } from './storage.ts'
import { createThread, readMetadata, threadPlace } from './threads.ts'
import { readTools } from './tools.ts'
import { type Exchange, type Fields, isFields, seconds, type WireRoute, type World } from './world.ts'

/** Runs and run steps as of November 2023: polling only, and no usage anywhere. */
export const runs = (world: World, engine: RunEngine): readonly WireRoute[] => {
  const at = (method: WireRoute['method'], path: string, handle: WireRoute['handle']): WireRoute => ({
    method,
    path: `/v1/threads/${path}`,
    family: 'runs',
    beta: true,
    handle,
  })
  const theRun = ({ params }: Exchange): Run => {
    const thread = the(world, threadPlace, params['thread'])
    return engine.now(the(world, runPlace(thread.id), params['run']))
  }
  return [
    { ...at('POST', 'runs', (exchange) => createThreadAndRun(world, engine, exchange)), startsRun: true },
    { ...at('POST', ':thread/runs', (exchange) => createRun(world, engine, exchange)), startsRun: true },
    at('GET', ':thread/runs', ({ params, query }) => {
      const { id } = the(world, threadPlace, params['thread'])
      // A run whose time has passed expires before it is shown.
      engine.active(id)
      return { json: listOf(world, runPlace(id), query) }
    }),
    at('GET', ':thread/runs/:run', (exchange) => ({ json: theRun(exchange) })),
    at('POST', ':thread/runs/:run', (exchange) => {
      const modified = { ...theRun(exchange), ...readMetadata(world, exchange.body) }
      world.state.replace(runPlace(modified.thread_id), modified)
      return { json: modified }
    }),
    at('POST', ':thread/runs/:run/cancel', (exchange) => {
      const run = theRun(exchange)
      if (cancellable.includes(run.status)) return { json: engine.cancel(run) }
      throw world.profile.refusals.cannotCancel(run.status)
    }),
    at('POST', ':thread/runs/:run/submit_tool_outputs', (exchange) => {
      const run = theRun(exchange)
      const outputs = readOutputs(world, exchange.body)
      if (run.status !== 'requires_action') throw world.profile.refusals.noToolOutputs(run.status)
      return { json: engine.submit(run, outputs) }
    }),
    {
      ...at('GET', ':thread/runs/:run/steps', (exchange) => ({
        json: listOf(world, stepPlace(theRun(exchange).id), exchange.query),
      })),
      family: 'steps',
    },
    {
      ...at('GET', ':thread/runs/:run/steps/:step', (exchange) => ({
        json: the(world, stepPlace(theRun(exchange).id), exchange.params['step']),
      })),
      family: 'steps',
    },
  ]
}

/** The statuses in which a run can be cancelled. */
export const cancellable: readonly Run['status'][] = ['queued', 'in_progress', 'requires_action']

const runFields = ['assistant_id', 'model', 'instructions', 'tools', 'metadata']

/** The vendor gives a run ten minutes. */
export const lifeSeconds = 600

const createRun = (world: World, engine: RunEngine, { params, body, fault }: Exchange) => {
  const { id: thread } = the(world, threadPlace, params['thread'])
  const draft = readRun(world, body, runFields)
  const active = engine.active(thread)
  if (active !== null) throw world.profile.refusals.secondRun({ thread, run: active.id })
  const run = world.state.together(() => keepRun(world, thread, draft))
  engine.begin(run, { fails: fault?.kind === 'run-failed' })
  return { json: run }
}

const createThreadAndRun = (world: World, engine: RunEngine, { body, fault }: Exchange) => {
  const reader = readFields(body, ['body'], [...runFields, 'thread'])
  const fields = reader.object('thread') ?? {}
  refuse(world, reader)
  const draft = readRun(world, body, [...runFields, 'thread'])
  const run = world.state.together(() => {
    const thread = createThread(world, fields, ['body', 'thread'])
    return keepRun(world, thread.id, draft)
  })
  engine.begin(run, { fails: fault?.kind === 'run-failed' })
  return { json: run }
}

/** Keeps a new run; what its retrieval may read is stored from now on. Runs inside a transaction. */
const keepRun = (world: World, thread: string, draft: Draft): Run => {
  const run = newRun(world, thread, draft)
  keep(world, runPlace(thread), run)
  heldByRun(world, run, threadFiles(world, thread))
  return run
}

type Draft = Pick<Run, 'assistant_id' | 'model' | 'instructions' | 'tools' | 'file_ids' | 'metadata'>

/** Model, instructions and tools of the request go before those of the assistant. */
const readRun = (world: World, body: Fields, known: readonly string[]): Draft => {
  const reader = readFields(body, ['body'], known)
  const id = reader.text('assistant_id', { most: 256, required: true })
  const model = reader.text('model', { most: 256 })
  const instructions = reader.text('instructions', { most: textMax })
  const metadata = reader.metadata('metadata')
  const tools = readTools(world, reader, ['body'])
  refuse(world, reader)
  const assistant = the(world, assistantPlace, id ?? undefined)
  return {
    assistant_id: assistant.id,
    model: typeof model === 'string' ? modelOf(world, model) : assistant.model,
    instructions: instructions ?? assistant.instructions ?? '',
    tools: tools ?? assistant.tools,
    file_ids: assistant.file_ids,
    metadata: metadata ?? {},
  }
}

const newRun = (world: World, thread: string, draft: Draft): Run => ({
  id: world.newId('run_'),
  object: 'thread.run',
  created_at: seconds(world),
  assistant_id: draft.assistant_id,
  thread_id: thread,
  status: 'queued',
  started_at: null,
  expires_at: seconds(world) + lifeSeconds,
  cancelled_at: null,
  failed_at: null,
  completed_at: null,
  required_action: null,
  last_error: null,
  model: draft.model,
  instructions: draft.instructions,
  tools: draft.tools,
  file_ids: draft.file_ids,
  metadata: draft.metadata,
})

/** Outputs in one request, and characters of one: bounds of the sandbox. */
const outputsMax = 128
const outputMax = 512 * 2 ** 10

/** The ids of calls and their outputs. `field required` is the vendor's: teams-sdk issue 925, 2023-11-29. */
export const readOutputs = (world: World, body: Fields): readonly (readonly [string, string])[] => {
  const reader = readFields(body, ['body'], ['tool_outputs'])
  const list = reader.list('tool_outputs', { most: outputsMax, required: true }) ?? []
  const readers = list.map((output, index) =>
    readFields(
      isFields(output) ? output : {},
      ['body', 'tool_outputs', String(index)],
      ['tool_call_id', 'output'],
    ),
  )
  const outputs = readers.map((each): readonly [string, string] => [
    each.text('tool_call_id', { most: 256, required: true }) ?? '',
    each.text('output', { most: outputMax, required: true }) ?? '',
  ])
  refuse(world, reader, ...readers)
  return outputs
}
