import { describe, expect, it } from 'vitest'
import { transparentPng } from '../../test/support/pictures.ts'
import { silentWav } from '../../test/support/sounds.ts'
import { providers } from '../providers/index.gen.ts'
import { parseInstant } from '../time.ts'
import { loadEncoding } from '../tokens/text.ts'
import type { ReplyWire, Surroundings } from './endpoint.ts'
import type { Json } from './json.ts'

const wireOf = (): ReplyWire => {
  const routes = providers['google']?.endpoints.flatMap((endpoint) => endpoint.routes) ?? []
  for (const route of routes) if (route.billing === 'reply') return route.wire
  throw new Error('no route of Google tells its cost')
}

const wire = wireOf()
const model = 'gemini-2.5-flash'

const around: Surroundings = {
  provider: 'google',
  model,
  at: parseInstant('2026-03-01'),
  bodyBytes: 1000,
  contextWindow: 1_000_000,
  outputTokensMax: 65_000,
  objects: {},
}

const asking = (more: object, ...parts: readonly Json[]): Json => ({
  model,
  contents: [{ role: 'user', parts: [{ text: 'How many moons has Mars?' }, ...parts] }],
  ...more,
})

const mosts = (request: Json, more: Partial<Surroundings> = {}) =>
  wire.bound(request, { ...around, ...more }).map(({ meters: [meter], most }) => [meter, most])

describe('the bound of generateContent', () => {
  it('is a token a byte in, and the limit out, for each candidate, in either spelling', () => {
    const output = (most: number) => [
      ['input_text_tokens', 1000],
      ['output_text_tokens', most],
    ]
    expect(mosts(asking({}))).toEqual(output(65_000))
    expect(mosts(asking({ generationConfig: { maxOutputTokens: 10, candidateCount: 3 } }))).toEqual(
      output(30),
    )
    expect(mosts(asking({ generation_config: { max_output_tokens: 10, candidate_count: 3 } }))).toEqual(
      output(30),
    )
  })

  it('takes a small image as 258 tokens', () => {
    const data = transparentPng(280).toString('base64')
    const bodyBytes = 1000 + data.length + 'data:image/png;base64,'.length
    const part = { inlineData: { mimeType: 'image/png', data } }
    expect(mosts(asking({}, part), { bodyBytes })[0]).toEqual(['input_text_tokens', 1258])
    const inResult = { functionResponse: { name: 'look', response: {}, parts: [part] } }
    expect(mosts(asking({}, inResult), { bodyBytes })[0]).toEqual(['input_text_tokens', 1258])
  })

  it('prices a sound as sound, by the time its bytes can last', () => {
    const data = Buffer.from(silentWav(2)).toString('base64')
    const sound = { inline_data: { mime_type: 'audio/wav', data } }
    const [text, heard] = mosts(asking({}, sound), { bodyBytes: 1000 + data.length })
    expect(text).toEqual(['input_text_tokens', 1000])
    expect(heard?.[0]).toBe('input_audio_tokens')
    expect(Number(heard?.[1])).toBeGreaterThanOrEqual(64)
  })

  it('is the window, at the price of sound too, for a film, a stored sound and a cache', () => {
    const film = { fileData: { mimeType: 'video/mp4', fileUri: 'files/1' } }
    for (const request of [asking({}, film), asking({ cachedContent: 'cachedContents/1' })]) {
      const [input] = wire.bound(request, around)
      expect(input?.most).toBe(1_000_000)
      expect(input?.meters).toContain('input_audio_tokens')
    }
  })

  it('is the window for a document', () => {
    const document = { inlineData: { mimeType: 'application/pdf', data: 'JVBERi0' } }
    expect(mosts(asking({}, document))[0]).toEqual(['input_text_tokens', 1_000_000])
  })

  it('does not exist for tools that Google runs, and does for functions', () => {
    for (const tool of [{ googleSearch: {} }, { code_execution: {} }, { urlContext: {} }]) {
      expect(mosts(asking({ tools: [tool] }))[0]).toEqual(['input_text_tokens', null])
    }
    const tools = [{ functionDeclarations: [{ name: 'moons' }] }]
    expect(mosts(asking({ tools }))[0]).toEqual(['input_text_tokens', 2024])
  })

  it('prices what may come back as sound or as a picture', () => {
    const metersOf = (request: Json) => wire.bound(request, around).at(-1)?.meters
    const spoken = asking({ generationConfig: { responseModalities: ['AUDIO'] } })
    expect(metersOf(spoken)).toContain('output_audio_tokens')
    expect(metersOf({ ...Object(asking({})), model: 'gemini-2.5-flash-image' })).toContain(
      'output_image_tokens',
    )
  })
})

describe('a request of generateContent', () => {
  it('names its tier but where it is the standard one', () => {
    expect(wire.read(asking({ serviceTier: 'flex' }), {}).tier).toBe('flex')
    expect(wire.read(asking({ service_tier: 'unspecified' }), {}).tier).toBeNull()
    expect(wire.read({ model: 'models/gemini-2.5-pro' }, {}).model).toBe('gemini-2.5-pro')
  })

  it('sends again what stands before the contents after the last one of the model', () => {
    const contents = [
      { role: 'user', parts: [{ text: 'abcd' }] },
      { role: 'model', parts: [{ text: 'ef' }] },
      { role: 'user', parts: [{ text: 'ghi' }] },
    ]
    expect(wire.history({ model, contents, systemInstruction: { parts: [{ text: 'xy' }] } })).toEqual({
      ...{ resent: 6, total: 11 },
    })
  })

  it('is counted with its images as closely as it asks to be looked at', async () => {
    const counting = { ...around, counter: await loadEncoding('o200k_base') }
    const data = transparentPng(1_000).toString('base64')
    const countOf = (more: object, ...parts: readonly Json[]): number =>
      Number(wire.count(asking(more, ...parts), [], counting).usage.input_text_tokens)
    const image = { inlineData: { mimeType: 'image/png', data } }
    const low = { generationConfig: { mediaResolution: 'MEDIA_RESOLUTION_LOW' } }
    // Four crops of 258 tokens, or one small look of 64.
    expect([countOf({}, image) - countOf({}), countOf(low, image) - countOf(low)]).toEqual([1032, 64])
  })
})
