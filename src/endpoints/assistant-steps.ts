import { countWholeRun, type RunTurn, type TokenInterval } from '../tokens/thread.ts'
import type { Usage } from '../usage/usage.ts'
import { countOf, type Json, listOf, member, textOf } from './json.ts'
import type {
  CountedRun,
  Message,
  Page,
  Run,
  RunCounting,
  RunStep,
  SeenRun,
  ToolCall,
  ToolUse,
} from './run.ts'

/** A page of a run's steps. */
export const readSteps = (reply: Json): Page<RunStep> => ({
  items: listOf(member(reply, 'data')).map(readStep),
  next: nextOf(reply),
})

/** The id after which the next page of a list begins, or null at its end. */
export const nextOf = (reply: Json): string | null =>
  member(reply, 'has_more') === true ? textOf(member(reply, 'last_id')) : null

/** The vendor writes times in whole seconds. */
export const instantOf = (seconds: Json): number | null => {
  const count = countOf(seconds)
  return count === null ? null : count * 1000
}

/** Counts a run from its thread and its steps. A run that did not end well is billed for the turns it had done
 * (Assistants API: failed and expired runs are billed): those that left a step, or a message. */
export const countRunSeen = (run: Run, seen: SeenRun, counting: RunCounting): CountedRun => {
  const { messages, steps } = seen
  const own = messages.filter((message) => message.run === run.id)
  const first = messages.findIndex((message) => message.run === run.id)
  const before = first === -1 ? messages.filter(({ at }) => !isAfter(at, run.at)) : messages.slice(0, first)
  const turns = turnsOf(
    run,
    seen,
    own.map(({ text }) => text),
  )
  const count = countWholeRun(
    {
      model: run.model,
      instructions: run.instructions,
      tools: run.tools,
      messages: before,
      turns,
      fileBytes: seen.fileBytes,
      open: run.status !== 'completed' && (run.started || steps.length > 0),
      outputTokensMax: counting.outputTokensMax,
      ...(counting.promptTokensMax !== null && { contextTokensMax: counting.promptTokensMax }),
    },
    counting.counter,
  )
  const usage = (pick: (interval: TokenInterval) => number): Usage => ({
    input_text_tokens: pick(count.input),
    output_text_tokens: pick(count.output),
  })
  const [input, output] = [count.input.high, count.output.high]
  return {
    usage: usage(({ tokens }) => tokens),
    low: usage(({ low }) => low),
    high: input === null || output === null ? null : { input_text_tokens: input, output_text_tokens: output },
    history: count.history,
    rule: count.rule,
  }
}

/** Each use of the code interpreter: a session of its thread for an hour (OpenAI's price page of November 2023). */
export const codeInterpreterUses = (run: Run, steps: readonly RunStep[]): readonly ToolUse[] =>
  steps.flatMap((step) =>
    step.calls
      .filter(({ kind }) => kind === 'code_interpreter')
      .map(({ id }) => ({
        id,
        meter: 'code_interpreter_session' as const,
        holder: run.thread,
        seconds: 3600,
        at: step.at,
        attributes: { api: 'assistants' },
      })),
  )

/** Retrieval searches the files of the assistant and of the messages of the thread. */
export const searchedFiles = (
  run: Run,
  messages: readonly Message[],
  steps: readonly RunStep[],
): readonly string[] =>
  steps.some(({ calls }) => calls.some(({ kind }) => searches.has(kind)))
    ? [...new Set([...run.files, ...messages.flatMap(({ files }) => files)])]
    : []

const isAfter = (at: number | null, than: number | null): boolean => at !== null && than !== null && at > than

/** The turns of the model. A message right before calls was written in one turn with them; a run that is completed
 * has answered at least once. */
const turnsOf = (run: Run, { messages, steps }: SeenRun, answers: readonly string[]): readonly RunTurn[] => {
  const texts = new Map(messages.map(({ id, text }) => [id, text]))
  const turns: RunTurn[] = []
  const told = new Set<string>()
  let pending: string[] = []
  for (const step of steps) {
    if (step.calls.length === 0) {
      if (pending.length > 0) turns.push(answer(pending))
      pending = step.message === null ? [] : [texts.get(step.message) ?? '']
      if (step.message !== null) told.add(step.message)
      continue
    }
    turns.push({
      written: [...pending, ...step.calls.flatMap(({ name, written }) => [name, written])],
      returned: step.calls.map(({ returned }) => returned),
      retrievals: step.calls.filter(({ kind }) => searches.has(kind)).length,
    })
    pending = []
  }
  const untold = messages.filter(({ id, run: by }) => by === run.id && !told.has(id)).map(({ text }) => text)
  const last = [...pending, ...untold]
  const unanswered = run.status === 'completed' && answers.length === 0
  if (last.length > 0 || unanswered) turns.push(answer(last))
  return turns
}

const answer = (written: readonly string[]): RunTurn => ({ written, returned: [], retrievals: 0 })

const searches: ReadonlySet<string> = new Set(['retrieval', 'file_search'])

const readStep = (step: Json): RunStep => {
  const details = member(step, 'step_details')
  return {
    id: textOf(member(step, 'id')) ?? '',
    at: instantOf(member(step, 'created_at')),
    message: textOf(member(member(details, 'message_creation'), 'message_id')),
    calls: listOf(member(details, 'tool_calls')).map(readCall),
  }
}

const readCall = (call: Json): ToolCall => {
  const kind = textOf(member(call, 'type')) ?? ''
  const said = member(call, kind)
  const outputs = listOf(member(said, 'outputs'))
  const logs = outputs.map((output) => textOf(member(output, 'logs')) ?? '')
  return {
    id: textOf(member(call, 'id')) ?? '',
    kind,
    name: textOf(member(said, 'name')) ?? '',
    written: textOf(member(said, 'arguments')) ?? textOf(member(said, 'input')) ?? '',
    returned: textOf(member(said, 'output')) ?? logs.join(''),
    files: outputs
      .map((output) => textOf(member(member(output, 'image'), 'file_id')))
      .filter((id) => id !== null),
  }
}
