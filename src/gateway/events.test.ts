import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createEventCutter } from './events.ts'

it('cuts a stream into the same events however it arrives', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.string(), fc.constantFrom('\n\n', '\r\n\r\n'))),
      fc.array(fc.nat({ max: 40 })),
      (events, cuts) => {
        const text = events.map(([data, end]) => `data: ${data.replace(/[\r\n]/g, '')}${end}`)
        const whole = Buffer.from(text.join(''))
        const cutter = createEventCutter()
        const got: string[] = []
        let start = 0
        for (const size of [...cuts, whole.length]) {
          got.push(...cutter.cut(whole.subarray(start, start + size)).map(String))
          start += size
        }
        expect(got).toEqual(text)
        expect(cutter.rest().length).toBe(0)
      },
    ),
  )
})

it('keeps what follows the last blank line until more arrives', () => {
  const cutter = createEventCutter()
  expect(cutter.cut(Buffer.from('data: a\n\ndata: b'))).toEqual([Buffer.from('data: a\n\n')])
  expect(cutter.rest().toString()).toBe('data: b')
  expect(cutter.cut(Buffer.from('\n\n')).map(String)).toEqual(['data: b\n\n'])
})

it('cuts an event of 10 MB that comes in small chunks', () => {
  const cutter = createEventCutter()
  const chunk = Buffer.alloc(10_000, 'x')
  for (let each = 0; each < 1000; each += 1) expect(cutter.cut(chunk)).toEqual([])
  const [event, ...others] = cutter.cut(Buffer.from('\n\n'))
  expect(event?.length).toBe(10_000_002)
  expect(others).toEqual([])
})

it('passes on unread what never ends', () => {
  const cutter = createEventCutter()
  const chunk = Buffer.alloc(1_000_000, 'x')
  const passed = Array.from({ length: 20 }, () => cutter.cut(chunk)).flat()
  expect(passed.map(({ length }) => length)).toEqual([17_000_000])
  expect(cutter.rest().length).toBe(3_000_000)
})
