import { Buffer } from 'node:buffer'
import { soundsOf } from '../endpoints/content-parts.ts'
import type { Json } from '../endpoints/json.ts'
import { type AudioDuration, type AudioProblem, durationOf } from '../tokens/audio-duration.ts'

/** Reads how long a sound is, letting others run meanwhile. */
export const soundLength = async (bytes: Uint8Array): Promise<AudioDuration | AudioProblem> => {
  const { parseWebStream } = await import('music-metadata')
  return durationOf(bytes, {
    parse: parseWebStream,
    pace: () => new Promise((resolve) => setImmediate(resolve)),
  })
}

/** The seconds of the sounds in a request of Chat Completions, by their base64; without those that do not say. */
export const soundLengths = async (request: Json): Promise<ReadonlyMap<string, number>> => {
  const lengths = new Map<string, number>()
  for (const sound of new Set(soundsOf(request))) {
    const length = await soundLength(Buffer.from(sound, 'base64'))
    if (!('code' in length)) lengths.set(sound, length.seconds)
  }
  return lengths
}
