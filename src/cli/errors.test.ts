import { describe, expect, it } from 'vitest'
import { OctroiError } from '../errors.ts'
import { reportError } from './errors.ts'

const told = (error: unknown, environment: Record<string, string> = {}) => {
  let text = ''
  const exit = reportError(error, { environment, err: (more) => (text += more) })
  return { exit, text }
}

describe('an error at the door of the command line', () => {
  it('is told with its code, and the table says how to exit', () => {
    expect(told(new OctroiError('bad_number', '"-1" is negative.'))).toEqual({
      exit: 2,
      text: 'octroi: "-1" is negative. [bad_number]\n',
    })
    expect(told(new OctroiError('unpriced', 'No price.')).exit).toBe(4)
    expect(told(new OctroiError('budget_exceeded', 'Too much.')).exit).toBe(3)
  })

  it('exits 1 for what nobody foresaw, and keeps the stack for those who ask', () => {
    expect(told(new TypeError('x is not a function'))).toEqual({
      exit: 1,
      text: 'octroi: x is not a function [internal]\n',
    })
    expect(told(new TypeError('x'), { OCTROI_DEBUG: '1' }).text).toContain('errors.test.ts')
    expect(told('a string')).toEqual({ exit: 1, text: 'octroi: a string [internal]\n' })
  })
})
