import { choice, codePoints, number, text } from '../arguments.ts'
import { aac } from '../sound/aac.ts'
import { flac } from '../sound/flac.ts'
import { mp3 } from '../sound/mp3.ts'
import { opus } from '../sound/opus.ts'
import type { Answer, Exchange, WireRoute } from '../world.ts'
import { userOf } from './chat-request.ts'
import { billVendor, type LiveWorld } from './live-world.ts'
import { openaiModel } from './openai-models.ts'

/** Speech of today: silence of about the length that the text would take. TTS-1 is billed by characters, GPT-4o
 * mini TTS by tokens, of which only a stream of events tells. */
export const speech = (world: LiveWorld): readonly WireRoute[] => [
  {
    method: 'POST',
    path: '/v1/audio/speech',
    family: 'speech',
    handle: (exchange) => speak(world, exchange),
  },
]

/** Raw samples as the vendor has them: 24,000 a second, 16 bits, one channel. */
const rate = 24_000
const samples = (seconds: number): Buffer => Buffer.alloc(2 * Math.round(seconds * rate))

const withHead = (pcm: Buffer): Buffer => {
  const head = Buffer.alloc(44)
  head.write('RIFF', 0)
  head.writeUInt32LE(36 + pcm.length, 4)
  head.write('WAVEfmt ', 8)
  head.writeUInt32LE(16, 16)
  head.writeUInt16LE(1, 20)
  head.writeUInt16LE(1, 22)
  head.writeUInt32LE(rate, 24)
  head.writeUInt32LE(2 * rate, 28)
  head.writeUInt16LE(2, 32)
  head.writeUInt16LE(16, 34)
  head.write('data', 36)
  head.writeUInt32LE(pcm.length, 40)
  return Buffer.concat([head, pcm])
}

const codings = {
  ...{ mp3, opus, aac, flac },
  wav: { contentType: 'audio/wav', silence: (seconds: number) => withHead(samples(seconds)) },
  pcm: { contentType: 'audio/pcm', silence: samples },
}

const charactersMax = 4096
const charactersPerSecond = 15
const secondsLeast = 0.5

/** About 1,200 tokens a minute: community figures, the vendor publishes none. */
const audioTokensPerSecond = 20
const bytesPerEvent = 8192

const speak = (world: LiveWorld, { body, requestId }: Exchange): Answer => {
  const model = openaiModel(world, body, 'tts')
  const input = text(body, 'input', { least: 1, most: charactersMax, required: true }) ?? ''
  text(body, 'voice', { least: 1, most: 100, required: true })
  const instructions = text(body, 'instructions', { most: charactersMax }) ?? ''
  const format = choice(body, 'response_format', ['mp3', 'opus', 'aac', 'flac', 'wav', 'pcm'])
  const speed = number(body, 'speed', { least: 0.25, most: 4 }) ?? 1
  const streamed = choice(body, 'stream_format', ['audio', 'sse']) === 'sse'
  const seconds = Math.max(secondsLeast, codePoints(input) / charactersPerSecond / speed)
  const { contentType, silence } = codings[format]
  const bytes = Buffer.from(silence(seconds))
  const isByCharacter = model.id.startsWith('tts-1')
  const tokens = {
    input: world.newCounter.count(input) + world.newCounter.count(instructions),
    output: Math.ceil(seconds * audioTokensPerSecond),
  }
  billVendor(world, {
    ...{ provider: 'openai', wire: 'speech', id: requestId, requestId, model: model.servedAs },
    usage: isByCharacter
      ? { tts_characters: codePoints(input) }
      : { input_text_tokens: tokens.input, output_audio_tokens: tokens.output },
    user: userOf(body),
  })
  if (!streamed || isByCharacter) return { bytes, contentType }
  return { events: eventsOf(bytes, tokens) }
}

function* eventsOf(bytes: Buffer, tokens: { input: number; output: number }): Generator<string> {
  const event = (type: string, fields: object): string => `data: ${JSON.stringify({ type, ...fields })}\n\n`
  for (let at = 0; at < bytes.length; at += bytesPerEvent) {
    yield event('speech.audio.delta', { audio: bytes.subarray(at, at + bytesPerEvent).toString('base64') })
  }
  const usage = {
    input_tokens: tokens.input,
    output_tokens: tokens.output,
    total_tokens: tokens.input + tokens.output,
  }
  yield event('speech.audio.done', { usage })
}
