import type { PromptCount } from './prompt-count.ts'
import type { Counter } from './text.ts'

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
  let exact = true
  const count = (text: string): number => {
    const counted = counter.measure(text)
    exact &&= counted.exact
    return counted.tokens
  }
  const instructions = count(prompt.instructions)
  const sizes = prompt.messages.map(({ text }) => count(text))
  const room = (prompt.contextTokensMax ?? Number.POSITIVE_INFINITY) - instructions
  const firstSent = oldestThatFits(sizes, room)
  const firstNew = prompt.messages.findLastIndex(({ role }) => role === 'assistant') + 1
  const tokens = instructions + sum(sizes.slice(firstSent))
  return {
    tokens,
    low: exact ? tokens : 0,
    // Hidden texts come on top, and nobody published how long they are.
    high: null,
    history: sum(sizes.slice(firstSent, Math.max(firstSent, firstNew))),
    class: exact ? 'formula' : 'bound',
    rule: exact ? rule : `${rule}; texts at one token a byte`,
    dated: '2026-11-23',
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

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)
