import { expect, it } from 'vitest'
import { rational } from '../money/rational.ts'
import type { Charge } from '../pricing/price.ts'
import { capSaving, formatCapNote } from './cap-note.ts'

/** 1,000 tokens at 2.50 USD a million. */
const input = {
  meter: 'input_text_tokens',
  quantity: 1000,
  exact: rational(1n, 400n),
} as unknown as Charge

it('tells what a cap saved: the tokens that were left out, at the price of those that were sent', () => {
  const note = `run incomplete; ${formatCapNote({ cap: 'last_messages=4', uncappedTokens: 5000 })}`
  expect(note).toBe('run incomplete; history cap last_messages=4; uncapped 5000 input tokens')
  expect(capSaving(note, [input])).toEqual({
    cap: 'last_messages=4',
    tokens: 4000,
    amount: 10_000_000_000n,
  })
})

it('saves nothing where all of the history was sent', () => {
  const note = formatCapNote({ cap: 'last_messages=4', uncappedTokens: 900 })
  expect(capSaving(note, [input])).toEqual({ cap: 'last_messages=4', tokens: 0, amount: 0n })
})

it('says nothing of a call without a cap, and of one that sent nothing', () => {
  expect(capSaving(null, [input])).toBeNull()
  expect(capSaving('run completed', [input])).toBeNull()
  expect(capSaving(formatCapNote({ cap: 'last_messages=4', uncappedTokens: 900 }), [])).toBeNull()
})
