import { describe, expect, it } from 'vitest'
import { transparentPng } from '../../test/support/pictures.ts'
import { openai } from '../providers/openai.ts'
import { parseInstant } from '../time.ts'
import { loadEncoding } from '../tokens/text.ts'
import type { ReplyWire } from './endpoint.ts'

const wire = (): ReplyWire => {
  const route = openai.endpoints
    .flatMap(({ routes }) => routes)
    .find(({ path }) => path === '/chat/completions')
  if (route?.billing !== 'reply') throw new Error('the chat wire is metered by its reply')
  return route.wire
}

const surroundings = {
  provider: 'openai',
  model: 'gpt-4-vision-preview',
  at: parseInstant('2023-11-15'),
  bodyBytes: 200,
  contextWindow: 128_000,
  outputTokensMax: 4_096,
  objects: {},
}

/** MPEG 2, layer 3, 32 kbit/s at 24,000 Hz: 576 samples. */
const mp3Frame = Buffer.alloc(96)
mp3Frame.set([0xff, 0xf3, 0x44, 0xc0])

const user = (content: unknown) => ({ role: 'user', content })

describe('the bound of a chat request', () => {
  it('is its bytes in, and its output limit for each choice out', () => {
    const [input, output] = wire().bound({ messages: [user('hello')], max_tokens: 100, n: 3 }, surroundings)
    expect(input?.most).toBe(200)
    expect(output?.most).toBe(300)
  })

  it("takes the model's output cap where the request sets none", () => {
    expect(wire().bound({ messages: [user('hello')] }, surroundings)[1]?.most).toBe(4_096)
  })

  const shown = (url: string, detail?: string) =>
    user([
      { type: 'text', text: 'what is it?' },
      { type: 'image_url', image_url: { url, detail } },
    ])
  const mostOf = (message: unknown, more: object = {}) =>
    wire().bound({ messages: [message] }, { ...surroundings, ...more })[0]?.most

  it('counts an image by its size: 765 tokens for 1000 x 1000, 85 in low resolution', () => {
    const header = Buffer.from('89504e470d0a1a0a0000000d49484452000003e8000003e80802000000', 'hex')
    const url = `data:image/png;base64,${Buffer.concat([header, Buffer.alloc(3_000)]).toString('base64')}`
    const bodyBytes = url.length + 150
    expect(mostOf(shown(url), { bodyBytes })).toBe(150 + 765)
    expect(mostOf(shown(url, 'low'), { bodyBytes })).toBe(150 + 85)
  })

  it('is settled by the same rules where the reply tells no usage', async () => {
    const counter = await loadEncoding('cl100k_base')
    const count = (request: object, more: object = {}) =>
      wire().count({ model: surroundings.model, ...request }, ['Yes'], { ...surroundings, counter, ...more })
    const url = `data:image/png;base64,${transparentPng(1_000).toString('base64')}`
    // 3 a message, 1 the role, 4 "what is it?", 3 the beginning of the reply; 765 the image in high detail.
    expect(count({ messages: [user([{ type: 'text', text: 'what is it?' }])] }).usage).toEqual({
      input_text_tokens: 11,
      output_text_tokens: 1,
    })
    expect(count({ messages: [shown(url, 'high')] }).usage.input_text_tokens).toBe(11 + 765)
    expect(count({ messages: [shown(url, 'low')] }).usage.input_text_tokens).toBe(11 + 85)
    // 21 frames of 24 ms are 0.504 s, and a tenth of a second that has begun is a token.
    const data = Buffer.concat(Array.from({ length: 21 }, () => mp3Frame)).toString('base64')
    const heard = { messages: [user([{ type: 'input_audio', input_audio: { data, format: 'mp3' } }])] }
    expect(count({ model: 'gpt-audio', ...heard }, { model: 'gpt-audio' }).usage).toMatchObject({
      input_audio_tokens: 6,
    })
  })

  it('takes an image that it cannot see, or read, for the dearest one', () => {
    const dearest = 200 - 'https://example.com/a.png'.length + 1_445
    expect(mostOf(shown('https://example.com/a.png'))).toBe(dearest)
    expect(mostOf(shown('data:image/png;base64,AA'))).toBe(200 - 'data:image/png;base64,AA'.length + 1_445)
    expect(mostOf(shown('https://example.com/a.png'), { model: 'no-rule-for-it' })).toBe(128_000)
  })

  it('is the window of the model as soon as nothing bounds a part, and says which part', () => {
    const file = user([{ type: 'file', file: { file_data: 'data:application/pdf;base64,AAAA' } }])
    expect(mostOf(file)).toBe(128_000)
    const reasonOf = (message: unknown, contextWindow: number | null) =>
      wire().bound({ messages: [message] }, { ...surroundings, contextWindow })[0]
    expect(reasonOf(file, null)).toMatchObject({
      most: null,
      reason:
        'the request has a document, whose text has no bound, and the context window of the model is not known',
    })
    expect(reasonOf(user([{ type: 'input_audio' }]), null)?.reason).toContain('a sound of unknown length')
    expect(reasonOf({ role: 'assistant', audio: { id: 'audio_1' } }, 500)).toMatchObject({
      meters: ['input_text_tokens', 'cached_input_tokens', 'cache_write_tokens', 'input_audio_tokens'],
      most: 500,
      reason:
        'the request has a sound kept by the vendor, and only the context window of the model bounds its input',
    })
    expect(reasonOf(user({ type: 'text', text: 'no list of parts' }), 500)?.most).toBe(500)
  })

  it('is not fooled by an image that has a text as well', () => {
    const part = { type: 'image_url', text: 'hi', image_url: { url: 'https://example.com/a.png' } }
    expect(mostOf(user([part]))).toBe(200 - 25 + 1_445)
  })

  it('bounds the tokens of a sound apart, at their own price', () => {
    const head = Buffer.from('524946462400000057415645666d7420', 'hex')
    const format = Buffer.from('1000000001000100803e0000007d00000200100064617461', 'hex')
    const second = Buffer.alloc(32_000)
    const data = Buffer.concat([head, format, Buffer.from('007d0000', 'hex'), second]).toString('base64')
    const request = { messages: [user([{ type: 'input_audio', input_audio: { data, format: 'wav' } }])] }
    const place = { ...surroundings, model: 'gpt-audio', bodyBytes: data.length + 150 }
    const bounds = wire().bound(request, place)
    // A second is 10 tokens, and a message may add 2; the header's 44 bytes are a thousandth of a second.
    expect(bounds.slice(0, 2)).toMatchObject([
      { meters: ['input_text_tokens', 'cached_input_tokens', 'cache_write_tokens'], least: 1, most: 150 },
      { meters: ['input_audio_tokens', 'cached_input_tokens', 'cache_write_tokens'], least: 9, most: 13 },
    ])
    const counted = {
      tokens: 17,
      low: 16,
      high: 20,
      history: 0,
      rule: '',
      dated: '',
      class: 'bound',
    } as const
    expect(
      wire()
        .tighten(bounds, counted)
        ?.map(({ most }) => most),
    ).toEqual([139, 13, 4_096])
    // A count of the sound itself bounds it, and the text by the rest: 20 - 11, and 128 that nobody shows.
    expect(
      wire()
        .tighten(bounds, { ...counted, soundMost: 11 })
        ?.map(({ most }) => most),
    ).toEqual([137, 11, 4_096])
    const unruled = wire().bound(request, { ...place, model: 'gpt-4o' })
    expect(unruled[0]).toMatchObject({ most: 128_000 })
    expect(unruled[0]?.reason).toContain('a sound of a model without a rule for sounds')
  })

  it('takes the larger of two output limits, and speech only where it is asked for', () => {
    const limits = { messages: [user('hello')], max_completion_tokens: 10, max_tokens: 20 }
    expect(wire().bound(limits, surroundings)[1]).toMatchObject({
      meters: ['output_text_tokens', 'output_reasoning_tokens'],
      most: 20,
    })
    const spoken = wire().bound({ ...limits, audio: { voice: 'alloy', format: 'wav' } }, surroundings)
    expect(spoken[1]?.meters).toContain('output_audio_tokens')
  })

  it('has one search of the web for a model that searches, at the price of its context', () => {
    const request = { messages: [user('hello')], web_search_options: { search_context_size: 'low' } }
    const [input, , search] = wire().bound(request, { ...surroundings, model: 'gpt-4o-search-preview' })
    expect(input?.most).toBe(128_000)
    expect(search).toEqual({
      meters: ['web_search_call'],
      least: 0,
      most: 1,
      attributes: { search_context_size: 'low' },
    })
    expect(wire().bound(request, surroundings)).toHaveLength(2)
  })

  it('names the lifetime that writes to the cache are asked to have', () => {
    const request = { messages: [user('hello')], prompt_cache_options: { ttl: '12h' } }
    expect(wire().bound(request, surroundings)[0]?.attributes).toEqual({ cache_ttl: '12h' })
  })

  it('is unknown where neither request nor model limits the output', () => {
    const [, output] = wire().bound({ messages: [] }, { ...surroundings, outputTokensMax: null })
    expect(output?.most).toBeNull()
  })

  it('never trusts a negative or absurd n', () => {
    expect(wire().bound({ max_tokens: 10, n: -5 }, surroundings)[1]?.most).toBe(10)
    expect(wire().bound({ max_tokens: 10, n: 0 }, surroundings)[1]?.most).toBe(10)
  })
})

describe('the bound of a counted prompt', () => {
  const counted = {
    tokens: 40,
    low: 30,
    high: 50,
    history: 0,
    rule: 'openai-chat/gpt-4',
    dated: '2026-11-23',
  }
  const bounds = wire().bound({ messages: [user('hello')], tools: [{}], max_tokens: 100 }, surroundings)

  it('is the most it can have and what nobody sees, where the count promises a most', () => {
    // 200 bytes and 512 for tools before; 50 and 128 after.
    expect(bounds[0]?.most).toBe(712)
    for (const sure of ['exact', 'formula', 'bound'] as const) {
      const [input, output] = wire().tighten(bounds, { ...counted, class: sure }) ?? []
      expect([input?.most, output?.most]).toEqual([178, 100])
    }
  })

  it('is never more than the bytes gave', () => {
    const [input] = wire().tighten(bounds, { ...counted, high: 5_000, class: 'formula' }) ?? []
    expect(input?.most).toBe(712)
  })

  it('is none where the count is a guess', () => {
    expect(wire().tighten(bounds, { ...counted, class: 'calibrated' })).toBeNull()
    expect(wire().tighten(bounds, { ...counted, high: null, class: 'unknown' })).toBeNull()
  })
})

describe('the count of a prompt', () => {
  const countPrompt = async (content: readonly unknown[], model = 'gpt-4-vision-preview') => {
    const counting = { counter: await loadEncoding('cl100k_base'), provider: 'openai', model }
    const at = parseInstant('2023-11-15')
    return wire().countPrompt?.({ model, messages: [user(content)] }, { ...counting, at })
  }
  const text = { type: 'text', text: 'what is it?' }

  it('has an image by its rule, an address at the dearest the model makes of any', async () => {
    const header = Buffer.from('89504e470d0a1a0a0000000d49484452000003e8000003e80802000000', 'hex')
    const url = `data:image/png;base64,${Buffer.concat([header, Buffer.alloc(30)]).toString('base64')}`
    const seen = await countPrompt([text, { type: 'image_url', image_url: { url } }])
    // 3 + role 1 + text 4 + image 765 + 3
    expect(seen).toMatchObject({ tokens: 776, low: 776, high: 776 })
    const unseen = { type: 'image_url', image_url: { url: 'https://example.com/a.png' } }
    expect(await countPrompt([text, unseen])).toMatchObject({ tokens: 1_456, low: 11, high: 1_456 })
    expect((await countPrompt([text, unseen]))?.rule).toContain('an unseen image at its dearest')
  })

  it('has no bound with a document', async () => {
    const count = await countPrompt([text, { type: 'file', file: { file_id: 'file-1' } }])
    expect(count).toMatchObject({ class: 'unknown', high: null })
    expect(count?.rule).toContain('a document, whose text has no bound')
  })
})

describe('usage in streams', () => {
  const may2024 = parseInstant('2024-05-06')

  it('is asked for since May 2024, and only in streams that do not ask themselves', () => {
    expect(wire().askUsage({ stream: true }, may2024)).toBe('{"include_usage":true}')
    expect(wire().askUsage({ stream: true }, may2024 - 1)).toBeNull()
    expect(wire().askUsage({}, may2024)).toBeNull()
    expect(wire().askUsage({ stream: true, stream_options: { include_usage: true } }, may2024)).toBeNull()
  })

  it('is cut out again to the byte', () => {
    const chunk = '{"id":"c","choices":[{"index":0,"delta":{"content":"say \\"usage\\":null"}}]'
    expect(wire().cutUsage(`data: ${chunk},"usage":null}\n\n`)).toBe(`data: ${chunk}}\n\n`)
    expect(wire().cutUsage(`data: ${chunk}}\n\n`)).toBe(`data: ${chunk}}\n\n`)
    expect(wire().cutUsage('data: {"choices":[],"usage":{"prompt_tokens":1}}\n\n')).toBeNull()
    expect(wire().cutUsage('data: [DONE]\n\n')).toBe('data: [DONE]\n\n')
  })
})

describe('the meter of a stream', () => {
  it('gathers the visible text of each choice, and the usage when it comes', () => {
    const meter = wire().meterStream()
    const chunk = (index: number, content: string) =>
      `data: {"model":"gpt-4o-2024-08-06","choices":[{"index":${index},"delta":{"content":"${content}"}}]}\n\n`
    for (const event of [chunk(0, 'a'), chunk(1, 'x'), chunk(0, 'b')]) expect(meter.event(event)).toBe(false)
    expect(meter.reply()).toMatchObject({ model: 'gpt-4o-2024-08-06', usage: null, produced: ['ab', 'x'] })
    meter.event('data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":3}}\n\n')
    expect(meter.event('data: [DONE]\n\n')).toBe(true)
    expect(meter.reply().usage?.usage).toEqual({ input_text_tokens: 9, output_text_tokens: 3 })
  })

  it.each(['data: not json\n\n', ': keep-alive\n\n', 'data: {"choices":null}\n\n', 'data: 7\n\n', '\n\n'])(
    'is not stopped by %j',
    (event) => {
      const meter = wire().meterStream()
      expect(meter.event(event)).toBe(false)
      expect(meter.reply().produced).toEqual([])
    },
  )
})

it('calls history what stands before the newest turn, instructions apart', () => {
  const messages = [
    { role: 'system', content: 'sys' },
    user('abcd'),
    { role: 'assistant', content: 'efghij' },
    user('kl'),
  ]
  expect(wire().history({ messages })).toEqual({ resent: 10, total: 15 })
  expect(wire().history({ messages: [user('only')] })).toEqual({ resent: 0, total: 4 })
})
