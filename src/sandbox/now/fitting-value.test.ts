import { describe, expect, it } from 'vitest'
import { randomFrom } from '../random.ts'
import { fittingValue } from './fitting-value.ts'

const fitting = (schema: unknown) => fittingValue(schema, randomFrom('test'))

describe('a value that fits a schema', () => {
  it('has the types, choices and constants that it asks for', () => {
    const value = fitting({
      type: 'object',
      properties: {
        choice: { enum: ['a'] },
        constant: { const: 7 },
        whole: { type: 'integer', minimum: 3, maximum: 3 },
        nothing: { type: 'null' },
        either: { anyOf: [{ enum: ['b'] }, { type: 'null' }] },
        nullable: { type: ['boolean', 'null'] },
      },
    })
    expect(value).toEqual({
      ...{ choice: 'a', constant: 7, whole: 3, nothing: null, either: 'b' },
      nullable: expect.any(Boolean),
    })
  })

  it('keeps to lengths of lists and texts', () => {
    expect(fitting({ type: 'array', items: { const: 1 }, minItems: 3 })).toEqual([1, 1, 1])
    expect(fitting({ type: 'string', minLength: 40 })).toHaveLength(40)
    expect(fitting({ type: 'string', maxLength: 3 })).toHaveLength(3)
  })

  it('ends where a schema is made of itself, or points nowhere', () => {
    const tree = { $defs: { node: { type: 'object', properties: { next: { $ref: '#/$defs/node' } } } } }
    expect(JSON.stringify(fitting({ ...tree, $ref: '#/$defs/node' })).length).toBeLessThan(400)
    expect(JSON.stringify(fitting({ $ref: '#' })).length).toBeLessThan(100)
    expect(fitting({ $ref: '#/nowhere' })).toEqual(expect.any(String))
    expect(fitting('no schema')).toEqual(expect.any(String))
  })
})
