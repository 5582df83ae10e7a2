import type { CountedRun, Run, RunWire, SeenRun } from '../endpoints/run.ts'
import { findModel, type ModelFact } from '../pricing/model-facts.ts'
import { formatCapNote } from '../reports/cap-note.ts'
import { formatRunNote } from '../reports/run-note.ts'
import type { Instant } from '../time.ts'
import type { Parts } from './parts.ts'
import type { Outcome } from './settle.ts'
import type { Upstream } from './upstream.ts'

/** What a run used: as it reports it, else counted from its thread and its steps, with the interval within which the
 * truth is at the end of the note. */
export const meterRun = async (
  parts: Pick<Parts, 'counting' | 'models'>,
  ended: {
    wire: RunWire
    run: Run
    seen: SeenRun
    upstream: Upstream
    endpoint: string
    at: Instant
    /** How its history was capped; null where it was not. */
    cap: string | null
  },
): Promise<Outcome> => {
  const { wire, run, seen, upstream, endpoint, at, cap } = ended
  const fact = findModel(parts.models, { provider: upstream.pricesFrom, model: run.model, at })
  const counted = await parts.counting.run({
    place: { provider: upstream.provider.id, endpoint, path: null },
    wire,
    run,
    seen,
    room: {
      promptTokensMax: promptRoom(fact),
      outputTokensMax: fact?.outputTokensMax ?? fact?.contextWindow ?? null,
    },
  })
  const served = { model: run.model, tier: null, status: 200 }
  if (run.usage !== null && run.usage.problems.length === 0) {
    const total = run.usage.usage.input_text_tokens
    return {
      ...served,
      usage: run.usage.usage,
      basis: 'measured',
      resent: typeof total === 'number' ? { history: resentOf(counted, total), total, exact: true } : null,
      note: notesOf(run, cap, counted),
    }
  }
  const total = counted.usage.input_text_tokens
  return {
    ...served,
    usage: counted.usage,
    basis: 'estimated',
    resent: typeof total === 'number' ? { history: counted.history, total, exact: true } : null,
    note: formatRunNote({ ...counted, status: run.status, endedAt: run.endedAt }),
  }
}

/** History that was sent again: less what was left out of it, where the run had fewer tokens than its whole thread. */
const resentOf = ({ history, usage }: CountedRun, sent: number): number =>
  Math.max(0, history - Math.max(0, inputOf(usage) - sent))

const inputOf = ({ input_text_tokens: input }: CountedRun['usage']): number =>
  typeof input === 'number' ? input : 0

const notesOf = ({ status }: Run, cap: string | null, { usage }: CountedRun): string | null => {
  const notes = [
    ...(status === 'completed' ? [] : [`run ${status}`]),
    ...(cap === null ? [] : [formatCapNote({ cap, uncappedTokens: inputOf(usage) })]),
  ]
  return notes.length === 0 ? null : notes.join('; ')
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
