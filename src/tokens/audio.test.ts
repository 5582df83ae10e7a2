import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import { parseWebStream } from 'music-metadata'
import { describe, expect, it } from 'vitest'
import { charactersOf, countAudio } from './audio.ts'
import { durationOf } from './audio-duration.ts'

const user = { provider: 'openai', model: 'gpt-realtime', direction: 'input' } as const

describe('the tokens of a sound', () => {
  it('are one a tenth of a second of a user, and one a twentieth of an assistant', () => {
    expect(countAudio({ ...user, seconds: 60 })).toEqual({
      tokens: 600,
      low: 0,
      high: 602,
      class: 'formula',
      rule: 'openai-realtime/user',
    })
    expect(countAudio({ ...user, direction: 'output', seconds: 60 }).tokens).toBe(1200)
    expect(countAudio({ ...user, model: 'gpt-audio-mini', seconds: 60 })).toMatchObject({
      low: 600,
      high: 602,
    })
    expect(countAudio({ ...user, model: 'gpt-4o-audio-preview-2024-10-01', seconds: 0.01 }).tokens).toBe(1)
  })

  it('are 32 a second for Gemini', () => {
    const sound = { provider: 'google', model: 'gemini-2.5-flash', direction: 'input' } as const
    expect(countAudio({ ...sound, seconds: 10 })).toMatchObject({ tokens: 320, low: 320, high: 320 })
  })

  it('span both readings where the vendor publishes none', () => {
    expect(countAudio({ ...user, model: 'gpt-4o-transcribe', seconds: 60 })).toEqual({
      tokens: 600,
      low: 600,
      high: 1000,
      class: 'calibrated',
      rule: 'openai-transcribe/assumed',
    })
  })

  it('are not known for a model that bills seconds, nor for one no rule knows', () => {
    expect(countAudio({ ...user, model: 'whisper-1', seconds: 60 })).toMatchObject({
      tokens: null,
      high: null,
      class: 'unknown',
    })
  })

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('cannot be counted for %s seconds', (seconds) => {
    expect(() => countAudio({ ...user, seconds })).toThrow(expect.objectContaining({ code: 'bad_number' }))
  })
})

describe('the characters of a text that is spoken', () => {
  it('are its code points: an emoji of two is two, an accent of its own is one', () => {
    expect(charactersOf('')).toBe(0)
    expect(charactersOf('Bonjour !')).toBe(9)
    expect(charactersOf('👍🏽')).toBe(2)
    expect(charactersOf('e\u0301')).toBe(2)
    expect(charactersOf('\ud800a')).toBe(2)
  })
})

const ascii = (text: string) => Buffer.from(text, 'latin1')
const uint32 = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}
/** One channel, 16,000 samples of 16 bits a second: 32,000 bytes a second. */
const wav = ({ declared, held }: { declared: number; held: number }) =>
  Buffer.concat([
    ...[ascii('RIFF'), uint32(Math.min(declared + 36, 0xffff_ffff)), ascii('WAVEfmt '), uint32(16)],
    ...[Buffer.from([1, 0, 1, 0]), uint32(16_000), uint32(32_000), Buffer.from([2, 0, 16, 0])],
    ...[ascii('data'), uint32(declared), Buffer.alloc(held)],
  ])

/** A frame of MPEG 1 layer 3 at 44,100 Hz holds 1,152 samples: 0.0261 s. At 128 kbit/s it has 417 bytes. */
const mp3 = (frames: number) => {
  const frame = Buffer.alloc(417)
  frame.set([0xff, 0xfb, 0x90, 0x64])
  return Buffer.concat(Array.from({ length: frames }, () => frame))
}

const oggPage = (flags: number, granule: number, sequence: number, packet: Buffer) => {
  const head = Buffer.alloc(28)
  head.write('OggS', 0, 'latin1')
  head[5] = flags
  head.writeUInt32LE(granule, 6)
  head.writeUInt32LE(7, 14)
  head.writeUInt32LE(sequence, 18)
  head[26] = 1
  head[27] = packet.length
  return Buffer.concat([head, packet])
}
/** Ogg Vorbis of 8,000 samples a second; its last page says how many samples there were. */
const ogg = (samples: number) => {
  const identification = Buffer.alloc(30)
  identification[0] = 1
  identification.write('vorbis', 1, 'latin1')
  identification[11] = 1
  identification.writeUInt32LE(8000, 12)
  identification[28] = 0xb8
  identification[29] = 1
  return Buffer.concat([oggPage(2, 0, 0, identification), oggPage(4, samples, 1, Buffer.alloc(10))])
}

const uint32BE = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
const box = (name: string, ...content: readonly Buffer[]) => {
  const held = Buffer.concat(content)
  return Buffer.concat([uint32BE(held.length + 8), ascii(name), held])
}
/** The head of an MP4 file with one track of sound: 1,000 units a second, so many units. */
const mp4 = (units: number) => {
  const zeros = (count: number) => Buffer.alloc(count)
  const times = [uint32BE(0), uint32BE(0), uint32BE(0), uint32BE(1000), uint32BE(units)]
  const entry = box(
    'mp4a',
    zeros(6),
    Buffer.from([0, 1]),
    zeros(8),
    Buffer.from([0, 1, 0, 16]),
    zeros(4),
    uint32BE(1000 << 16),
  )
  const description = box('stsd', uint32BE(0), uint32BE(1), entry)
  const handler = box('hdlr', uint32BE(0), uint32BE(0), ascii('soun'), zeros(12))
  const media = box('mdia', box('mdhd', ...times, zeros(4)), handler, box('minf', box('stbl', description)))
  const header = box('tkhd', uint32BE(0), uint32BE(0), uint32BE(0), uint32BE(1), zeros(68))
  const movie = box('moov', box('mvhd', ...times, zeros(76), uint32BE(2)), box('trak', header, media))
  return Buffer.concat([box('ftyp', ascii('M4A '), uint32BE(0), ascii('M4A ')), movie])
}

const patient = { parse: parseWebStream, pace: () => setImmediate() }

describe('the length of a sound', () => {
  it('is read from WAV', async () => {
    const length = await durationOf(wav({ declared: 64_000, held: 64_000 }), patient)
    expect(length).toMatchObject({ seconds: 2 })
    expect(length).toHaveProperty('secondsAtMost', 64_044 / 32_000)
  })

  it('is read from MP3, Ogg and MP4', async () => {
    // 383 frames of 1,152 samples, 44,100 a second.
    const spoken = await durationOf(mp3(383), patient)
    expect('seconds' in spoken && spoken.seconds).toBeCloseTo((383 * 1152) / 44_100, 1)
    expect(await durationOf(ogg(24_000), patient)).toEqual({ seconds: 3, secondsAtMost: null })
    expect(await durationOf(mp4(61_400), patient)).toEqual({ seconds: 61.4, secondsAtMost: null })
  })

  it('is what a truncated WAV holds', async () => {
    expect(await durationOf(wav({ declared: 64_000, held: 3200 }), patient)).toMatchObject({ seconds: 0.1 })
  })

  it('has a bound where the header says less than there is', async () => {
    const length = await durationOf(wav({ declared: 320, held: 64_000 }), patient)
    expect(length).toEqual({ seconds: 0.01, secondsAtMost: 64_044 / 32_000 })
  })

  it('is not known of a stream that was never finished, of nothing, and of junk', async () => {
    expect(await durationOf(wav({ declared: 0, held: 100 }), patient)).toMatchObject({
      code: 'no_duration',
    })
    for (const junk of [new Uint8Array(0), new Uint8Array(1000), new Uint8Array(100_000).fill(0xff)]) {
      expect(await durationOf(junk, patient)).toMatchObject({ code: 'unreadable' })
    }
  })

  it('is given up where the caller has no more time', async () => {
    let pieces = 0
    const pace = async () => {
      pieces += 1
      if (pieces > 3) throw new Error('enough')
    }
    const broken = Buffer.concat([mp3(10), Buffer.alloc(200_000, 0xff)])
    expect(await durationOf(broken, { parse: parseWebStream, pace })).toMatchObject({ code: 'gave_up' })
  })

  it('of anything is a length or a problem, and never throws', async () => {
    const starts = [mp3(3), wav({ declared: 100, held: 100 }), ogg(8000), mp4(5), Buffer.alloc(0)]
    const bytes = fc
      .tuple(fc.constantFrom(...starts), fc.nat(200), fc.uint8Array({ maxLength: 300 }))
      .map(([start, kept, rest]) => Buffer.concat([start.subarray(0, kept), rest]))
    await fc.assert(
      fc.asyncProperty(bytes, async (sound) => {
        const length = await durationOf(sound, patient)
        expect('code' in length || length.seconds >= 0).toBe(true)
      }),
      { numRuns: 100 },
    )
  })
})
