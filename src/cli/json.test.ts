import { describe, expect, it } from 'vitest'
import { formatJson } from './json.ts'

describe('JSON for machines', () => {
  it('writes a bigint as a decimal string, digit for digit', () => {
    expect(formatJson({ picos: 9223372036854775808n }, { indent: 0 })).toBe('{"picos":"9223372036854775808"}')
  })

  it('indents by two spaces unless told', () => {
    expect(formatJson({ total: '0.805' })).toBe('{\n  "total": "0.805"\n}')
  })

  it('refuses a number that JSON cannot say, instead of a silent null', () => {
    expect(() => formatJson({ share: Number.NaN })).toThrow('"share" is NaN')
  })
})
