import { choice, number, text, withNumbers } from '../arguments.ts'
import { Refusal } from '../refusal.ts'
import { formats, languageOf, secondsOf, spoken, transcript, type Wire } from '../transcriptions.ts'
import type { Answer, Exchange, WireRoute } from '../world.ts'
import { billVendor, type LiveWorld } from './live-world.ts'
import { openaiModel } from './openai-models.ts'

/** Transcriptions and translations of today. Whisper and GPT Transcribe are billed by the length of the sound,
 * GPT-4o Transcribe by tokens; every JSON says which. */
export const transcriptions = (world: LiveWorld): readonly WireRoute[] =>
  (['transcriptions', 'translations'] as const).map((wire) => ({
    method: 'POST',
    path: `/v1/audio/${wire}`,
    family: wire,
    form: true,
    handle: (exchange) => transcribe(world, wire, exchange),
  }))

/** Tokens of a second of sound: the vendor's figure for realtime, 100 ms a token; it publishes none for this wire. */
const audioTokensPerSecond = 10

const transcribe = async (
  world: LiveWorld,
  wire: Wire,
  { body: form, uploads, requestId }: Exchange,
): Promise<Answer> => {
  const body = withNumbers(form, ['temperature'])
  const model = openaiModel(world, body, 'stt')
  const isWhisper = model.id === 'whisper-1'
  if (wire === 'translations' && !isWhisper) {
    throw new Refusal(400, `The model \`${model.id}\` is not supported at this endpoint.`, { param: 'model' })
  }
  const file = uploads.get('file')
  if (file === undefined) throw new Refusal(400, "'file' is a required property")
  const format = choice(body, 'response_format', formats)
  if (!isWhisper && format !== 'json' && format !== 'text') {
    throw new Refusal(400, `response_format '${format}' is not compatible with model '${model.id}'.`, {
      param: 'response_format',
      code: 'unsupported_value',
    })
  }
  const temperature = number(body, 'temperature', { least: 0, most: 1 }) ?? 0
  const hint = text(body, 'prompt', { most: 100_000 }) ?? ''
  const language = languageOf(wire, text(body, 'language', { most: 100 }))
  const seconds = await secondsOf(file)
  const segments = await spoken(world, file, { seconds, temperature, language })
  const whole = segments.map((segment) => segment.text).join(' ')
  const byTokens = model.id.startsWith('gpt-4o')
  const tokens = {
    text: world.newCounter.count(hint),
    audio: Math.ceil(seconds * audioTokensPerSecond),
    output: world.newCounter.count(whole),
  }
  billVendor(world, {
    ...{ provider: 'openai', wire, id: requestId, requestId, model: model.servedAs },
    usage: byTokens
      ? {
          input_text_tokens: tokens.text,
          input_audio_tokens: tokens.audio,
          output_text_tokens: tokens.output,
        }
      : { audio_seconds: Math.round(seconds) },
  })
  const usage = byTokens ? usageOf(tokens) : { type: 'duration', seconds: Math.round(seconds) }
  if (body['stream'] === 'true' && !isWhisper) return { events: eventsOf(whole, usage) }
  return transcript(wire, { format, language, seconds, temperature, segments, usage: { usage } })
}

const usageOf = ({ text: textTokens, audio, output }: { text: number; audio: number; output: number }) => ({
  type: 'tokens',
  input_tokens: textTokens + audio,
  input_token_details: { text_tokens: textTokens, audio_tokens: audio },
  output_tokens: output,
  total_tokens: textTokens + audio + output,
})

function* eventsOf(whole: string, usage: object): Generator<string> {
  const event = (type: string, fields: object): string => `data: ${JSON.stringify({ type, ...fields })}\n\n`
  for (const delta of whole.match(/\S+\s*/g) ?? []) yield event('transcript.text.delta', { delta })
  yield event('transcript.text.done', { text: whole, usage })
}
