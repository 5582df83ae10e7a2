import { budgetLeft, usageOf } from './assistants-v2/budget.ts'
import { useStores } from './assistants-v2/file-search.ts'
import type { IncompleteReason } from './assistants-v2/objects-v2.ts'
import { writeReply } from './assistants-v2/reply.ts'
import { ended } from './assistants-v2/shapes.ts'
import { bent } from './assistants-v2/tool-choice.ts'
import type { Message, Run, RunStatus, ToolCall } from './objects.ts'
import type { ServedModel } from './profiles/profile.ts'
import { type Random, randomFrom } from './random.ts'
import { promptTokens } from './run-prompt.ts'
import { completeStep, endStep, toolRounds, writeStep } from './run-steps.ts'
import { useSession } from './sessions.ts'
import type { RunTally } from './standing-state.ts'
import type { Place } from './state.ts'
import { addMessage, messagePlace } from './threads.ts'
import { play, type Round, requiredCalls, roundsOf, tokensOfCall } from './tool-play.ts'
import { hiddenTokens, seconds, servedModel, type World } from './world.ts'

export const runPlace = (thread: string): Place<'run'> => ({ kind: 'run', parent: thread })

/** Makes the next model call of a run, writes what comes of it, and gives the run as it is then: in progress when
 * more calls follow, waiting for the outputs of functions, completed or failed. Runs inside a transaction. */
export const advance = (world: World, run: Run): Run => {
  const model = servedModel(world, run.model)
  const rounds = toolRounds(world, run)
  const round = scriptOf(world, run)[rounds.length]
  if (round?.kind === 'fail') return fail(world, run, 'Sorry, something went wrong.')
  const expired = rounds.length === 0 ? useStores(world, run) : null
  if (expired !== null) return fail(world, run, `Vector store ${expired} is expired.`)
  const left = budgetLeft(world, run)
  const prompt = model === null ? null : promptTokens(world, run, { model, rounds, most: left.prompt })
  if (model === null || prompt === null) {
    const fits = model !== null && promptTokens(world, run, { model, rounds }) !== null
    if (fits) return end(world, run, { status: 'incomplete', reason: 'max_prompt_tokens' })
    return fail(world, run, 'The instructions and the newest message do not fit into the context window.')
  }
  if (left.completion === 0) return end(world, run, { status: 'incomplete', reason: 'max_completion_tokens' })
  const call: ModelCall = { model, prompt, random: randomOf(world, run, rounds.length) }
  return round === undefined ? answer(world, run, call) : useTool(world, run, round, call)
}

/** The client's outputs of the functions that a run waits for. Throws the vendor's refusal when they are not
 * those of exactly the calls it asked for. Runs inside a transaction. */
export const submit = (world: World, run: Run, outputs: readonly (readonly [string, string])[]): Run => {
  const expected = (run.required_action?.submit_tool_outputs.tool_calls ?? []).map(({ id }) => id)
  const got = outputs.map(([id]) => id)
  const same = expected.length === got.length && expected.every((id) => got.includes(id))
  if (!same) throw world.profile.refusals.wrongToolOutputs({ expected, got: got.slice(0, 200) })
  completeStep(world, run, new Map(outputs))
  return replaced(world, { ...run, status: 'queued', required_action: null })
}

/** Ends a run. The model calls that it made are billed, in one sum, however it ends; the vendor of 2023 told
 * nobody, and later that failed and expired runs bill what was done. Runs inside a transaction. */
export const end = (
  world: World,
  run: Run,
  how: {
    readonly status: 'completed' | 'incomplete' | 'cancelled' | 'failed' | 'expired'
    readonly last_error?: Run['last_error']
    /** Why a run of v2 is incomplete. */
    readonly reason?: IncompleteReason
  },
): Run => {
  const expiry = (run.expires_at ?? Number.POSITIVE_INFINITY) * 1000
  const used = billRun(
    world,
    run,
    how.status === 'expired' ? Math.min(world.clock.now(), expiry) : world.clock.now(),
  )
  const over = {
    ...run,
    status: how.status,
    expires_at: null,
    required_action: null,
    ...(how.status !== 'expired' && how.status !== 'incomplete' && { [`${how.status}_at`]: seconds(world) }),
    ...(how.last_error !== undefined && { last_error: how.last_error }),
    ...(run.v2 !== undefined && {
      v2: {
        ...run.v2,
        usage: usageOf(used ?? { input: 0, output: 0 }),
        incomplete_details: how.reason === undefined ? null : { reason: how.reason },
      },
    }),
  }
  endStep(world, over)
  return replaced(world, over)
}

/** Ends a run with an error. Runs inside a transaction. */
export const fail = (world: World, run: Run, message: string): Run =>
  end(world, run, { status: 'failed', last_error: { code: 'server_error', message } })

/** Bills what the model calls of a run used so far, if it made any, and says it. Runs inside a transaction. */
export const billRun = (world: World, run: Run, at: number): RunTally | null => {
  const used = world.state.takeTally(run.id)
  if (used === null) return null
  const usage = { input_text_tokens: used.input, output_text_tokens: used.output }
  const call = { at, wire: 'assistants', id: run.id, requestId: null, model: run.model, user: null, usage }
  world.books.add(world.state.bill(call))
  return used
}

const replaced = <R extends Run & { readonly status: RunStatus }>(world: World, run: R): R => {
  world.state.replace(runPlace(run.thread_id), run)
  return run
}

type ModelCall = { readonly model: ServedModel; readonly prompt: number; readonly random: Random }

/** The same for the same seed, run and thread. */
const randomOf = (world: World, run: Run, round: number): Random => {
  const sizes = world.state.tokens(messagePlace(run.thread_id)).join()
  const more = round === 0 ? [] : [String(round)]
  return randomFrom(world.seed, 'run', run.model, run.instructions, sizes, ...more)
}

/** What the run does: the same at each of its steps, since a run locks its thread. */
const scriptOf = (world: World, run: Run): readonly Round[] => {
  if (run.tools.length === 0) return roundsOf([], newestOfUser(world, run), randomFrom(world.seed))
  const sizes = world.state.tokens(messagePlace(run.thread_id)).join()
  const random = randomFrom(world.seed, 'tools', run.model, run.instructions, sizes)
  return bent(roundsOf(run.tools, newestOfUser(world, run), random), run, random)
}

const newestOfUser = (world: World, run: Run): Message | null => {
  const page = { limit: 100, order: 'desc', after: null, before: null } as const
  const { data } = world.state.page(messagePlace(run.thread_id), page)
  return data.find(({ role }) => role === 'user') ?? null
}

/** The last model call: writes the reply and its step, and ends the run. */
const answer = (world: World, run: Run, { model, prompt, random }: ModelCall): Run => {
  const cap = model.outputTokensMax ?? model.contextTokensMax
  const length = Math.min(random.whole(world.outputTokens), cap, model.contextTokensMax - prompt)
  const most = Math.min(cap, budgetLeft(world, run).completion)
  const { text, tokens, cut } = writeReply(world, run, { length, most, random })
  const message = addMessage(world, run.thread_id, {
    text,
    file_ids: [],
    metadata: {},
    role: 'assistant',
    assistant: run.assistant_id,
    run: run.id,
    ...(run.v2 !== undefined && { v2: ended(world, { cut }) }),
  })
  const used = use(world, run, { model, prompt, random }, tokens)
  writeStep(world, run, { type: 'message_creation', message_creation: { message_id: message.id } }, { used })
  if (cut) return end(world, run, { status: 'incomplete', reason: 'max_completion_tokens' })
  return end(world, run, { status: 'completed' })
}

/** A model call that uses tools. The vendor's own answer at once; for functions the run waits. */
const useTool = (world: World, run: Run, round: Exclude<Round, { kind: 'fail' }>, call: ModelCall): Run => {
  const calls: readonly ToolCall[] = play(world, run, round, call.random)
  const written = calls.reduce((sum, each) => sum + tokensOfCall(world, each).written, 0)
  if (written > budgetLeft(world, run).completion) {
    use(world, run, call, budgetLeft(world, run).completion)
    return end(world, run, { status: 'incomplete', reason: 'max_completion_tokens' })
  }
  const used = use(world, run, call, written)
  if (round.kind === 'code') useSession(world, run)
  writeStep(world, run, { type: 'tool_calls', tool_calls: calls }, { waits: round.kind === 'call', used })
  if (round.kind !== 'call') return run
  return replaced(world, {
    ...run,
    status: 'requires_action',
    required_action: {
      type: 'submit_tool_outputs',
      submit_tool_outputs: { tool_calls: requiredCalls(calls) },
    },
  })
}

/** Adds a model call to what the run used, with the tokens nobody can see, and says it. */
const use = (world: World, run: Run, { model, prompt, random }: ModelCall, written: number): RunTally => {
  const hidden = hiddenTokens(world, random)
  const left = budgetLeft(world, run)
  const cap = Math.min(model.outputTokensMax ?? model.contextTokensMax, left.completion)
  const used = {
    input: Math.min(prompt + hidden.prompt, left.prompt),
    output: Math.min(written + hidden.completion, cap),
  }
  world.state.addToTally(run.id, used)
  return used
}
