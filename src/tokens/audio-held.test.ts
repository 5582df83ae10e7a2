import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { secondsHeld } from './audio-held.ts'

const plain = { rate: 16_000, channels: 1, bits: 16, format: 1 }
type Wave = Partial<typeof plain & { readonly perSecond: number; readonly data: number }>

const wave = (bytes: number, header: Wave = {}) => {
  const { rate, channels, bits, format } = { ...plain, ...header }
  const { perSecond = (rate * channels * bits) / 8, data = bytes } = header
  const head = Buffer.alloc(44)
  head.write('RIFF', 0, 'latin1')
  head.write('WAVEfmt ', 8, 'latin1')
  head.writeUInt32LE(16, 16)
  head.writeUInt16LE(format, 20)
  head.writeUInt16LE(channels, 22)
  head.writeUInt32LE(rate, 24)
  head.writeUInt32LE(perSecond, 28)
  head.writeUInt16LE((channels * bits) / 8, 32)
  head.writeUInt16LE(bits, 34)
  head.write('data', 36, 'latin1')
  head.writeUInt32LE(data, 40)
  return Buffer.concat([head, Buffer.alloc(bytes)]).toString('base64')
}

const mpeg = (head: readonly number[], bytes: number) =>
  Buffer.concat([Buffer.from(head), Buffer.alloc(bytes - head.length)]).toString('base64')

describe('the length of a sound by its bytes', () => {
  it('is that of its samples where it is WAV', () => {
    // 64,000 bytes at 32,000 a second, and a header of 44 that may be padding of base64 more or less.
    const length = secondsHeld(wave(64_000))
    expect(length?.least).toBeCloseTo(2, 3)
    expect(length?.most).toBeCloseTo(2.0014, 3)
  })

  it('is no longer than its bytes, and no shorter than what is both stated and there', () => {
    expect(secondsHeld(wave(32_000, { data: 320_000 }))?.most).toBeLessThan(1.01)
    const short = secondsHeld(wave(32_000, { data: 3_200 }))
    expect([short?.least, (short?.most ?? 0) > 1]).toEqual([0.1, true])
  })

  it('has no least where what is no base64 stands within', () => {
    const text = wave(32_000)
    expect(secondsHeld(`${text.slice(0, 8_000)}\n${text.slice(8_000)}`)?.least).toBe(0)
  })

  it('is that of its frames where it is MP3, be it behind a tag', () => {
    const frame = mpeg([0xff, 0xf3, 0x44, 0xc0], 96)
    expect(secondsHeld(frame.repeat(1_000))).toEqual({ least: 0, most: 24.001 })
    const tag = [...Buffer.from('ID3'), 4, 0, 0, 0, 0, 0, 20, ...Buffer.alloc(20)]
    expect(secondsHeld(mpeg([...tag, 0xff, 0xfb, 0x90, 0x64], 9_000))?.most).toBeCloseTo(
      1152 / 44_100 + 0.001,
      9,
    )
  })

  it('is what the lowest bit rate needs where the frames of an MP3 are not looked at', () => {
    const frames = mpeg([0xff, 0xf3, 0x44, 0xc0], 96).repeat(1_000)
    // 100 frames are 2.4 s, and 86,400 bytes at 52 for 576 samples of 11,025 a second 86.8 s.
    expect(secondsHeld(frames, 9_600)?.most).toBeCloseTo(2.401 + 86.81 + 0.072, 2)
    expect(secondsHeld(`${frames}\n`)?.most).toBeCloseTo(96_001 * (576 / 11_025 / 52) + 0.072, 3)
  })

  it.each([
    ['a compressed WAV', wave(100, { format: 2 })],
    ['a WAV whose header disagrees with itself', wave(100, { perSecond: 1_000_000 })],
    ['a WAV without a rate', wave(100, { rate: 0 })],
    ['a header cut off', wave(100).slice(0, 24)],
    ['an MP3 of a free bit rate', mpeg([0xff, 0xfb, 0x00, 0x64], 100)],
    ['AAC', mpeg([0xff, 0xf1, 0x50, 0x80], 100)],
    ['Ogg', mpeg([0x4f, 0x67, 0x67, 0x53], 100)],
    ['a tag before nothing', mpeg([...Buffer.from('ID3'), 4, 0, 0, 0x7f, 0x7f, 0x7f, 0x7f], 100)],
    ['no base64', '%%%%'],
    ['nothing', ''],
  ])('is not known of %s', (_what, base64) => {
    expect(secondsHeld(base64)).toBeNull()
  })

  it('holds for every WAV, whatever its header states of its data', () => {
    fc.assert(
      fc.property(
        fc.record({
          rate: fc.integer({ min: 1, max: 192_000 }),
          channels: fc.integer({ min: 1, max: 8 }),
          bits: fc.constantFrom(8, 16, 24, 32),
          data: fc.integer({ min: 0, max: 0xffff_ffff }),
        }),
        fc.nat(5_000),
        (header, bytes) => {
          const length = secondsHeld(wave(bytes, header))
          const seconds = (bytes * 8) / (header.rate * header.channels * header.bits)
          expect(length?.most).toBeGreaterThanOrEqual(seconds)
          expect(length?.least).toBeLessThanOrEqual(seconds)
        },
      ),
    )
  })

  it('never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, asWave) => {
        const start = Buffer.from(asWave ? 'RIFF....WAVE' : 'ID3')
        const base64 = Buffer.concat([start, bytes]).toString('base64')
        expect(() => secondsHeld(base64)).not.toThrow()
      }),
    )
  })
})
