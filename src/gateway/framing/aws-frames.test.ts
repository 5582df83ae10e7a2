import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createFrameCutter, faultFrame, writeFrame } from './aws-frames.ts'

const eventHeaders = (type: string) => ({
  ':event-type': type,
  ':content-type': 'application/json',
  ':message-type': 'event',
})

/** The examples of the Elixir package event_stream 0.1.0. */
const plain = Buffer.from('0000001e00000000baf2f68a7b22666f6f223a2022626172227dae7258e4', 'hex')
const typed = Buffer.concat([
  Buffer.of(0, 0, 0, 62, 0, 0, 0, 32, 64, 93, 249, 70, 12),
  Buffer.from('content-type'),
  Buffer.of(7, 0, 16),
  Buffer.from('application/json{"foo": "bar"}'),
  Buffer.of(111, 162, 191, 59),
])

const cutAll = (whole: Buffer, sizes: readonly number[] = []) => {
  const cutter = createFrameCutter()
  const pieces = []
  let start = 0
  for (const size of [...sizes, whole.length]) {
    pieces.push(...cutter.cut(whole.subarray(start, start + size)))
    start += size
  }
  return [...pieces, ...cutter.rest()]
}

it('writes and reads the frames that others do', () => {
  expect(writeFrame({}, '{"foo": "bar"}')).toEqual(plain)
  expect(writeFrame({ 'content-type': 'application/json' }, '{"foo": "bar"}')).toEqual(typed)
  expect(cutAll(Buffer.concat([plain, typed]))).toEqual([
    { bytes: plain, event: 'event: \ndata: {"foo": "bar"}\n\n' },
    { bytes: typed, event: 'event: \ndata: {"foo": "bar"}\n\n' },
  ])
})

it('cuts a stream into the same frames however it arrives', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom('messageStart', 'contentBlockDelta'), fc.jsonValue())),
      fc.array(fc.nat({ max: 40 })),
      (events, sizes) => {
        const frames = events.map(([type, value]) => writeFrame(eventHeaders(type), JSON.stringify(value)))
        expect(cutAll(Buffer.concat(frames), sizes)).toEqual(
          events.map(([type, value], index) => ({
            bytes: frames[index],
            event: `event: ${type}\ndata: ${JSON.stringify(value)}\n\n`,
          })),
        )
      },
    ),
  )
})

it('finds the type of an event behind headers of every kind', () => {
  const name = (text: string) => [Buffer.of(text.length), Buffer.from(text)]
  const values = [[0], [1], [2, 9], [3, 0, 1], [4, 0, 0, 0, 1], [5, ...Array(8).fill(0)], [6, 0, 2, 1, 2]]
  const others = [...values, [8, ...Array(8).fill(0)], [9, ...Array(16).fill(0)]]
  const head = Buffer.concat([
    ...others.flatMap((value) => [...name('other'), Buffer.from(value)]),
    ...name(':event-type'),
    Buffer.of(7, 0, 8),
    Buffer.from('metadata'),
  ])
  const frame = withHeaders(head)
  expect(cutAll(frame).map(({ event }) => event)).toEqual(['event: metadata\ndata: \n\n'])
  expect(() => cutAll(withHeaders(head.subarray(0, head.length - 1)))).toThrow(/headers are cut/)
  expect(() => cutAll(withHeaders(Buffer.from([1, 97, 77])))).toThrow(/unknown type/)
})

/** A frame of headers alone, given as bytes. */
const withHeaders = (head: Buffer): Buffer => sealed(head.length, head)

/** A frame that says of itself what it is told to, with checksums that hold. */
const sealed = (headerBytes: number, content: Buffer, length = content.length + 16): Buffer => {
  const prelude = Buffer.alloc(12)
  prelude.writeUInt32BE(length, 0)
  prelude.writeUInt32BE(headerBytes, 4)
  prelude.writeUInt32BE(crc32(prelude.subarray(0, 8)), 8)
  const all = Buffer.concat([prelude, content])
  const end = Buffer.alloc(4)
  end.writeUInt32BE(crc32(all))
  return Buffer.concat([all, end])
}

it('is broken by any byte that is not as it was written', () => {
  const frame = writeFrame(eventHeaders('metadata'), '{"usage":{"inputTokens":1}}')
  for (let at = 0; at < frame.length; at += 1) {
    const changed = Buffer.from(frame)
    changed[at] = (changed[at] ?? 0) ^ 1
    expect(() => cutAll(changed)).toThrow(/checksum does not hold/)
  }
})

it('is broken by lengths that cannot be, before it keeps anything for them', () => {
  expect(() => cutAll(sealed(0, Buffer.alloc(0), 4_000_000_000))).toThrow(/too long/)
  expect(() => cutAll(sealed(0, Buffer.alloc(0), 15))).toThrow(/lengths are wrong/)
  expect(() => cutAll(sealed(1, Buffer.alloc(0)))).toThrow(/lengths are wrong/)
})

it('gives the frames before one that is broken', () => {
  const cut = createFrameCutter().cut(Buffer.concat([plain, Buffer.alloc(12, 1)]))
  expect(cut.next().value?.bytes).toEqual(plain)
  expect(() => cut.next()).toThrow(/checksum does not hold/)
})

it('is broken where the stream ends inside of a frame', () => {
  const frame = writeFrame({}, '{}')
  for (let bytes = 1; bytes < frame.length; bytes += 1) {
    expect(() => cutAll(frame.subarray(0, bytes))).toThrow(/in the middle of a frame/)
  }
  expect(cutAll(Buffer.alloc(0))).toEqual([])
})

it('tells of a fault as the frame of an exception', () => {
  const frame = faultFrame('data: {"message":"cut"}\n\n')
  expect(cutAll(frame)).toHaveLength(1)
  expect(frame.toString('latin1')).toContain('internalServerException')
  expect(frame.toString('latin1')).toContain('{"message":"cut"}')
})
