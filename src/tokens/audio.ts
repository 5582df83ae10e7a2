import { OctroiError } from '../errors.ts'

/** How sure a count of sound is. `formula`: the vendor's published rule. `calibrated`: derived from prices or
 * from a neighbouring rule. `unknown`: nothing is published. */
export type AudioClass = 'formula' | 'calibrated' | 'unknown'

/** The tokens of a sound of known length. `low` and `high` span the readings there are; null where nothing is
 * known. `rule`: the id of the rule. */
export type AudioCount = {
  readonly tokens: number | null
  readonly low: number
  readonly high: number | null
  readonly class: AudioClass
  readonly rule: string
}

/** How many tokens a minute of sound is, `input` to a model or `output` of it. `otherPerMinute`: a second
 * published reading. `silenceIsFree`: it is dropped before it is counted. `extraMax`: what a message may add. */
type AudioRule = {
  readonly id: string
  readonly provider: 'openai' | 'google'
  readonly models: readonly string[]
  readonly direction: 'input' | 'output'
  readonly perMinute: number
  readonly otherPerMinute?: number
  readonly silenceIsFree?: true
  readonly extraMax?: number
  readonly class: 'formula' | 'calibrated'
  readonly source: string
  readonly asOf: string
}

const spoken = ['gpt-audio*', 'gpt-4o-audio-preview*', 'gpt-4o-mini-audio-preview*']
const realtime = [
  ...['gpt-realtime', 'gpt-realtime-1.5', 'gpt-realtime-2', 'gpt-realtime-2.1', 'gpt-realtime-2.1-mini'],
  ...['gpt-realtime-mini', 'gpt-4o-realtime-preview*', 'gpt-4o-mini-realtime-preview*'],
]
const costsGuide = 'OpenAI guide to the costs of realtime: a token is 100 ms of a user, 50 ms of an assistant'
const geminiTokens = 'Gemini guide to tokens, ai.google.dev: 32 tokens a second of sound'

/** Exact names, or prefixes that end in `*`. */
const audioRules: readonly AudioRule[] = [
  {
    id: 'openai-audio/user',
    provider: 'openai',
    models: spoken,
    direction: 'input',
    perMinute: 600,
    extraMax: 2,
    class: 'formula',
    source: costsGuide,
    asOf: '2026-11-23',
  },
  {
    id: 'openai-realtime/user',
    provider: 'openai',
    models: realtime,
    direction: 'input',
    perMinute: 600,
    extraMax: 2,
    silenceIsFree: true,
    class: 'formula',
    source: costsGuide,
    asOf: '2026-11-23',
  },
  {
    id: 'openai-audio/assistant',
    provider: 'openai',
    models: [...spoken, ...realtime],
    direction: 'output',
    perMinute: 1200,
    extraMax: 2,
    class: 'formula',
    source: costsGuide,
    asOf: '2026-11-23',
  },
  {
    id: 'openai-transcribe/assumed',
    provider: 'openai',
    models: ['gpt-4o-transcribe', 'gpt-4o-mini-transcribe'],
    direction: 'input',
    perMinute: 600,
    otherPerMinute: 1000,
    class: 'calibrated',
    source: 'not published: the rule of realtime fits the estimate a minute; another derives 1,000 a minute',
    asOf: '2026-11-23',
  },
  {
    id: 'openai-speech/assumed',
    provider: 'openai',
    models: ['gpt-4o-mini-tts'],
    direction: 'output',
    perMinute: 1200,
    class: 'calibrated',
    source: 'not published: 1,200 tokens a minute follow from the price list’s estimate of $0.015 a minute',
    asOf: '2026-11-23',
  },
  {
    id: 'google-audio/32',
    provider: 'google',
    models: ['gemini-2.*', 'gemini-3-*', 'gemini-3.*'],
    direction: 'input',
    perMinute: 1920,
    class: 'formula',
    source: geminiTokens,
    asOf: '2026-11-23',
  },
]

/** Counts the tokens of so many seconds of sound. Seconds that are billed as such (whisper-1) are no tokens:
 * the price book rounds them. Throws `bad_number` for a length that is not a number of seconds. */
export const countAudio = (sound: {
  readonly provider: string
  readonly model: string
  readonly direction: 'input' | 'output'
  readonly seconds: number
}): AudioCount => {
  const { provider, model, direction, seconds } = sound
  if (!(seconds >= 0 && seconds <= Number.MAX_SAFE_INTEGER)) {
    throw new OctroiError('bad_number', `A sound cannot be ${seconds} seconds long. Give a positive number.`)
  }
  const served = provider === 'azure-openai' ? 'openai' : provider
  const rule = audioRules.find(
    (each) =>
      each.provider === served &&
      each.direction === direction &&
      each.models.some((name) =>
        name.endsWith('*') ? model.startsWith(name.slice(0, -1)) : withoutDate(model) === name,
      ),
  )
  if (rule === undefined) {
    const why = `no rule is known for ${direction} sound of ${provider}/${model}`
    return { tokens: null, low: 0, high: null, class: 'unknown', rule: why }
  }
  const { perMinute, otherPerMinute = perMinute, extraMax = 0 } = rule
  const tokensAt = (each: number): number => (seconds * each) / 60
  return {
    tokens: Math.ceil(tokensAt(perMinute)),
    low: rule.silenceIsFree ? 0 : Math.floor(tokensAt(Math.min(perMinute, otherPerMinute))),
    high: Math.ceil(tokensAt(Math.max(perMinute, otherPerMinute))) + extraMax,
    class: rule.class,
    rule: rule.id,
  }
}

const withoutDate = (model: string): string => model.replace(/-\d{4}-\d{2}-\d{2}$/, '')

/** How many characters of a text are billed to speak it: its Unicode code points. OpenAI's specification
 * limits the text by JSON Schema's `maxLength`, which counts these; that the bill counts the same is inferred. */
export const charactersOf = (text: string): number => {
  let characters = 0
  for (const _ of text) characters += 1
  return characters
}
