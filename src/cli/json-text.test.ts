import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseJsonText } from './json-text.ts'

describe('a JSON text', () => {
  it('is read', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value, null, 1)
        expect(parseJsonText(text)).toEqual(JSON.parse(text))
      }),
    )
  })

  it.each([
    ['', 'line 1, column 1: not JSON: a value was expected, but the text ends.'],
    ['{"a": 1,}', 'line 1, column 9: not JSON: a name in quotes was expected.'],
    ['{"a": 1', 'line 1, column 8: not JSON: , or } was expected, but the text ends.'],
    ['{a: 1}', 'line 1, column 2: not JSON: a name in quotes or } was expected.'],
    ['{"a" 1}', 'line 1, column 6: not JSON: : after the name was expected.'],
    ['[1, 2\n, 3 4]', 'line 2, column 5: not JSON: , or ] was expected.'],
    ['[1,\n\n  ]', 'line 3, column 3: not JSON: a value was expected.'],
    ['{"a": 01}', 'line 1, column 8: not JSON: , or } was expected.'],
    ['{"a": NaN}', 'line 1, column 7: not JSON: a value was expected.'],
    ["{'a': 1}", 'line 1, column 2: not JSON: a name in quotes or } was expected.'],
    ['{"a": "one\ntwo"}', 'line 1, column 7: not JSON: a complete text (from here) was expected.'],
    ['{"a": "\\x"}', 'line 1, column 7: not JSON: a complete text (from here) was expected.'],
    ['{"a": 1} {"b": 2}', 'line 1, column 10: not JSON: the end was expected.'],
  ])('%j is none', (text, message) => {
    expect(() => parseJsonText(text)).toThrow(message)
    expect(() => parseJsonText(text)).toThrow(expect.objectContaining({ code: 'bad_json' }))
  })

  it('counts lines from where it stands in its file', () => {
    expect(() => parseJsonText('[\n}', { line: 40 })).toThrow('line 41, column 1')
  })

  it('that is broken is always said to be, and where', () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(), fc.string(), (json, place, junk) => {
        const at = place % (json.length + 1)
        const text = json.slice(0, at) + junk + json.slice(at)
        let valid = true
        try {
          JSON.parse(text)
        } catch {
          valid = false
        }
        if (valid) expect(parseJsonText(text)).toEqual(JSON.parse(text))
        else expect(() => parseJsonText(text)).toThrow(/^line \d+, column \d+: not JSON: /)
      }),
    )
  })

  it('of a million opened brackets or a megabyte of text without an end is refused at once', () => {
    expect(() => parseJsonText('['.repeat(1_000_000))).toThrow('column 1000001')
    expect(() => parseJsonText(`"${'a'.repeat(1_000_000)}`)).toThrow('column 1: ')
  })
})
