import { familyOf } from './model-family.ts'
import { familyTally, isObject, type PromptCount } from './prompt-count.ts'
import type { Counter } from './text.ts'
import { countTools } from './tools.ts'

/** What a run of an assistant sends to its model. `contextTokensMax`: the model's window, where it is known. */
export type RunPrompt = {
  readonly instructions: string
  /** The thread, oldest first. */
  readonly messages: readonly { readonly role: string; readonly text: string }[]
  readonly contextTokensMax?: number
}

/** Counts the prompt of a run (Assistants v1): its instructions, and the thread again from its first message.
 * Where that does not fit into the window, the oldest messages are left out whole until it does; the newest
 * one always stays. `history` is every message sent but the user's after the last reply. The vendor adds
 * hidden texts that nobody can see, so the class is never better than `formula`. */
export const countRun = (prompt: RunPrompt, counter: Counter): PromptCount => {
  const measure = newMeasure(counter)
  const instructions = measure.count(prompt.instructions)
  const thread = measureThread(prompt, measure)
  const sent = thread.beside(instructions)
  const tokens = instructions + sent.tokens
  return {
    tokens,
    low: measure.exact() ? tokens : 0,
    // Hidden texts come on top, and nobody published how long they are.
    high: null,
    history: sent.history,
    class: measure.exact() ? 'formula' : 'bound',
    rule: measure.exact() ? rule : `${rule}; ${byBytes}`,
    dated,
  }
}

/** One answer of the model within a run: the texts it wrote (names and arguments of calls, a message), the outputs
 * that came back, and how many of its calls were retrievals, whose texts the vendor does not show. */
export type RunTurn = {
  readonly written: readonly string[]
  readonly returned: readonly string[]
  readonly retrievals: number
}

/** A whole run: what it defines, and its turns. `fileBytes`: the sizes of the files that can be searched, null
 * where one is not known. `open`: it ended before its time, so that one more turn may have been under way; its
 * answer had at most `outputTokensMax`. */
export type WholeRun = RunPrompt & {
  readonly model: string
  readonly tools: readonly unknown[]
  readonly turns: readonly RunTurn[]
  readonly fileBytes: readonly (number | null)[]
  readonly open: boolean
  readonly outputTokensMax: number | null
}

/** How many, as expected and between which numbers; `high` is null where nothing bounds them. */
export type TokenInterval = { readonly low: number; readonly tokens: number; readonly high: number | null }

/** The tokens of all calls of the model that a run made. */
export type RunCount = {
  readonly input: TokenInterval
  readonly output: TokenInterval
  readonly history: number
  readonly rule: string
  readonly dated: string
}

/** Tokens the vendor puts before the prompt of a call and shows nobody; an assumption, generous. */
export const hiddenTokensMax = 2048

/** The same for what it adds to an answer: the frame of a call, the end of a message. An assumption. */
const hiddenOutputMax = 128

/** Counts a run with its tools. Each turn is a call of the model that is sent everything again: the instructions,
 * the definitions of the tools, the thread as far as it fits beside the rest, and the calls of this run so far with
 * their outputs (Assistants API, in both versions). `history` is what of that was sent before, instructions and
 * definitions excepted. What a retrieval put in is not shown; `retrievalTokens` says what is taken for it. */
export const countWholeRun = (run: WholeRun, counter: Counter): RunCount => {
  const measure = newMeasure(counter)
  const instructions = exactly(measure.count(run.instructions))
  const definitions = measureTools(run, counter)
  const thread = measureThread(run, measure)
  const found = retrievalTokens(run)
  const hidden = { low: 0, tokens: 0, high: hiddenTokensMax }
  let [input, output, said, newest] = [nothing, nothing, nothing, nothing]
  let [history, searches] = [0, 0]
  const fixed = (): TokenInterval =>
    plus(instructions, definitions.tokens, said, searches === 0 ? nothing : found.after(searches))
  const prompt = (): TokenInterval => {
    const around = fixed()
    const above = plus(around, hidden)
    const tokens = around.tokens + thread.beside(around.tokens).tokens
    const most = plusMost(above.high, thread.beside(around.low).tokens)
    return {
      low: Math.min(tokens, around.low + thread.beside(above.high ?? Number.POSITIVE_INFINITY).tokens),
      tokens,
      high: most === null ? null : Math.max(tokens, Math.min(most, run.contextTokensMax ?? most)),
    }
  }
  for (const [index, turn] of run.turns.entries()) {
    const around = fixed().tokens
    const sent = thread.beside(around)
    const added = around - instructions.tokens - definitions.tokens.tokens
    history += index === 0 ? sent.history : sent.tokens + added - newest.tokens
    input = plus(input, prompt())
    const written = plus(exactly(sum(turn.written.map(measure.count))), frame)
    output = plus(output, written)
    newest = plus(
      written,
      exactly(sum(turn.returned.map(measure.count))),
      turn.retrievals > 0 && searches === 0 ? found.after(1) : nothing,
    )
    said = plus(said, written, exactly(sum(turn.returned.map(measure.count))))
    searches += turn.retrievals
  }
  if (run.open) {
    input = { ...input, high: plusMost(input.high, prompt().high) }
    output = { ...output, high: plusMost(output.high, run.outputTokensMax) }
  }
  return {
    input: measure.exact() ? input : { ...input, low: 0 },
    output: measure.exact() ? output : { ...output, low: 0 },
    history,
    rule: [
      rule,
      ...(run.tools.length > 0 ? [definitions.rule] : []),
      ...(searches > 0 ? [found.rule] : []),
      ...(measure.exact() ? [] : [byBytes]),
    ].join('; '),
    dated,
  }
}

/** What retrieval puts into the prompts after it: short files whole, of long ones what is relevant (OpenAI's page on
 * retrieval, 2023). Version 2 takes at most 20 pieces of 800 tokens, 5 for gpt-3.5 (page on file search, 2024); as
 * expected, a file is short when it is no longer than that, at four bytes a token, and one search of that length
 * serves all longer ones. At most, every search adds all files, at a token a byte. */
const retrievalTokens = ({
  fileBytes,
  model,
}: WholeRun): { after: (searches: number) => TokenInterval; rule: string } => {
  const pieces = pieceTokens * (model.startsWith('gpt-3.5') || model.startsWith('gpt-35') ? 5 : 20)
  const known = fileBytes.filter((bytes) => bytes !== null)
  const sizes = known.map((bytes) => Math.ceil(bytes / 4))
  const whole = sum(sizes.filter((tokens) => tokens <= pieces))
  const isLong = known.length < fileBytes.length || sizes.some((tokens) => tokens > pieces)
  return {
    after: (searches) => ({
      low: 0,
      tokens: whole + (isLong ? pieces : 0),
      high: known.length < fileBytes.length ? null : sum(known) * searches,
    }),
    rule: 'retrieval: short files whole, one search for long ones',
  }
}

const pieceTokens = 800

/** The definitions of functions by the rule of their own. Hosted tools are described in words nobody published:
 * nothing is taken for them, and they are among the hidden tokens. */
const measureTools = (run: WholeRun, counter: Counter): { tokens: TokenInterval; rule: string } => {
  const tools = run.tools.filter((tool) => isObject(tool) && tool.type === 'function')
  if (tools.length === 0) return { tokens: nothing, rule: 'hosted tools: nothing' }
  const family = familyOf(run.model)
  const tally = familyTally(counter, family, {})
  const counted = countTools({ tools }, tally, family, run.instructions !== '')
  const { tokens, low, high, rule } = tally.result(counted, 0)
  return {
    tokens: { low: Math.min(low, tokens), tokens, high: high ?? tokens + hiddenTokensMax },
    rule: `tools: ${rule}`,
  }
}

/** Counts texts, and remembers whether every count was exact. */
type Measure = { readonly count: (text: string) => number; readonly exact: () => boolean }

const newMeasure = (counter: Counter): Measure => {
  let exact = true
  return {
    count: (text) => {
      const counted = counter.measure(text)
      exact &&= counted.exact
      return counted.tokens
    },
    exact: () => exact,
  }
}

/** A thread, measured once. `beside`: what of it is sent beside so many other tokens, and what of that is history. */
type Thread = { readonly beside: (others: number) => { tokens: number; history: number } }

const measureThread = ({ messages, contextTokensMax }: RunPrompt, measure: Measure): Thread => {
  const sizes = messages.map(({ text }) => measure.count(text))
  const firstNew = messages.findLastIndex(({ role }) => role === 'assistant') + 1
  return {
    beside: (others) => {
      const first = oldestThatFits(sizes, (contextTokensMax ?? Number.POSITIVE_INFINITY) - others)
      const history = sum(sizes.slice(first, Math.max(first, firstNew)))
      return { tokens: sum(sizes.slice(first)), history }
    },
  }
}

/** The index of the first message that is still sent when at most `room` tokens of messages are. */
export const oldestThatFits = (sizes: readonly number[], room: number): number => {
  let total = sum(sizes)
  let first = 0
  while (total > room && first < sizes.length - 1) {
    total -= sizes[first] ?? 0
    first += 1
  }
  return first
}

const rule = 'openai-assistants-v1/whole-thread'
const dated = '2026-11-23'
const byBytes = 'texts at one token a byte'

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)

/** What stands around an answer is in nobody's texts. */
const frame: TokenInterval = { low: 0, tokens: 0, high: hiddenOutputMax }

const nothing: TokenInterval = { low: 0, tokens: 0, high: 0 }

const exactly = (tokens: number): TokenInterval => ({ low: tokens, tokens, high: tokens })

const plus = (...parts: readonly TokenInterval[]): TokenInterval => ({
  low: sum(parts.map(({ low }) => low)),
  tokens: sum(parts.map(({ tokens }) => tokens)),
  high: parts.reduce<number | null>((total, { high }) => plusMost(total, high), 0),
})

const plusMost = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? null : a + b
