import { parseWebStream } from 'music-metadata'
import { describe, expect, it } from 'vitest'
import { durationOf } from '../../tokens/audio-duration.ts'
import { aac } from './aac.ts'
import { flac } from './flac.ts'
import { mp3 } from './mp3.ts'
import { opus } from './opus.ts'

const secondsOf = async (bytes: Uint8Array): Promise<number> => {
  const read = await durationOf(bytes, { parse: parseWebStream, pace: async () => undefined })
  return 'code' in read ? Number.NaN : read.seconds
}

describe.each([0.5, 1, 61.4, 273])('a sound of %d seconds', (seconds) => {
  it('is that long as MP3, to the next 24 ms', async () => {
    const read = await secondsOf(mp3.silence(seconds))
    expect(read).toBeGreaterThanOrEqual(seconds)
    expect(read).toBeLessThan(seconds + 0.025)
  })

  it('is that long as FLAC, to the sample', async () => {
    expect(await secondsOf(flac.silence(seconds))).toBeCloseTo(seconds, 4)
  })

  it('is that long as Opus, to the next 20 ms', async () => {
    const read = await secondsOf(opus.silence(seconds))
    expect(read).toBeGreaterThanOrEqual(seconds - 0.001)
    expect(read).toBeLessThan(seconds + 0.021)
  })

  // The reader does not see the last two frames of 43 ms.
  it('is about that long as AAC', async () => {
    const bytes = aac.silence(seconds)
    const frames = Math.ceil((seconds * 24_000) / 1024)
    expect(bytes.length).toBe(frames * 128)
    if (seconds >= 1) expect(Math.abs((await secondsOf(bytes)) - seconds)).toBeLessThan(0.1)
  })
})

it('of frames that each begin with their sync word', () => {
  const bytes = mp3.silence(0.05)
  expect([...bytes.subarray(0, 4), ...bytes.subarray(96, 100)]).toEqual([
    ...[0xff, 0xf3, 0x44, 0xc0],
    ...[0xff, 0xf3, 0x44, 0xc0],
  ])
})
