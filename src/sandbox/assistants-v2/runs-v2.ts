import { assistantPlace, modelOf } from '../assistants.ts'
import { readFields } from '../fields.ts'
import { keep, refuse, the } from '../kept.ts'
import type { Run, Thread } from '../objects.ts'
import { listOf } from '../pages.ts'
import type { RunEngine } from '../run-engine.ts'
import { runPlace } from '../run-life.ts'
import { stepPlace } from '../run-steps.ts'
import { cancellable, lifeSeconds, readOutputs } from '../runs.ts'
import { readMetadata, threadPlace } from '../threads.ts'
import { readTools } from '../tools.ts'
import { type Answer, type Exchange, type Fields, seconds, type WireRoute, type World } from '../world.ts'
import { instructionsMax } from './assistants-v2.ts'
import { streamRun, unseen } from './run-stream.ts'
import { readSettings, settingFields } from './settings.ts'
import { samplingUnlessSaid, shownRun, shownStep } from './shapes.ts'
import { addMessageV2, createThreadV2, readMessages } from './threads-v2.ts'
import { readFlag, readObject } from './values.ts'

/** Runs and run steps of v2: whole and streamed, with their usage once they are over. */
export const runsV2 = (world: World, engine: RunEngine): readonly WireRoute[] => {
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
  const steps = (path: string, handle: WireRoute['handle']): WireRoute => ({
    ...at('GET', `:thread/runs/:run/steps${path}`, handle),
    family: 'steps',
  })
  return [
    { ...at('POST', 'runs', (exchange) => createThreadAndRun(world, engine, exchange)), startsRun: true },
    { ...at('POST', ':thread/runs', (exchange) => createRun(world, engine, exchange)), startsRun: true },
    at('GET', ':thread/runs', ({ params, query }) => {
      const { id } = the(world, threadPlace, params['thread'])
      // A run whose time has passed expires before it is shown.
      engine.active(id)
      return { json: listOf(world, runPlace(id), query, shownRun) }
    }),
    at('GET', ':thread/runs/:run', (exchange) => ({ json: shownRun(theRun(exchange)) })),
    at('POST', ':thread/runs/:run', (exchange) => {
      const modified = { ...theRun(exchange), ...readMetadata(world, exchange.body) }
      world.state.replace(runPlace(modified.thread_id), modified)
      return { json: shownRun(modified) }
    }),
    at('POST', ':thread/runs/:run/cancel', (exchange) => {
      const run = theRun(exchange)
      if (cancellable.includes(run.status)) return { json: shownRun(engine.cancel(run)) }
      throw world.profile.refusals.cannotCancel(run.status)
    }),
    at('POST', ':thread/runs/:run/submit_tool_outputs', (exchange) =>
      submitOutputs(world, engine, exchange, theRun),
    ),
    steps('', (exchange) => ({
      json: listOf(world, stepPlace(theRun(exchange).id), exchange.query, shownStep),
    })),
    steps('/:step', (exchange) => ({
      json: shownStep(the(world, stepPlace(theRun(exchange).id), exchange.params['step'])),
    })),
  ]
}

const runFields = [
  ...['assistant_id', 'model', 'instructions', 'additional_instructions', 'tools', 'metadata', 'stream'],
  ...settingFields,
]

const createRun = (world: World, engine: RunEngine, { params, body, fault }: Exchange): Answer => {
  const thread = the(world, threadPlace, params['thread'])
  const draft = readRun(world, body, [...runFields, 'additional_messages'])
  const more = readMessages(world, body, 'additional_messages', ['body'])
  const active = engine.active(thread.id)
  if (active !== null) throw world.profile.refusals.secondRun({ thread: thread.id, run: active.id })
  const run = world.state.together(() => {
    for (const message of more) addMessageV2(world, thread.id, message)
    return keepRun(world, thread, draft)
  })
  return begun(world, engine, run, {
    stream: draft.stream,
    fails: fault?.kind === 'run-failed',
    thread: null,
  })
}

const createThreadAndRun = (world: World, engine: RunEngine, { body, fault }: Exchange): Answer => {
  const draft = readRun(world, body, [...runFields, 'thread', 'tool_resources'])
  const fields = readObject(body, 'thread') ?? {}
  const resources = readObject(body, 'tool_resources')
  const { thread, run } = world.state.together(() => {
    const given = resources === null ? fields : { ...fields, tool_resources: resources }
    const made = createThreadV2(world, given, ['body', 'thread'])
    return { thread: made, run: keepRun(world, made, draft) }
  })
  return begun(world, engine, run, { stream: draft.stream, fails: fault?.kind === 'run-failed', thread })
}

/** A stream tells of the thread as well where the request made it. */
const begun = (
  world: World,
  engine: RunEngine,
  run: Run,
  { stream, fails, thread }: { stream: boolean; fails: boolean; thread: Thread | null },
): Answer => {
  engine.begin(run, { fails })
  if (!stream) return { json: shownRun(run) }
  return { events: streamRun(world, engine, run, { thread, seen: unseen }) }
}

const submitOutputs = (
  world: World,
  engine: RunEngine,
  exchange: Exchange,
  theRun: (exchange: Exchange) => Run,
): Answer => {
  const run = theRun(exchange)
  const { stream, ...outputsOnly } = exchange.body
  const outputs = readOutputs(world, outputsOnly)
  const streamed = readFlag({ stream }, 'stream') === true
  if (run.status !== 'requires_action') throw world.profile.refusals.noToolOutputs(run.status)
  // The client has seen every step but the one that waited.
  const seen = world.state.listed(stepPlace(run.id))
  const queued = engine.submit(run, outputs)
  if (!streamed) return { json: shownRun(queued) }
  const known = { run: null, steps: new Map(seen.map(({ id, status }) => [id, status])) }
  return { events: streamRun(world, engine, queued, { thread: null, seen: known }) }
}

type Draft = Pick<Run, 'assistant_id' | 'model' | 'instructions' | 'tools' | 'metadata' | 'v2'> & {
  readonly stream: boolean
}

/** What the request says goes before what the assistant says. */
const readRun = (world: World, body: Fields, known: readonly string[]): Draft => {
  const reader = readFields(body, ['body'], known)
  const id = reader.text('assistant_id', { most: 256, required: true })
  const model = reader.text('model', { most: 256 })
  const instructions = reader.text('instructions', { most: instructionsMax })
  const more = reader.text('additional_instructions', { most: instructionsMax })
  const metadata = reader.metadata('metadata')
  const tools = readTools(world, reader, ['body'])
  refuse(world, reader)
  const assistant = the(world, assistantPlace, id ?? undefined)
  const settings = readSettings(body, assistant.v2 ?? samplingUnlessSaid)
  return {
    assistant_id: assistant.id,
    model: typeof model === 'string' ? modelOf(world, model) : assistant.model,
    instructions: [instructions ?? assistant.instructions, more]
      .filter((text) => typeof text === 'string' && text !== '')
      .join(' '),
    tools: tools ?? assistant.tools,
    metadata: metadata ?? {},
    v2: { ...settings, incomplete_details: null, usage: null },
    stream: readFlag(body, 'stream') === true,
  }
}

/** Keeps a new run. Runs inside a transaction. */
const keepRun = (world: World, thread: Thread, { stream, ...draft }: Draft): Run => {
  const run: Run = {
    id: world.newId('run_'),
    object: 'thread.run',
    created_at: seconds(world),
    thread_id: thread.id,
    status: 'queued',
    started_at: null,
    expires_at: seconds(world) + lifeSeconds,
    cancelled_at: null,
    failed_at: null,
    completed_at: null,
    required_action: null,
    last_error: null,
    file_ids: [],
    ...draft,
  }
  keep(world, runPlace(thread.id), run)
  return run
}
