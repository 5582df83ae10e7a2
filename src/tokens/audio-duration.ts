import { longestFrames, mpegByteSecondsMax } from './audio-frames.ts'

/** What reads the length of a sound: `parseWebStream` of the package `music-metadata`. It is handed in, because
 * on Node that package loads modules of Node, and this room may not. */
export type AudioParser = (
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  file: { readonly size: number },
  options: {
    readonly duration: boolean
    readonly skipCovers: boolean
    readonly skipPostHeaders: boolean
  },
) => Promise<{
  readonly format: {
    readonly duration?: number
    readonly bitrate?: number
    readonly codec?: string
    readonly container?: string
  }
}>

/** The length of a sound. `secondsAtMost`: what its bytes can hold at most, whatever the header says: in MPEG by its
 * frames, in PCM by its bitrate; null where the coding has no least bitrate. */
export type AudioDuration = { readonly seconds: number; readonly secondsAtMost: number | null }

/** Why the length of a sound is not known. `unreadable`: its coding is not known, or it is broken.
 * `no_duration`: it does not say, as the head of a recording that was not finished. `gave_up`: `pace` refused. */
export type AudioProblem = {
  readonly code: 'unreadable' | 'no_duration' | 'gave_up'
  readonly message: string
}

/** Reads how long a sound is (WAV, MP3, Ogg, MP4, FLAC, WebM ...). Never throws. A recording without an index is
 * read to its end, 8 KiB at a time; before each piece `pace` lets others run, and by rejecting ends the work,
 * which is how the caller sets a time limit: a hostile file takes long, not an ordinary one. */
export const durationOf = async (
  audio: Uint8Array,
  by: { readonly parse: AudioParser; readonly pace: () => Promise<void> },
): Promise<AudioDuration | AudioProblem> => {
  let gaveUp = false
  const pace = () =>
    by.pace().catch((error: unknown) => {
      gaveUp = true
      throw error
    })
  const options = { duration: true, skipCovers: true, skipPostHeaders: true }
  try {
    const { format } = await by.parse(piecesOf(audio, pace), { size: audio.length }, options)
    const { duration: seconds, bitrate, codec = '' } = format
    if (seconds === undefined || !Number.isFinite(seconds) || seconds < 0) return problem('no_duration')
    const held =
      format.container === 'MPEG'
        ? await framesHeld(audio, pace)
        : bytesHeld(audio.length, { codec, bitrate })
    return { seconds, secondsAtMost: held === null ? null : Math.max(seconds, held) }
  } catch {
    return problem(gaveUp ? 'gave_up' : 'unreadable')
  }
}

const pieceBytes = 8 * 1024

const piecesOf = (audio: Uint8Array, pace: () => Promise<void>): ReadableStream<Uint8Array<ArrayBuffer>> => {
  let at = 0
  return new ReadableStream(
    {
      pull: async (controller) => {
        await pace()
        if (at >= audio.length) {
          controller.close()
          return
        }
        controller.enqueue(new Uint8Array(audio.subarray(at, at + pieceBytes)))
        at += pieceBytes
      },
    },
    { highWaterMark: 0 },
  )
}

const framesHeld = async (audio: Uint8Array, pace: () => Promise<void>): Promise<number> => {
  const look = longestFrames(audio)
  for (;;) {
    await pace()
    const seconds = look()
    if (seconds !== null) return seconds
  }
}

/** PCM has one bitrate, MPEG a lowest one, in whatever container. Others may be silent for almost nothing. */
const bytesHeld = (
  bytes: number,
  { codec, bitrate }: { readonly codec: string; readonly bitrate: number | undefined },
): number | null => {
  if (codec === 'PCM') return bitrate === undefined || bitrate <= 0 ? null : (bytes * 8) / bitrate
  return codec.startsWith('MPEG ') ? bytes * mpegByteSecondsMax : null
}

const messages: Record<AudioProblem['code'], string> = {
  unreadable: 'The sound is in no known coding, or broken.',
  no_duration: 'The sound does not say how long it is.',
  gave_up: 'Finding out how long the sound is took too long.',
}

const problem = (code: AudioProblem['code']): AudioProblem => ({ code, message: messages[code] })
