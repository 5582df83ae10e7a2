import fc from 'fast-check'
import { expect, it } from 'vitest'
import { readEvent } from '../../endpoints/events.ts'
import { createArrayCutter, faultElement } from './json-array.ts'

/** All pieces of a stream that comes in parts of some sizes. */
const cutAll = (text: string, sizes: readonly number[]) => {
  const whole = Buffer.from(text)
  const cutter = createArrayCutter()
  const pieces = []
  let start = 0
  for (const size of [...sizes, whole.length]) {
    pieces.push(...cutter.cut(whole.subarray(start, start + size)))
    start += size
  }
  return [...pieces, ...cutter.rest()]
}

const elements = (text: string, sizes: readonly number[] = []) =>
  cutAll(text, sizes).flatMap(({ event }) => (event === '' ? [] : [JSON.parse(readEvent(event)?.data ?? '')]))

it('cuts an array into the elements it has, however it arrives and is written, and keeps every byte', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.dictionary(fc.string(), fc.jsonValue()), fc.array(fc.jsonValue()))),
      fc.array(fc.nat({ max: 40 })),
      fc.constantFrom(0, 2),
      fc.constantFrom('', '\r\n', ' \n'),
      (given, sizes, indent, after) => {
        const text = JSON.stringify(given, null, indent).replaceAll('\n', '\r\n') + after
        const pieces = cutAll(text, sizes)
        expect(Buffer.concat(pieces.map(({ bytes }) => bytes)).toString()).toBe(text)
        expect(elements(text, sizes)).toEqual(JSON.parse(text))
        expect(pieces.filter(({ event }) => event === '').every(({ closes }) => closes)).toBe(true)
      },
    ),
  )
})

it('takes brackets, quotes and escapes inside of texts for what they are', () => {
  const given = [{ a: '}],"[{\\' }, { 'b"]': '\\"' }]
  const text = JSON.stringify(given)
  expect(elements(text, Array(text.length).fill(1))).toEqual(given)
})

it('gives an element as soon as its last bracket is there, with the comma before it', () => {
  const cutter = createArrayCutter()
  const cut = (text: string) => [...cutter.cut(Buffer.from(text))].map(({ bytes }) => bytes.toString())
  expect(cut('[{"a":1')).toEqual([])
  expect(cut('}')).toEqual(['[{"a":1}'])
  expect(cut('\n,\n{"b":{}}]')).toEqual(['\n,\n{"b":{}}', ']'])
})

it('takes one object alone for one element', () => {
  expect(elements('{"a":[{}]}\n')).toEqual([{ a: [{}] }])
})

it.each(['', '[', '[{"a":1}', '[{"a":1},', '[{"a":1', '{"a":', '[{"a":1}]{"b"', '"a', 'no array'])(
  'is broken where the stream ends with %j',
  (text) => {
    expect(() => cutAll(text, [])).toThrow(/provider/)
  },
)

it('is broken by a second array, and by a bracket that nothing opened', () => {
  expect(() => cutAll('[{}][{}]', [])).toThrow(/something else than one array/)
  expect(() => cutAll('}', [])).toThrow(/something else than one array/)
})

it('passes on unread an element that is too long, and reads the next', () => {
  const cutter = createArrayCutter()
  const chunk = Buffer.alloc(1_000_000, 'x')
  const pieces = [
    ...cutter.cut(Buffer.from('[{"a":"')),
    ...Array.from({ length: 20 }, () => [...cutter.cut(chunk)]).flat(),
    ...cutter.cut(Buffer.from('"},{"b":1}]')),
    ...cutter.rest(),
  ]
  expect(pieces.map(({ bytes, event }) => [bytes.length, event])).toEqual([
    [16_000_007, ''],
    [4_000_002, ''],
    [8, 'data: {"b":1}\n\n'],
    [1, ''],
  ])
})

it('tells of a fault as one more element', () => {
  expect(faultElement('data: {"error":{}}\n\n', true)).toBe(',{"error":{}}')
  expect(faultElement('data: {"error":{}}\n\n', false)).toBe('[{"error":{}}')
})
