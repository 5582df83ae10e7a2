import fc from 'fast-check'
import { parseWebStream } from 'music-metadata'
import { describe, expect, it } from 'vitest'
import { mp3 as silence } from '../sandbox/sound/mp3.ts'
import { durationOf } from './audio-duration.ts'
import { longestFrames, mpegByteSecondsMax, mpegFrameSecondsMax } from './audio-frames.ts'

const secondsOf = (audio: Uint8Array): number => {
  const look = longestFrames(audio)
  for (;;) {
    const seconds = look()
    if (seconds !== null) return seconds
  }
}

/** Frames as encoders write them: the first three bytes of their heads, how long they are and how long they last. */
const kinds = [
  {
    name: 'MPEG 1 layer 3, 128 kbit/s, 44,100 Hz',
    head: [0xff, 0xfb, 0x90],
    bytes: 417,
    seconds: 1152 / 44_100,
  },
  { name: 'the same, padded', head: [0xff, 0xfb, 0x92], bytes: 418, seconds: 1152 / 44_100 },
  { name: 'MPEG 1 layer 3, 320 kbit/s, 48,000 Hz', head: [0xff, 0xfb, 0xe4], bytes: 960, seconds: 0.024 },
  { name: 'MPEG 2 layer 3, 32 kbit/s, 24,000 Hz', head: [0xff, 0xf3, 0x44], bytes: 96, seconds: 0.024 },
  { name: 'MPEG 2.5 layer 3, 8 kbit/s, 8,000 Hz', head: [0xff, 0xe3, 0x18], bytes: 72, seconds: 0.072 },
  {
    name: 'MPEG 2.5 layer 3, 8 kbit/s, 11,025 Hz',
    head: [0xff, 0xe3, 0x10],
    bytes: 52,
    seconds: 576 / 11_025,
  },
  { name: 'MPEG 1 layer 2, 192 kbit/s, 48,000 Hz', head: [0xff, 0xfd, 0xa4], bytes: 576, seconds: 0.024 },
  { name: 'MPEG 1 layer 1, 384 kbit/s, 48,000 Hz', head: [0xff, 0xff, 0xc4], bytes: 384, seconds: 0.008 },
]
type Kind = (typeof kinds)[number]

const framesOf = ({ head, bytes }: Kind, count: number, fill = 0): Buffer => {
  const frame = Buffer.alloc(bytes, fill)
  frame.set([...head, 0x64])
  return Buffer.concat(Array.from({ length: count }, () => frame))
}
const [usual, , , spoken] = kinds as [Kind, Kind, Kind, Kind]

describe('the frames of MPEG', () => {
  it.each(kinds)('of $name last as long as they say', (kind) => {
    expect(secondsOf(framesOf(kind, 100))).toBeCloseTo(100 * kind.seconds, 9)
  })

  it('of 25 minutes at 128 kbit/s are 25 minutes, not the seven hours of the lowest bit rate', () => {
    const audio = framesOf(usual, 57_422)
    expect(secondsOf(audio)).toBeCloseTo(1500.003, 3)
    expect(audio.length * mpegByteSecondsMax).toBeGreaterThan(23_900)
  })

  it('are followed past a tag before them, and whatever stands behind them', () => {
    const tag = [...Buffer.from('ID3'), 4, 0, 0, 0, 0, 1, 0, ...framesOf(spoken, 2).subarray(0, 128)]
    const ending = Buffer.from('TAG'.padEnd(128))
    expect(secondsOf(Buffer.concat([Buffer.from(tag), framesOf(usual, 10), ending]))).toBeCloseTo(0.2612, 4)
  })

  it('are all counted where a tag says that it hides them', () => {
    const lying = Buffer.from([...Buffer.from('ID3'), 4, 0, 0, 0x7f, 0x7f, 0x7f, 0x7f])
    expect(secondsOf(Buffer.concat([lying, framesOf(usual, 10)]))).toBeGreaterThanOrEqual(0.2612)
  })

  it('that were cut off at the end count whole', () => {
    expect(secondsOf(framesOf(usual, 10).subarray(0, -100))).toBeCloseTo((10 * 1152) / 44_100, 9)
  })

  it('are found again behind what is none', () => {
    const both = Buffer.concat([framesOf(usual, 10), Buffer.alloc(1000, 0x20), framesOf(usual, 10)])
    expect(secondsOf(both)).toBeCloseTo((20 * 1152) / 44_100, 9)
  })

  it('are none in zeros, in nothing, and in a free bit rate', () => {
    expect(secondsOf(new Uint8Array(0))).toBe(0)
    expect(secondsOf(new Uint8Array(1000))).toBe(0)
    expect(secondsOf(new Uint8Array([0xff, 0xfb, 0x00, 0x64, 0, 0]))).toBe(0)
  })

  it('never last less than any way to read them without overlap, whatever the bytes are', () => {
    const piece = fc.oneof(
      fc.tuple(fc.constantFrom(...kinds), fc.integer({ min: 1, max: 4 })).map((some) => framesOf(...some)),
      fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
      fc.constantFrom(...kinds).map(({ head }) => Buffer.from([...head, 0x64])),
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), fc.nat(3000), (pieces, from) => {
        const audio = Buffer.concat([Buffer.from('x'), ...pieces])
        // A decoder that begins anywhere, and takes every frame it meets.
        let seconds = 0
        for (let at = from % audio.length; at < audio.length; ) {
          const kind = kinds.find(({ head }) => head.every((byte, index) => audio[at + index] === byte))
          seconds += kind?.seconds ?? 0
          at += kind?.bytes ?? 1
        }
        expect(secondsOf(audio)).toBeGreaterThanOrEqual(seconds - 1e-9)
        const most = audio.length * mpegByteSecondsMax + mpegFrameSecondsMax
        expect(secondsOf(audio)).toBeLessThanOrEqual(most)
      }),
    )
  })

  it('last no less than a library reads, and to the frame where nothing is broken', async () => {
    const by = { parse: parseWebStream, pace: async () => undefined }
    const whole = silence.silence(90)
    expect(await durationOf(whole, by)).toMatchObject({ seconds: 90, secondsAtMost: 90 })
    for (const [from, to] of [
      [0, 50_000],
      [960, 200_000],
      [0, 359_999],
    ]) {
      const read = await durationOf(whole.slice(from, to), by)
      if ('code' in read) throw new Error(read.message)
      expect(secondsOf(whole.slice(from, to))).toBeGreaterThanOrEqual(read.seconds - 0.024)
      expect(secondsOf(whole.slice(from, to))).toBeLessThan(read.seconds + 0.1)
    }
  })
})
