import { beforeAll, describe, expect, it } from 'vitest'
import { type Counter, loadEncoding } from './text.ts'
import { countRun, oldestThatFits } from './thread.ts'

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
