import type { Counted, Message, Reply, ReplyWire, Run, RunWire } from '../endpoints/endpoint.ts'
import type { Json } from '../endpoints/json.ts'
import type { ModelFact, ModelFacts } from '../pricing/model-facts.ts'
import { findModel } from '../pricing/model-facts.ts'
import type { Instant } from '../time.ts'
import { type Counter, encodingOf, loadEncoding, tokensAtMost } from '../tokens/text.ts'
import type { Outcome } from './settle.ts'

/** What a whole reply or a whole stream used: as the vendor reports it, else counted here and marked
 * `estimated`. `broken` says why the reply is not whole; then what is reported may be less than is billed. */
export const meterReply = async (
  wire: ReplyWire,
  call: { request: Json; model: string; status: number; reply: Reply; broken: string | null },
): Promise<Outcome> => {
  const { request, status, reply, broken } = call
  const served = { model: reply.model, tier: reply.tier, status }
  if (reply.usage !== null) {
    const { resent, total } = wire.history(request)
    const doubts = [...(broken === null ? [] : [broken]), ...reply.usage.problems]
    const notes = [...doubts, ...(reply.usage.unknown ?? [])]
    return {
      ...served,
      usage: reply.usage.usage,
      basis: doubts.length === 0 ? 'measured' : 'estimated',
      resent: { history: resent, total, exact: false },
      note: notes.length === 0 ? null : notes.join('; '),
    }
  }
  const bytes = wire.history(request).total + lengthOf(reply.produced)
  const counted = wire.count(request, reply.produced, await counterOf(reply.model ?? call.model, bytes))
  return {
    ...served,
    ...countedOutcome(counted),
    note: [broken ?? 'no usage in the reply', `counted: ${counted.rule}`].join('; '),
  }
}

/** What a run used: as it reports it, else counted from its thread. */
export const meterRun = async (
  wire: RunWire,
  ended: { run: Run; messages: readonly Message[]; provider: string; at: Instant; models: ModelFacts },
): Promise<Outcome> => {
  const { run, messages, models, provider, at } = ended
  const promptTokensMax = promptRoom(findModel(models, { provider, model: run.model, at }))
  const bytes = run.instructions.length + lengthOf(messages.map(({ text }) => text))
  const counted = wire.countRun(run, messages, {
    counter: await counterOf(run.model, bytes),
    promptTokensMax,
  })
  const served = { model: run.model, tier: null, status: 200 }
  if (run.usage !== null && run.usage.problems.length === 0) {
    const total = run.usage.usage.input_text_tokens
    return {
      ...served,
      usage: run.usage.usage,
      basis: 'measured',
      resent: typeof total === 'number' ? { history: counted.history, total, exact: true } : null,
      note: run.status === 'completed' ? null : `run ${run.status}`,
    }
  }
  return {
    ...served,
    ...countedOutcome(counted),
    note: `run ${run.status}; no usage on runs; counted: ${counted.rule}`,
  }
}

const countedOutcome = ({ usage, history }: Counted): Pick<Outcome, 'usage' | 'basis' | 'resent'> => {
  const total = usage.input_text_tokens
  return {
    usage,
    basis: 'estimated',
    resent: typeof total === 'number' ? { history, total, exact: true } : null,
  }
}

/** The part of a window that a run leaves to its prompt; the rest is kept for the answer: the model's cap, or a
 * quarter of the window where the cap is the window itself or not known. The vendor published no rule; older
 * messages are left out to make this room. */
const promptRoom = (fact: ModelFact | null): number | null => {
  if (fact === null || fact.contextWindow === null) return null
  const { contextWindow, outputTokensMax } = fact
  const capped = outputTokensMax !== null && outputTokensMax < contextWindow
  return contextWindow - (capped ? outputTokensMax : Math.floor(contextWindow / 4))
}

/** Text that is counted exactly, in bytes: counting runs on the loop that serves everyone, at 10 MB or more of prose
 * a second, and at 3 MB of a hostile text. What is longer is taken at its bound, one token a byte. */
const countedBytesMax = 128_000

/** Counts by the encoding of the model; a model of unknown encoding by today's most common one. */
const counterOf = async (model: string, bytes: number): Promise<Counter> => {
  const encoding = encodingOf(model) ?? 'o200k_base'
  if (bytes <= countedBytesMax) return loadEncoding(encoding)
  return { encoding, count: tokensAtMost, measure: (text) => ({ tokens: tokensAtMost(text), exact: false }) }
}

/** Loads the vocabularies, so that the first call that is counted does not wait for them. */
export const loadCounters = async (): Promise<void> => {
  await Promise.all([loadEncoding('cl100k_base'), loadEncoding('o200k_base')])
}

const lengthOf = (texts: readonly string[]): number => texts.reduce((sum, text) => sum + text.length, 0)
