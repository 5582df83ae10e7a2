import { durationOf } from '../tokens/audio-duration.ts'
import { checkNames, choice, number, text, withNumbers } from './arguments.ts'
import { markOf, randomFrom } from './random.ts'
import { Refusal } from './refusal.ts'
import { replyPieces } from './replies.ts'
import { type Segment, subtitles } from './subtitles.ts'
import {
  type Answer,
  bill,
  type Exchange,
  otherModel,
  type Upload,
  type WireRoute,
  type World,
} from './world.ts'

/** Whisper of November 2023: transcriptions and translations, billed by the length of the sound. What was said
 * is a text of about that length, the same for the same sound. */
export const transcriptions = (world: World): readonly WireRoute[] =>
  (['transcriptions', 'translations'] as const).map((wire) => ({
    method: 'POST',
    path: `/v1/audio/${wire}`,
    family: wire,
    form: true,
    handle: (exchange) => transcribe(world, wire, exchange),
  }))

/** What is done with a sound: written down as it was said, or in English. */
export type Wire = 'transcriptions' | 'translations'

const fieldsOf: Record<Wire, readonly string[]> = {
  transcriptions: ['file', 'model', 'language', 'prompt', 'response_format', 'temperature'],
  translations: ['file', 'model', 'prompt', 'response_format', 'temperature'],
}

/** The formats of a transcript. */
export const formats = ['json', 'text', 'srt', 'verbose_json', 'vtt'] as const

const transcribe = async (
  world: World,
  wire: Wire,
  { body: form, uploads, requestId }: Exchange,
): Promise<Answer> => {
  const body = withNumbers(form, ['temperature'])
  checkNames(body, fieldsOf[wire])
  const model = otherModel(world, body, 'transcriptions')
  const file = uploads.get('file')
  if (file === undefined) throw new Refusal(400, "'file' is a required property")
  const format = choice(body, 'response_format', formats)
  const temperature = number(body, 'temperature', { least: 0, most: 1 }) ?? 0
  text(body, 'prompt', { most: 100_000 })
  const language = languageOf(wire, text(body, 'language', { most: 100 }))
  const seconds = await secondsOf(file)
  const segments = await spoken(world, file, { seconds, temperature, language })
  bill(world, {
    wire,
    id: requestId,
    requestId,
    model: model.id,
    user: null,
    usage: { audio_seconds: Math.round(seconds) },
  })
  return transcript(wire, { format, language, seconds, temperature, segments, usage: {} })
}

/** What was said, in the format that was asked for; `usage`: what its JSON says besides. */
export const transcript = (
  wire: Wire,
  told: {
    readonly format: (typeof formats)[number]
    readonly language: string
    readonly seconds: number
    readonly temperature: number
    readonly segments: readonly Segment[]
    readonly usage: object
  },
): Answer => {
  const { format, language, seconds, temperature, segments, usage } = told
  const whole = segments.map((segment) => segment.text).join(' ')
  if (format === 'json') return { json: { text: whole, ...usage } }
  if (format === 'verbose_json') {
    const task = wire === 'transcriptions' ? 'transcribe' : 'translate'
    const duration = Math.round(seconds * 100) / 100
    const shown = segments.map(verbose(temperature))
    return { json: { task, language, duration, text: whole, segments: shown, ...usage } }
  }
  const written = format === 'text' ? `${whole}\n` : subtitles(format, segments)
  return { bytes: Buffer.from(written), contentType: 'text/plain; charset=utf-8' }
}

/** Names of languages as verbose replies give them; any other code is told back as it came. */
const languages: Readonly<Record<string, string>> = {
  en: 'english',
  fr: 'french',
  de: 'german',
  es: 'spanish',
}

/** The name of the language that was asked for, in replies. Throws the vendor's refusal of what is no code. */
export const languageOf = (wire: Wire, asked: string | null): string => {
  if (wire === 'translations' || asked === null) return 'english'
  // ISO-639-1; refused in the manner of its neighbours.
  if (!/^[a-z]{2,3}$/.test(asked)) {
    throw new Refusal(
      400,
      `Invalid language '${asked.slice(0, 20)}'. Language parameter must be specified in ISO-639-1 format.`,
      {
        param: 'language',
        code: 'invalid_language_format',
      },
    )
  }
  return languages[asked] ?? asked
}

/** The most bytes of a sound: "File uploads are currently limited to 25 MB". */
const soundBytesMax = 25 * 2 ** 20

const soundFormats = ['flac', 'm4a', 'mp3', 'mp4', 'mpeg', 'mpga', 'oga', 'ogg', 'wav', 'webm']

/** How long a file is read at most, in milliseconds. */
const readMsMax = 10_000

/** The length of a sound, or the vendor's refusal. Too large: buzz issue 381, 2023-03-21. No known coding, by its
 * name or by what is in it: pipedream-notion-voice-notes issue 20, 2023-09-28. Too short: as many clients of
 * 2023 repeat it. */
export const secondsOf = async ({ filename, bytes }: Upload): Promise<number> => {
  if (bytes.length > soundBytesMax) {
    throw new Refusal(
      413,
      `Maximum content size limit (${soundBytesMax}) exceeded (${bytes.length} bytes read)`,
      {
        type: 'server_error',
      },
    )
  }
  const ending = filename.slice(filename.lastIndexOf('.') + 1).toLowerCase()
  if (!soundFormats.includes(ending)) throw unknownFormat()
  // A large module, for this wire alone.
  const { parseWebStream } = await import('music-metadata')
  const ends = performance.now() + readMsMax
  const read = await durationOf(bytes, {
    parse: parseWebStream,
    pace: async () => {
      if (performance.now() > ends) throw new Error('The sound takes too long to read.')
      await new Promise(setImmediate)
    },
  })
  if ('code' in read || !Number.isSafeInteger(Math.round(read.seconds))) throw unknownFormat()
  if (read.seconds < 0.1) {
    throw new Refusal(400, 'Audio file is too short. Minimum audio length is 0.1 seconds.', {
      param: 'file',
      code: 'audio_too_short',
    })
  }
  return read.seconds
}

const unknownFormat = (): Refusal => {
  const known = soundFormats.map((format) => `'${format}'`).join(', ')
  return new Refusal(400, `Invalid file format. Supported formats: [${known}]`)
}

/** About 150 words a minute, in segments of five seconds; no more than a lying head of a few bytes may ask for. */
const tokensPerSegment = 13
const secondsPerSegment = 5
const segmentsMax = 10_000

/** What was said, in segments: a text of about the length of the sound, the same for the same sound. */
export const spoken = async (
  world: World,
  { bytes }: Upload,
  { seconds, temperature, language }: { seconds: number; temperature: number; language: string },
): Promise<readonly Segment[]> => {
  const random = randomFrom(world.seed, 'spoken', await markOf(bytes), String(temperature), language)
  const many = Math.min(segmentsMax, Math.ceil(seconds / secondsPerSegment))
  return Array.from({ length: many }, (_, index) => {
    const start = index * secondsPerSegment
    const end = index === many - 1 ? seconds : start + secondsPerSegment
    const tokens = Math.max(
      1,
      Math.round((Math.min(end - start, secondsPerSegment) * tokensPerSegment) / secondsPerSegment),
    )
    return { start, end, text: replyPieces(tokens, random).join('') }
  })
}

/** A segment as `verbose_json` tells it. Nothing was heard, so what measures hearing is constant. */
const verbose =
  (temperature: number) =>
  ({ start, end, text: words }: Segment, id: number) => ({
    id,
    seek: start * 100,
    start,
    end: Math.round(end * 100) / 100,
    text: ` ${words}`,
    tokens: [],
    temperature,
    avg_logprob: -0.25,
    compression_ratio: 1.5,
    no_speech_prob: 0.01,
  })
