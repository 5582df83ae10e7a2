import { describe, expect, it } from 'vitest'
import { historySent } from './history-sent.ts'
import type { Json } from './json.ts'

/** A turn is its writer and its bytes. */
const sent = (instructions: number, ...turns: readonly (readonly [by: string, bytes: number])[]) =>
  historySent(turns as readonly Json[], {
    isModels: (turn) => String(turn).startsWith('model'),
    isInstruction: (turn) => String(turn).startsWith('system'),
    bytesOf: (turn) => Number(String(turn).split(',')[1]),
    instructions,
  })

describe('the history that a request sends again', () => {
  it('is what stands before the turns after the last of the model, that one included', () => {
    expect(sent(0, ['user', 10], ['model', 20], ['user', 5], ['model', 30], ['user', 7])).toEqual({
      resent: 65,
      total: 72,
    })
  })

  it('is nothing where the model has not spoken', () => {
    expect(sent(100, ['user', 10], ['user', 5])).toEqual({ resent: 0, total: 115 })
  })

  it('leaves instructions out, wherever they stand', () => {
    expect(sent(100, ['system', 50], ['user', 10], ['model', 20], ['user', 7])).toEqual({
      resent: 30,
      total: 187,
    })
  })
})
