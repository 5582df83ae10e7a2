import { describe, expect, it } from 'vitest'
import { providers } from '../providers/index.gen.ts'
import { tokensAtMost } from '../tokens/text.ts'
import type { LaterRoute } from './endpoint.ts'
import type { KnownObjects, ObjectFacts } from './objects.ts'
import type { Run, RunStep, RunWire } from './run.ts'

const wireOf = (): RunWire => {
  const routes = providers.openai?.endpoints.find(({ id }) => id === 'assistants')?.routes ?? []
  const later = routes.find((route): route is LaterRoute => route.billing === 'later')
  if (later?.wire.kind !== 'run') throw new Error('OpenAI has no runs')
  return later.wire
}
const wire = wireOf()

const facts = (kind: ObjectFacts['kind'], more: Partial<ObjectFacts> = {}): ObjectFacts => ({
  ...{ kind, id: `${kind}_1`, parent: null, model: 'gpt-4-1106-preview', tokensMost: 100, tools: false },
  ...more,
})

const bounds = (request: object, objects: KnownObjects, model = 'gpt-4-1106-preview') =>
  wire
    .bound(request, {
      ...{ provider: 'openai', model, at: 1_700_000_000_000, bodyBytes: 50, objects },
      ...{ contextWindow: 128_000, outputTokensMax: 4_096 },
    })
    .map(({ most }) => most)

const known = { assistant: facts('assistant'), thread: facts('thread', { tokensMost: 1_000 }) }

describe('what bounds a run', () => {
  it('is its assistant, its thread, its body and 2,048 tokens nobody sees, and the cap of the answer', () => {
    expect(bounds({}, known)).toEqual([100 + 1_000 + 50 + 2_048, 4_096])
  })

  it('is the window where the size of the thread is not known, or was counted for another encoding', () => {
    expect(bounds({}, { assistant: facts('assistant') })).toEqual([128_000, 4_096])
    expect(bounds({}, known, 'gpt-4o')).toEqual([128_000, 4_096])
    expect(bounds({}, { ...known, thread: facts('thread', { model: null }) })).toEqual([
      100 + 100 + 50 + 2_048,
      4_096,
    ])
  })

  it('is nothing with tools, except the budgets of version 2, which hold for all calls together', () => {
    const tools = { ...known, assistant: facts('assistant', { tools: true }) }
    expect(bounds({}, tools)).toEqual([null, null])
    expect(bounds({ max_prompt_tokens: 5_000 }, tools)).toEqual([5_000, null])
    expect(bounds({ max_prompt_tokens: 5_000, max_completion_tokens: 300 }, tools)).toEqual([5_000, 300])
    expect(bounds({ max_prompt_tokens: 500, max_completion_tokens: 300 }, known)).toEqual([500, 300])
    expect(bounds({ tools: [] }, tools)).toEqual([3_198, 4_096])
    expect(bounds({ tools: null }, tools)).toEqual([null, null])
  })
})

describe('who a run is for', () => {
  it('is the assistant as a tag, and the user named in the metadata, who is no tag', () => {
    const request = { assistant_id: 'asst_7', metadata: { user: 'ada', feature: 'help' } }
    expect(wire.read(request, {})).toMatchObject({
      endUser: 'ada',
      tags: { assistant: 'asst_7', feature: 'help' },
    })
  })
})

const run: Run = {
  ...{ id: 'run_1', thread: 'thread_1', assistant: 'asst_1', model: 'gpt-4', instructions: 'iiii' },
  ...{ tools: [], files: [], at: 1_000, started: true, ended: true, endedAt: 2_000, status: 'completed' },
  usage: null,
}

/** One token a byte. */
const counter = {
  encoding: 'cl100k_base',
  count: tokensAtMost,
  measure: (text: string) => ({ tokens: tokensAtMost(text), exact: true }),
} as const

const message = (id: string, text: string, more: object = {}) => ({
  ...{ id, role: 'user', text, run: null, at: 1_000, files: [] },
  ...more,
})

const step = (more: Partial<RunStep>): RunStep => ({
  id: 'step',
  at: 1_000,
  message: null,
  calls: [],
  ...more,
})
const called = (written: string, returned: string) =>
  step({ calls: [{ id: 'call_1', kind: 'function', name: 'ff', written, returned, files: [] }] })

const count = (more: Partial<Run>, steps: readonly RunStep[], messages = [message('m1', 'qqqqq')]) =>
  wire.countRun(
    { ...run, ...more },
    { messages, steps, fileBytes: [] },
    { counter, promptTokensMax: null, outputTokensMax: 100 },
  )

describe('what a run used', () => {
  const answer = message('m2', 'aaa', { role: 'assistant', run: 'run_1' })

  it('is one call of the model without tools', () => {
    expect(count({}, [], [message('m1', 'qqqqq'), answer]).usage).toEqual({
      input_text_tokens: 4 + 5,
      output_text_tokens: 3,
    })
  })

  it('is everything again for each round, with the calls and outputs so far', () => {
    const steps = [called('111', '2222'), called('1', '22'), step({ message: 'm2' })]
    const { usage, history, low, high } = count({}, steps, [message('m1', 'qqqqq'), answer])
    // Calls of the model: 9; 9 + 5 + 4; 18 + 3 + 2.
    expect(usage).toEqual({ input_text_tokens: 9 + 18 + 23, output_text_tokens: 5 + 3 + 3 })
    // Sent before: nothing; the question; the question and the first call with its output.
    expect(history).toBe(0 + 5 + 14)
    expect(low).toEqual(usage)
    expect(Number(high?.input_text_tokens)).toBeGreaterThan(50)
  })

  it('is only what was done of a run that failed, and one call more at most', () => {
    expect(count({ status: 'failed' }, []).usage).toEqual({ input_text_tokens: 0, output_text_tokens: 0 })
    const half = count({ status: 'expired' }, [called('111', '')])
    expect(half.usage).toEqual({ input_text_tokens: 9, output_text_tokens: 5 })
    expect(half.high).toEqual({
      input_text_tokens: 9 + 2_048 + 9 + 5 + 128 + 2_048,
      output_text_tokens: 5 + 128 + 100,
    })
    const queued = count({ status: 'cancelled', started: false }, [])
    expect(queued.high).toEqual({ input_text_tokens: 0, output_text_tokens: 0 })
  })

  it('leaves out messages that came after a run without an answer', () => {
    const late = message('m9', 'zzzzzzzz', { at: 9_000 })
    const { usage } = count({ status: 'failed' }, [called('1', '')], [message('m1', 'qqqqq'), late])
    expect(usage.input_text_tokens).toBe(9)
  })
})
