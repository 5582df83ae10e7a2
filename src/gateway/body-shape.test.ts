import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createShape, type ShapeBounds } from './body-shape.ts'

const none = { requestValuesMax: 1e9, requestEscapesMax: 1e9, requestDepthMax: 1e9 }

/** Whether a body passes, its bytes arriving `each` at a time. */
const passes = (json: string, bounds: Partial<ShapeBounds>, each = 7): boolean => {
  const shape = createShape({ ...none, ...bounds })
  const bytes = Buffer.from(json)
  try {
    for (let at = 0; at < bytes.length; at += each) shape.add(bytes.subarray(at, at + each))
    return true
  } catch {
    return false
  }
}

describe('the shape of a body', () => {
  it('counts members, elements, objects and arrays', () => {
    // An object, an array and a comma.
    expect([
      passes('{"a":[1,2]}', { requestValuesMax: 3 }),
      passes('{"a":[1,2]}', { requestValuesMax: 2 }),
    ]).toEqual([true, false])
  })

  it('counts nothing inside a string', () => {
    expect(passes('{"a":"[[[,,,\\"[[["}', { requestValuesMax: 1, requestDepthMax: 1 })).toBe(true)
  })

  it('knows an escaped quote from a closing one, wherever the bytes are cut', () => {
    const json = '{"a":"\\\\","b":["\\"]"]}'
    for (let each = 1; each < 24; each += 1) {
      expect(passes(json, { requestDepthMax: 2, requestValuesMax: 3, requestEscapesMax: 2 }, each)).toBe(true)
      expect(passes(json, { requestDepthMax: 1 }, each)).toBe(false)
      expect(passes(json, { requestValuesMax: 2 }, each)).toBe(false)
      expect(passes(json, { requestEscapesMax: 1 }, each)).toBe(false)
    }
  })

  it('says what is too much, and what to do', () => {
    const { add } = createShape({ ...none, requestDepthMax: 1_000 })
    expect(() => add(Buffer.from('['.repeat(1_001)))).toThrow(
      'The request body is nested more than 1000 levels deep, the cap of this gateway. Make it flatter.',
    )
  })

  // Any JSON value: strings with quotes, backslashes and brackets among them.
  it('agrees with what was written, for any value and any cut', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.integer({ min: 1, max: 20 }), (value, each) => {
        const json = JSON.stringify(value)
        const bare = json.replace(/"(\\.|[^"\\])*"/g, '')
        const values = bare.match(/[{[,]/g)?.length ?? 0
        const escapes = json.match(/\\./g)?.length ?? 0
        expect(passes(json, { requestValuesMax: values, requestEscapesMax: escapes }, each)).toBe(true)
        if (values > 0) expect(passes(json, { requestValuesMax: values - 1 }, each)).toBe(false)
        if (escapes > 0) expect(passes(json, { requestEscapesMax: escapes - 1 }, each)).toBe(false)
      }),
    )
  })
})
