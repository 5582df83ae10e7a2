import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Counter, loadEncoding } from './text.ts'
import { countRun, countWholeRun, oldestThatFits, type RunTurn, type WholeRun } from './thread.ts'

let counter: Counter
beforeAll(async () => {
  counter = await loadEncoding('cl100k_base')
})

/** A text of so many tokens: each " a" is one. */
const text = (tokens: number): string => ' a'.repeat(tokens)
const user = (tokens: number) => ({ role: 'user', text: text(tokens) })
const assistant = (tokens: number) => ({ role: 'assistant', text: text(tokens) })

describe('the prompt of a run', () => {
  it('is the instructions and the whole thread again', () => {
    const first = countRun({ instructions: text(1000), messages: [user(50)] }, counter)
    expect(first).toEqual({
      tokens: 1050,
      low: 1050,
      high: null,
      history: 0,
      class: 'formula',
      rule: 'openai-assistants-v1/whole-thread',
      dated: '2026-11-23',
    })
    const messages = [user(50), assistant(200), user(50)]
    expect(countRun({ instructions: text(1000), messages }, counter)).toMatchObject({
      tokens: 1300,
      history: 250,
    })
  })

  it('has no history in the messages a user sent since the last reply', () => {
    const messages = [user(50), assistant(200), user(50), user(30)]
    expect(countRun({ instructions: '', messages }, counter)).toMatchObject({ tokens: 330, history: 250 })
  })

  it('leaves the oldest messages out whole until it fits into the window', () => {
    const messages = [
      user(100),
      assistant(300),
      user(100),
      assistant(300),
      user(100),
      assistant(300),
      user(100),
    ]
    // 1300 tokens; without the first user message 1200, without the first reply 900.
    const run = countRun({ instructions: '', messages, contextTokensMax: 1000 }, counter)
    expect(run).toMatchObject({ tokens: 900, history: 800 })
  })

  it('keeps the newest message even where it does not fit', () => {
    const run = countRun(
      { instructions: text(10), messages: [user(50), assistant(5), user(90)], contextTokensMax: 20 },
      counter,
    )
    expect(run).toMatchObject({ tokens: 100, history: 0 })
  })

  it('is the instructions alone when the thread is empty', () => {
    expect(countRun({ instructions: text(7), messages: [] }, counter)).toMatchObject({
      tokens: 7,
      history: 0,
    })
  })

  it('is a bound where its texts are counted at their bound', () => {
    const bytes: Counter = { ...counter, measure: (text) => ({ tokens: text.length, exact: false }) }
    const run = countRun({ instructions: '', messages: [{ role: 'user', text: 'hello world' }] }, bytes)
    expect(run).toMatchObject({ tokens: 11, class: 'bound' })
  })
})

it('tells the oldest message that fits', () => {
  expect(oldestThatFits([50, 200, 50], 300)).toBe(0)
  expect(oldestThatFits([50, 200, 50], 299)).toBe(1)
  expect(oldestThatFits([50, 200, 50], 0)).toBe(2)
  expect(oldestThatFits([], 0)).toBe(0)
})

describe('a whole run', () => {
  const turn = (more: Partial<RunTurn> = {}): RunTurn => ({
    written: [],
    returned: [],
    retrievals: 0,
    ...more,
  })
  const whole = (more: Partial<WholeRun>) =>
    countWholeRun(
      {
        ...{ model: 'gpt-4-1106-preview', instructions: text(100), tools: [], messages: [user(50)] },
        ...{ turns: [turn({ written: [text(20)] })], fileBytes: [], open: false, outputTokensMax: null },
        ...more,
      },
      counter,
    )

  it('counts without tools as its prompt and its answer', () => {
    expect(whole({})).toMatchObject({
      input: { low: 150, tokens: 150, high: 150 + 2048 },
      output: { low: 20, tokens: 20, high: 20 + 128 },
      history: 0,
      rule: 'openai-assistants-v1/whole-thread',
    })
  })

  it('leaves older messages out where calls and outputs need their room', () => {
    const messages = [user(100), assistant(100), user(100)]
    const turns = [turn({ written: [text(10)], returned: [text(150)] }), turn({ written: [text(5)] })]
    const run = whole({ instructions: '', messages, turns, contextTokensMax: 300 })
    // First 300; then 160 of the call and the newest message alone.
    expect(run.input.tokens).toBe(300 + 260)
    expect(run.history).toBe(200 + 100)
  })

  it('takes short files whole and one search for the long ones, from the search on', () => {
    const turns = [turn({ retrievals: 1 }), turn({ retrievals: 1 }), turn()]
    const { input } = whole({ turns, fileBytes: [400, 80_000_000] })
    expect(input.tokens).toBe(3 * 150 + 2 * (100 + 16_000))
    expect(input.low).toBe(450)
    expect(input.high).toBeGreaterThan(3 * 80_000_000)
    expect(whole({ turns, fileBytes: [400, 80_000_000], model: 'gpt-3.5-turbo-1106' }).input.tokens).toBe(
      3 * 150 + 2 * (100 + 4_000),
    )
    expect(whole({ turns, fileBytes: [null] }).input).toMatchObject({ tokens: 450 + 32_000, high: null })
  })

  it('is never above its window in one call', () => {
    const turns = [turn({ retrievals: 1 }), turn()]
    const { input } = whole({ turns, fileBytes: [80_000_000], contextTokensMax: 120_000 })
    expect(input.high).toBe(150 + 2048 + 120_000)
  })

  it('holds its expectation within its interval, whatever it is made of', () => {
    const turns = fc.array(
      fc.record({
        written: fc.array(fc.nat(40).map(text), { maxLength: 3 }),
        returned: fc.array(fc.nat(200).map(text), { maxLength: 3 }),
        retrievals: fc.nat(2),
      }),
      { maxLength: 5 },
    )
    const messages = fc.array(
      fc.record({ role: fc.constantFrom('user', 'assistant'), text: fc.nat(300).map(text) }),
      { maxLength: 6 },
    )
    const sizes = fc.array(fc.nat(100_000), { maxLength: 3 })
    fc.assert(
      fc.property(
        turns,
        messages,
        sizes,
        fc.boolean(),
        fc.integer({ min: 200, max: 3_000 }),
        (t, m, f, open, w) => {
          const run = whole({
            turns: t,
            messages: m,
            fileBytes: f,
            open,
            contextTokensMax: w,
            outputTokensMax: 99,
          })
          for (const { low, tokens, high } of [run.input, run.output]) {
            expect(low).toBeLessThanOrEqual(tokens)
            expect(high ?? Number.POSITIVE_INFINITY).toBeGreaterThanOrEqual(tokens)
          }
          expect(run.history).toBeLessThanOrEqual(run.input.tokens)
        },
      ),
    )
  })
})
