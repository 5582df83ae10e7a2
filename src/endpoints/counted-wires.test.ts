import { describe, expect, it } from 'vitest'
import { rational } from '../money/rational.ts'
import { parseInstant } from '../time.ts'
import { loadEncoding } from '../tokens/text.ts'
import { completions } from './completions.ts'
import { embeddings } from './embeddings.ts'
import type { Endpoint, FormFile, ReplyWire, Surroundings } from './endpoint.ts'
import { files } from './files.ts'
import { images } from './images.ts'
import type { Json } from './json.ts'
import { moderations } from './moderations.ts'
import {
  chatCounters,
  imageCounters,
  inputCounters,
  speechCounters,
  transcriptionCounters,
} from './openai-counters.ts'
import { speech } from './speech.ts'
import { transcriptions } from './transcriptions.ts'

const wireOf = ({ routes }: Endpoint): ReplyWire => {
  for (const route of routes) if (route.billing === 'reply') return route.wire
  throw new Error('the endpoint has no route whose reply tells its cost')
}

const around = (model: string, more: Partial<Surroundings> = {}): Surroundings => ({
  provider: 'openai',
  model,
  at: parseInstant('2026-04-01'),
  bodyBytes: 1000,
  contextWindow: null,
  outputTokensMax: null,
  objects: {},
  ...more,
})

const counting = { ...around('gpt-4o'), counter: await loadEncoding('cl100k_base') }

/** The meter and the most of each bound, and what selects its price. */
const mosts = (wire: ReplyWire, request: Json, surroundings: Surroundings) =>
  wire
    .bound(request, surroundings)
    .map(({ meters: [meter], most, attributes }) => [meter, most, ...(attributes ? [attributes] : [])])

describe('embeddings', () => {
  const wire = wireOf(embeddings(inputCounters))
  const model = 'text-embedding-ada-002'

  it('have at most a token a byte, and as many as there are ids', () => {
    expect(mosts(wire, { model, input: 'Mars' }, around(model))).toEqual([['input_text_tokens', 4]])
    expect(mosts(wire, { model, input: ['Mars', 'é'] }, around(model))).toEqual([['input_text_tokens', 6]])
    expect(mosts(wire, { model, input: [1, 2, 3] }, around(model))).toEqual([['input_text_tokens', 3]])
    expect(mosts(wire, { model, input: [[1, 2], [3]] }, around(model))).toEqual([['input_text_tokens', 3]])
  })

  it('of 2023 named a model that no price list had', () => {
    const reply = { model: 'text-embedding-ada-002-v2', usage: { prompt_tokens: 8 } }
    expect(wire.readReply(reply, {})).toMatchObject({ model, usage: { usage: { input_text_tokens: 8 } } })
  })

  it('are counted where the reply does not say', () => {
    expect(wire.count({ model, input: ['Hello world', 'Hello world'] }, [], counting).usage).toEqual({
      input_text_tokens: 4,
    })
    expect(wire.count({ model, input: [[1, 2], [3]] }, [], counting).usage).toEqual({ input_text_tokens: 3 })
  })
})

describe('completions', () => {
  const wire = wireOf(completions(chatCounters))
  const model = 'gpt-3.5-turbo-instruct'

  it('have 16 tokens of output unless the request says more', () => {
    expect(mosts(wire, { model, prompt: 'Say hi' }, around(model))).toEqual([
      ['input_text_tokens', 6],
      ['output_text_tokens', 16],
    ])
  })

  it('bill every candidate of every prompt, returned or not', () => {
    const request = { model, prompt: ['a', 'bc'], max_tokens: 10, n: 2, best_of: 5, suffix: '!' }
    expect(mosts(wire, request, around(model))).toEqual([
      ['input_text_tokens', 5],
      ['output_text_tokens', 100],
    ])
    expect(mosts(wire, { model, prompt: [1, 2, 3], max_tokens: 10 }, around(model))).toEqual([
      ['input_text_tokens', 3],
      ['output_text_tokens', 10],
    ])
  })

  it('are counted without the prompt that is echoed', () => {
    const request = { model, prompt: 'Hello world', echo: true }
    expect(wire.count(request, ['Hello world Hello world'], counting).usage).toEqual({
      input_text_tokens: 2,
      output_text_tokens: 2,
    })
  })

  it('ask a stream for its usage since May 2024', () => {
    expect(wire.askUsage({ stream: true }, parseInstant('2023-11-15'))).toBeNull()
    expect(wire.askUsage({ stream: true }, parseInstant('2024-06-01'))).toBe('{"include_usage":true}')
  })
})

describe('pictures', () => {
  const defaults = { model: 'dall-e-2', size: '1024x1024', quality: 'standard' }
  const wire = wireOf(images('image-generations', imageCounters, defaults))
  const edits = wireOf(images('image-edits', imageCounters, defaults))

  it('are those of DALL-E 2 unless the request names a model', () => {
    expect(wire.read({ prompt: 'Phobos' }, {}).model).toBe('dall-e-2')
    expect(wire.read({ prompt: 'Phobos', model: 'dall-e-3' }, {}).model).toBe('dall-e-3')
  })

  it('cost n times one of their size and quality, exactly', () => {
    expect(
      wire.bound({ prompt: 'Phobos', n: 3, size: '256x256', quality: 'auto' }, around('dall-e-2')),
    ).toEqual([
      { meters: ['image'], least: 3, most: 3, attributes: { size: '256x256', quality: 'standard' } },
    ])
  })

  it('cost at most the dearest of the model where their size or quality is none of it', () => {
    const request = { model: 'dall-e-3', size: '7x7', quality: 'best' }
    expect(mosts(wire, request, around('dall-e-3'))).toEqual([
      ['image', 1, { size: '1792x1024', quality: 'hd' }],
    ])
  })

  it('have no bound where n is no whole number', () => {
    expect(wire.bound({ n: 2.5 }, around('dall-e-2'))[0]).toMatchObject({
      most: null,
      reason: 'n is no whole number',
    })
  })

  it('may be asked for in a form, where numbers are texts', () => {
    const file: FormFile = { filename: 'a.png', type: null, bytes: 9, seconds: null, secondsAtMost: null }
    const request = { image: file, n: '4', size: '512x512' }
    expect(mosts(edits, request, around('dall-e-2'))).toEqual([
      ['image', 4, { size: '512x512', quality: 'standard' }],
    ])
    expect(edits.read({ ...request, stream: 'true' }, {}).stream).toBe(true)
  })

  it('of gpt-image-1 are bounded by its table of tokens, the dearest where the request leaves it open', () => {
    const [model, prompt] = ['gpt-image-1', 'Phobos']
    const asked = { model, prompt, size: '1024x1024', quality: 'medium', n: 2 }
    expect(mosts(wire, asked, around(model))).toEqual([
      ['input_text_tokens', 134],
      ['input_image_tokens', 0],
      ['output_image_tokens', 2112],
    ])
    expect(mosts(wire, { model, prompt }, around(model))).toContainEqual(['output_image_tokens', 6240])
  })

  it('of models without a published table have no bound, and the reason says so', () => {
    const model = 'gpt-image-2'
    expect(wire.bound({ model, prompt: 'Phobos' }, around(model))[2]).toMatchObject({
      most: null,
      reason: 'no table of the tokens of a picture of gpt-image-2 is published',
    })
  })

  it('that come along are bounded by what the model makes of any, a mask among them', () => {
    const model = 'gpt-image-1'
    const request = { model, prompt: '', image: [{}, {}], mask: {}, size: '1024x1024', quality: 'low' }
    const [, input] = edits.bound(request, around(model))
    expect(input?.meters).toEqual(['input_image_tokens'])
    const [, alone] = edits.bound({ ...request, image: {}, mask: undefined }, around(model))
    expect(input?.most).toBe(3 * (alone?.most ?? 0))
  })

  it('may be files that were uploaded before, each of which has an owner', () => {
    const [route] = images('image-edits', imageCounters, defaults).routes
    const names = route?.billing === 'reply' ? route.names : undefined
    const request = {
      images: [{ file_id: 'file-1' }, { image_url: 'https://a' }],
      mask: { file_id: 'file-2' },
    }
    expect(names?.(request)).toEqual([
      { kind: 'file', id: 'file-1' },
      { kind: 'file', id: 'file-2' },
    ])
  })

  it('are those that came back; where none did, those that were asked for', () => {
    const request = { model: 'dall-e-2', n: 3, size: '256x256' }
    const read = wire.readReply({ data: [{ url: 'a' }, { url: 'b' }] }, request)
    expect(read.usage?.usage).toEqual({ image: 2 })
    expect(read.attributes).toEqual({ size: '256x256', quality: 'standard' })
    expect(wire.readReply({ data: [] }, request)).toMatchObject({ usage: null, model: 'dall-e-2' })
    expect(wire.count(request, [], counting).usage).toEqual({ image: 3 })
  })
})

describe('speech', () => {
  const wire = wireOf(speech(speechCounters))
  const sound = { sound: { bytes: 96_000, seconds: 30 } }

  it('of the first models costs its characters, exactly, before and after', () => {
    const request = { model: 'tts-1-hd', input: 'Où est Phobos ? 👍🏽' }
    expect(wire.bound(request, around('tts-1-hd'))).toEqual([
      { meters: ['tts_characters'], least: 18, most: 18 },
    ])
    expect(wire.readReply(undefined, request).usage).toEqual({ usage: { tts_characters: 18 }, problems: [] })
  })

  it('of later models is estimated by the length of the sound', () => {
    const request = { model: 'gpt-4o-mini-tts', input: 'Phobos', instructions: 'slow' }
    const { usage } = wire.readReply(sound, request)
    expect(usage?.usage).toEqual({ input_text_tokens: 10, output_audio_tokens: 600 })
    expect(usage?.problems[0]).toContain('openai-speech/assumed')
    const raw = wire.readReply(sound, { ...request, response_format: 'pcm' })
    expect(raw.usage?.usage).toEqual({ input_text_tokens: 10, output_audio_tokens: 40 })
  })

  it('of later models has no bound, and a sound of unknown length is named, not free', () => {
    const request = { model: 'gpt-4o-mini-tts', input: 'Phobos' }
    expect(wire.bound(request, around('gpt-4o-mini-tts'))[1]?.most).toBeNull()
    expect(wire.readReply({ sound: { bytes: 9, seconds: null } }, request).usage).toBeNull()
    expect(wire.count(request, [], counting).usage).toEqual({ request: 1 })
  })
})

describe('transcriptions', () => {
  const wire = wireOf(transcriptions('transcriptions', transcriptionCounters))
  const file = { filename: 'a.wav', type: 'audio/wav', bytes: 100, seconds: 61.4, secondsAtMost: 62 }
  const whisper = { model: 'whisper-1', file }

  it('by duration are bounded by what the bytes of the file hold, else by what it says', () => {
    expect(mosts(wire, whisper, around('whisper-1'))).toEqual([['audio_seconds', 62]])
    const said = { ...whisper, file: { ...file, secondsAtMost: null } }
    expect(mosts(wire, said, around('whisper-1'))).toEqual([['audio_seconds', 62]])
    const unread = { ...whisper, file: { ...file, seconds: null, secondsAtMost: null } }
    expect(wire.bound(unread, around('whisper-1'))[0]).toMatchObject({
      most: null,
      reason: 'the request has no file whose length can be read',
    })
  })

  it('by duration are counted by the length that the file says', () => {
    expect(wire.count(whisper, [], counting).usage).toEqual({ audio_seconds: rational(307n, 5n) })
    expect(wire.count({ model: 'whisper-1' }, [], counting).usage).toEqual({ request: 1 })
  })

  it('by tokens are bounded by the dearer reading of a minute, the hint and the output cap', () => {
    const model = 'gpt-4o-transcribe'
    const request = { model, file: { ...file, secondsAtMost: 60 }, prompt: 'Hello' }
    expect(mosts(wire, request, around(model, { outputTokensMax: 2000 }))).toEqual([
      ['input_audio_tokens', 1000],
      ['input_text_tokens', 5],
      ['output_text_tokens', 2000],
    ])
    expect(wire.count({ ...request, file: { ...file, seconds: 60 } }, ['Hello world'], counting)).toEqual({
      usage: { input_audio_tokens: 600, input_text_tokens: 1, output_text_tokens: 2 },
      history: 0,
      rule: 'openai-transcribe/assumed',
    })
  })

  it('as plain text say nothing but their text', () => {
    expect(wire.readReply('Mars has two moons.', whisper)).toMatchObject({
      usage: null,
      produced: ['Mars has two moons.'],
    })
  })
})

describe('moderations', () => {
  const wire = wireOf(moderations())

  it('are answered by the model of their time unless one is named', () => {
    expect(wire.read({ input: 'a' }, {}, parseInstant('2023-11-15')).model).toBe('text-moderation-latest')
    expect(wire.read({ input: 'a' }, {}, parseInstant('2026-11-15')).model).toBe('omni-moderation-latest')
  })

  it('of builds that no price list named are priced as asked for', () => {
    expect(wire.readReply({ model: 'text-moderation-006', results: [] })).toMatchObject({
      model: null,
      usage: { usage: { request: 1 } },
    })
  })
})

describe('files', () => {
  it('are remembered with their bytes, which storage is billed by', () => {
    const [upload] = files.routes
    if (upload?.billing !== 'free') throw new Error('uploads are free')
    expect(upload.learn?.({ request: {}, reply: { id: 'file-1', bytes: 120 } })).toEqual([
      { kind: 'file', id: 'file-1', parent: null, model: null, tokensMost: null, tools: false, bytes: 120 },
    ])
    expect(upload.learn?.({ request: {}, reply: { error: {} } })).toEqual([])
  })

  it('are not listed, since a list would show those of every owner', () => {
    const list = files.routes.find(({ method, path }) => method === 'GET' && path === '/files')
    expect(list?.billing).toBe('closed')
  })
})
