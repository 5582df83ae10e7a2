import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { bundledBook } from '../cli/bundled.ts'
import { formatPicos, type Picos } from '../money/money.ts'
import { multiply, parseDecimal, rational } from '../money/rational.ts'
import { price } from '../pricing/price.ts'
import { parseInstant } from '../time.ts'
import { countAudio } from '../tokens/audio.ts'
import { containerRule, containerSessions, sessions } from '../usage/accrual.ts'
import { toQuantity, type Usage } from '../usage/usage.ts'
import { plan } from './conversation.ts'
import { planNotes } from './plan-notes.ts'
import { parsePlanRequest } from './plan-request.ts'
import { planTurns, totalInput } from './plan-turns.ts'
import { runLimits } from './run-budget.ts'

const book = await bundledBook()

type Vector = {
  readonly id: string
  readonly kind: string
  readonly inputs: Readonly<Record<string, number>>
  readonly expected: Readonly<Record<string, number>>
}
const { vectors }: { readonly vectors: readonly Vector[] } = JSON.parse(
  readFileSync(new URL('../../test/vectors/conversations.json', import.meta.url), 'utf8'),
)
const vector = (id: string): Vector => {
  const found = vectors.find((each) => each.id === id)
  if (found === undefined) throw new Error(`no vector ${id}`)
  return found
}
const usd = (amount: Picos | null | undefined): number => Number(formatPicos(amount ?? -1n))
const base = { model: 'gpt-4-1106-preview', user: 50, assistant: 200, turns: 2 }
const planned = (fields: object) => plan(parsePlanRequest({ ...base, ...fields }, 0), book)
const costOf = (usage: Usage, model: string | null, at: string, attributes: Record<string, string> = {}) =>
  price(usage, { provider: 'openai', model, at: parseInstant(at), attributes }, book)

describe('the acceptance figures of runs and chains', () => {
  it('conv-015: every round of tools sends everything again', () => {
    // 2,060 + 2,400 + 2,950 tokens in; 40 + 50 + 150 out.
    const { expected } = vector('conv-015')
    const asked = parsePlanRequest(
      {
        ...{ model: 'm', system: 800 + 1200, user: 60, assistant: 150, turns: 1 },
        toolRounds: [
          { call: 40, result: 300 },
          { call: 50, result: 500 },
        ],
      },
      0,
    )
    const [turn] = planTurns(asked)
    expect([turn?.input, turn?.output]).toEqual([
      expected['total_input_tokens'],
      expected['total_output_tokens'],
    ])
    expect(turn?.calls.map(({ input }) => input)).toEqual([2060, 2400, 2950])
    expect(totalInput(asked)).toBe(7410)
  })

  it('conv-014: the calls of a run share its budget', () => {
    const { inputs, expected } = vector('conv-014') as unknown as {
      inputs: {
        max_prompt_tokens: number
        max_completion_tokens: number
        first_call: { prompt: number; completion: number }
      }
      expected: { second_call_limits: { prompt: number; completion: number } }
    }
    const { prompt, completion } = inputs.first_call
    const [, second] = runLimits(
      [
        { input: prompt, output: completion },
        { input: 0, output: 0 },
      ],
      { promptTokens: inputs.max_prompt_tokens, completionTokens: inputs.max_completion_tokens },
    )
    expect([second?.promptTokens, second?.completionTokens]).toEqual([
      expected.second_call_limits.prompt,
      expected.second_call_limits.completion,
    ])
  })

  it('a turn whose calls need more than the budget of a run is noted', () => {
    // Turn 1 sends 60 and 72 tokens, turn 2 322 and 334: together 656, of which a budget of 655 lacks one.
    const fields = { ...base, system: 10, toolRounds: { rounds: 1, call: 5, result: 7 } }
    const notes = (promptTokens: number): readonly string[] => {
      const runBudget = { promptTokens, completionTokens: 1000 }
      return planNotes(plan(parsePlanRequest({ ...fields, runBudget }, 0), book), null)
    }
    expect(notes(656)).toEqual([])
    expect(notes(655)).toEqual([
      'The run of turn 2 ends early, at its call 2: its calls together may use 655 tokens in and 1000 out.',
    ])
  })

  it('conv-049: a search of files adds at most 20 chunks of 800 tokens', () => {
    const { expected } = vector('conv-049')
    const added = (model: string): number | undefined =>
      parsePlanRequest({ ...base, model, toolRounds: { rounds: 1, call: 5, result: 'file_search' } }, 0)
        .toolRounds[0]?.result
    expect(added('gpt-4o')).toBe(expected['max_added_input_tokens'])
    expect(added('gpt-3.5-turbo-0125')).toBe(expected['gpt_3_5_turbo_max'])
  })

  it('conv-040: a minute of sound, heard and spoken', () => {
    const { inputs, expected } = vector('conv-040')
    const call = { provider: 'openai', model: 'gpt-realtime' }
    const heard = { ...call, direction: 'input', seconds: inputs['user_audio_seconds'] ?? 0 } as const
    const spoken = { ...call, direction: 'output', seconds: inputs['assistant_audio_seconds'] ?? 0 } as const
    expect([countAudio(heard).tokens, countAudio(spoken).tokens]).toEqual([
      expected['user_audio_tokens'],
      expected['assistant_audio_tokens'],
    ])
  })

  it('conv-037: a chain of responses bills what was said before', () => {
    // 14 tokens of instructions and 21 of the user, 68 answered; then 21 more: 124.
    const asked = parsePlanRequest({ model: 'm', system: 14, user: 21, assistant: 68, turns: 2 }, 0)
    expect(planTurns(asked).map(({ input }) => input)).toEqual([35, 124])
  })

  it('a round’s call and result stay in the history, and its prompt counts what it sends again', () => {
    const asked = parsePlanRequest(
      { ...base, turns: 2, system: 10, toolRounds: { rounds: 1, call: 5, result: 7 } },
      0,
    )
    expect(planTurns(asked).map(({ calls }) => calls.map(({ input, history }) => [input, history]))).toEqual([
      [
        [60, 0],
        [72, 50],
      ],
      // 262 tokens of the first turn: 50, 12 and 200.
      [
        [322, 262],
        [334, 312],
      ],
    ])
  })
})

describe('the acceptance figures of sessions and storage', () => {
  it.each(['conv-043', 'conv-044', 'conv-045'])('%s: sessions of a code interpreter', (id) => {
    const { inputs, expected } = vector(id)
    const calls = inputs['calls'] as unknown as readonly { thread: string; minute: number }[]
    const uses = calls.map(({ thread, minute }) => ({ owner: thread, at: minute * 60_000 }))
    const count = sessions(uses, { seconds: 3600 }).length
    expect(count).toBe(expected['sessions'])
    const { total } = costOf({ code_interpreter_session: count }, 'gpt-4-1106-preview', '2024-03-15')
    expect(usd(total)).toBe(expected['cost_usd'])
  })

  it('a plan opens one session an hour of its conversation', () => {
    const at = '2024-03-15'
    const near = planned({ at, codeInterpreter: true, minutesBetween: 59 })
    expect([near.standing.interpreter?.sessions, usd(near.standing.interpreter?.cost.total)]).toEqual([
      1, 0.03,
    ])
    const far = planned({ at, codeInterpreter: true, minutesBetween: 61 })
    expect([far.standing.interpreter?.sessions, usd(far.standing.interpreter?.cost.total)]).toEqual([2, 0.06])
    expect((far.cost ?? 0n) - (far.total.cost ?? 0n)).toBe(60_000_000_000n)
  })

  it.each(['conv-046', 'conv-047'])('%s: retrieval by gigabyte, assistant and day', (id) => {
    const { inputs, expected } = vector(id)
    const { gb: retrievalGigabytes, assistants, days } = inputs
    const { month } = planned({ at: '2024-03-15', retrievalGigabytes, assistants, days })
    expect(usd(month?.storageCost)).toBe(expected['cost_usd'])
  })

  it('conv-048: a vector store, whose first gigabyte is free, whatever the assistants', () => {
    const { inputs, expected } = vector('conv-048')
    const { gb: retrievalGigabytes, days } = inputs
    const store = { model: 'gpt-4o', at: '2024-06-01', retrievalGigabytes, days, assistants: 5 }
    expect(usd(planned(store).month?.storageCost)).toBe(expected['cost_usd'])
  })

  it.each(['conv-050', 'conv-051', 'conv-052', 'conv-053', 'conv-054', 'conv-055'])(
    '%s: containers',
    (id) => {
      const { inputs, expected } = vector(id)
      const { memory_gb: memory = 1, minutes = 0 } = inputs
      const at = id === 'conv-050' ? '2026-05-01' : '2026-06-15'
      const count = containerSessions(
        minutes * 60_000,
        containerRule({ startedAt: parseInstant(at), eligible: true }),
      )
      const usage = { container_session: toQuantity(count) }
      const { total } = costOf(usage, null, at, {
        memory_gib: String(memory),
        ...(id !== 'conv-050' && { eligible_sessions: 'true' }),
      })
      expect(usd(total)).toBe(expected['cost_usd'])
      const { billed_minutes: billed } = expected
      if (billed !== undefined) expect(multiply(count, rational(20n))).toEqual(rational(BigInt(billed)))
    },
  )

  it('conv-042: speech is billed by the nearest second', () => {
    const { inputs, expected } = vector('conv-042') as unknown as {
      inputs: { seconds: readonly number[] }
      expected: { cost_usd_at_0_006_per_min: readonly number[] }
    }
    const costs = inputs.seconds.map((seconds) =>
      usd(costOf({ audio_seconds: parseDecimal(String(seconds)) }, 'whisper-1', '2024-03-15').total),
    )
    expect(costs).toEqual(expected.cost_usd_at_0_006_per_min)
  })

  it('conv-056: searches with a fixed block of input tokens', () => {
    const { expected } = vector('conv-056')
    const { charges } = costOf({ web_search_call: 3 }, 'gpt-4.1-mini', '2026-10-15', { api: 'responses' })
    const [brought, fee] = charges
    expect([brought?.meter, brought?.quantity]).toEqual([
      'input_text_tokens',
      expected['fixed_content_input_tokens'],
    ])
    expect([fee?.meter, usd(fee?.amount)]).toEqual(['web_search_call', expected['call_fee_usd']])
  })

  it('conv-057: searches of files, by the call', () => {
    const { inputs, expected } = vector('conv-057')
    const count = inputs['responses_api_calls'] ?? 0
    const { total } = costOf({ file_search_call: count }, 'gpt-4.1', '2026-10-15', { api: 'responses' })
    expect(usd(total)).toBe(expected['fee_usd'])
  })

  it('conv-058: an explicit cache of Gemini that is kept for two hours', () => {
    const { expected } = vector('conv-058')
    const at = parseInstant('2026-09-15')
    const call = { provider: 'google', model: 'gemini-3.1-pro-preview', at, contextTokens: 100_000 }
    const part = (usage: Usage): number => usd(price(usage, call, book).total)
    expect(part({ input_text_tokens: 1_000_000 })).toBe(expected['creation_usd'])
    expect(part({ cache_storage_token_hours: 2_000_000 })).toBe(expected['storage_usd'])
    expect(part({ cached_input_tokens: 10_000_000 })).toBe(expected['read_usd'])
    expect(part({ input_text_tokens: 10_000_000 })).toBe(expected['without_cache_usd'])
  })
})

describe('a month of conversations', () => {
  it('is so many of them, and the files once', () => {
    const { month, cost } = planned({
      at: '2024-03-15',
      conversationsPerMonth: 100,
      retrievalGigabytes: '0.5',
    })
    // 350 tokens in at 10, 400 out at 30 USD a million: 0.0155; half a gigabyte for 30 days: 3.
    expect([usd(cost), usd(month?.conversationsCost), usd(month?.storageCost), usd(month?.cost)]).toEqual([
      0.0155, 1.55, 3, 4.55,
    ])
  })

  it('is null with the meter named where something has no price', () => {
    const late = planned({
      model: 'gpt-4o',
      at: '2026-10-15',
      codeInterpreter: true,
      conversationsPerMonth: 2,
    })
    expect([late.cost, late.month?.cost, late.total.cost === null]).toEqual([null, null, false])
    expect(late.unpriced.map(({ meter }) => meter)).toEqual(['code_interpreter_session'])
  })
})
