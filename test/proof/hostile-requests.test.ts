import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bundledBook, bundledModels } from '../../src/cli/bundled.ts'
import { quoteRequest } from '../../src/cli/quote-item.ts'
import { chatCompletions } from '../../src/endpoints/chat-completions.ts'
import { chatCounters } from '../../src/endpoints/openai-counters.ts'
import { OctroiError } from '../../src/errors.ts'
import { openModelFacts } from '../../src/pricing/model-facts.ts'
import { parseInstant } from '../../src/time.ts'
import { loadEncoding } from '../../src/tokens/text.ts'
import { mp3, png, wav } from './vendor.ts'

/** Requests that lie, break off or never end: each gets a bound or a clear error, and none holds up a gateway,
 * which bounds every request where it stands. */

const [book, facts] = [await bundledBook(), openModelFacts(await bundledModels())]
const counter = await loadEncoding('o200k_base')
const [route] = chatCompletions(chatCounters).routes
if (route?.billing !== 'reply') throw new Error('the chat wire is metered by its reply')
const { wire } = route

const at = parseInstant('2026-03-01')
const model = 'gpt-4o-audio-preview'
const place = { provider: 'openai', model, at }
const surroundings = {
  ...{ ...place, bodyBytes: 1_000_000, objects: {} },
  ...{ contextWindow: 128_000, outputTokensMax: 16_384 },
}

const user = (content: unknown) => ({ messages: [{ role: 'user', content }] })
const image = (url: string) => user([{ type: 'image_url', image_url: { url } }])
const sound = (data: string, format = 'wav') => user([{ type: 'input_audio', input_audio: { data, format } }])
const many = <T>(count: number, make: (index: number) => T): readonly T[] =>
  Array.from({ length: count }, (_, index) => make(index))
const nested = (levels: number): object => {
  let schema: object = { type: 'string' }
  for (let level = 0; level < levels; level += 1) schema = { type: 'object', properties: { a: schema } }
  return schema
}
const base64 = (bytes: number) => Buffer.alloc(bytes, 7).toString('base64')
/** A JPEG with a megabyte of what stands before its size. */
const lateJpeg = `data:image/jpeg;base64,${Buffer.concat([
  Buffer.from([0xff, 0xd8]),
  ...many(11, () => Buffer.concat([Buffer.from([0xff, 0xe1, 0xff, 0xff]), Buffer.alloc(65_533)])),
]).toString('base64')}`
const words = 'Some words of prose, told again. '

const hostile: readonly (readonly [string, object])[] = [
  ['an image of nothing', image(png(0, 0))],
  ['an image of 4 billion pixels', image(png(65_535, 65_535))],
  ['an image of more pixels than a number holds well', image(png(0xffff_ffff, 0xffff_ffff))],
  ['an image cut off within its header', image(png(1000, 1000).slice(0, 40))],
  ['an image whose size comes late', image(lateJpeg)],
  ['a data URL that is not base64', image('data:image/png,%89PNG')],
  ['a data URL of broken base64', image('data:image/png;base64,&&&&')],
  ['a data URL without an end', image(`data:${'a'.repeat(100_000)}`)],
  ['many images', user(many(5_000, () => image(png(1000, 1000)).messages[0]?.content).flat())],
  ['a sound cut off within its header', sound(wav({ rate: 8_000, samples: 100, stated: 200 }).slice(0, 30))],
  ['a sound of no samples a second', sound(wav({ rate: 0, samples: 100, stated: 200 }))],
  ['a sound that states more than it has', sound(wav({ rate: 8_000, samples: 9, stated: 0xffff_ff00 }))],
  ['a sound that is not base64', sound('\u0000\ud800%%%')],
  ['a long sound', sound(mp3(31_000), 'mp3')],
  ['a document that is not base64', user([{ type: 'file', file: { file_data: 'data:application/pdf,x' } }])],
  ['a large document', user([{ type: 'file', file: { file_data: base64(700_000) } }])],
  ['lone surrogates', user('\ud800\udc00\ud800 \udfff'.repeat(10_000))],
  ['NUL bytes', user('\u0000'.repeat(100_000))],
  [
    'a schema 200 levels deep',
    { ...user('hi'), response_format: { type: 'json_schema', json_schema: nested(200) } },
  ],
  [
    'a tool 200 levels deep',
    { ...user('hi'), tools: [{ type: 'function', function: { name: 'a', parameters: nested(200) } }] },
  ],
  ['10,000 messages', { messages: many(10_000, (index) => ({ role: 'user', content: `hello ${index}` })) }],
  [
    '1,000 tools',
    {
      ...user('hi'),
      tools: many(1_000, (index) => ({
        type: 'function',
        function: { name: `f${index}`, description: words.repeat(10), parameters: nested(3) },
      })),
    },
  ],
  ['a megabyte of prose', user(words.repeat(31_000))],
  ['a megabyte of one letter', user('a'.repeat(1_000_000))],
  ['parts of no kind', user(many(50_000, () => ({ type: 'x' })))],
  ['no messages', { messages: 7, n: 'many', max_tokens: -1, tools: {}, audio: [] }],
]

/** The least CPU time of three tries, in ms: what others do to the machine does not count. */
const cpuMs = (work: () => void): number => {
  const tries = many(3, () => {
    const before = process.cpuUsage()
    work()
    const { user: own, system } = process.cpuUsage(before)
    return (own + system) / 1000
  })
  return Math.min(...tries)
}

describe.each(hostile)('%s', (_what, body) => {
  const request = { ...body, model }

  it('has a bound, made in less than 50 ms', () => {
    const [input] = wire.bound(request, surroundings)
    expect(input?.most).toBeGreaterThan(0)
    expect(input?.most).toBeLessThanOrEqual(128_000)
    expect(cpuMs(() => wire.bound(request, surroundings))).toBeLessThan(50)
  })

  it('is counted, and its count is at most what the bounds allow where it is one', () => {
    const count = wire.countPrompt?.(request, { ...place, counter })
    expect(count?.low).toBeLessThanOrEqual(count?.high ?? Number.POSITIVE_INFINITY)
    expect(count?.class === 'unknown').toBe(count?.high === null)
  })

  it('is quoted', async () => {
    const asked = { provider: 'openai', endpoint: 'chat-completions', at, model: null, expectedOutput: 10 }
    const { quote } = await quoteRequest(request, { ...asked, book, facts })
    expect(quote.most).toBeGreaterThan(0n)
  })
})

it('bounds and counts whatever JSON there is', () => {
  const parts = fc.array(
    fc.record(
      {
        type: fc.constantFrom('image_url', 'input_audio', 'file', 'text', 'x'),
        image_url: fc.oneof(fc.jsonValue(), fc.record({ url: fc.string(), detail: fc.jsonValue() })),
        input_audio: fc.oneof(fc.jsonValue(), fc.record({ data: fc.base64String() })),
        text: fc.jsonValue(),
      },
      { requiredKeys: [] },
    ),
  )
  const message = fc.record({
    role: fc.jsonValue(),
    content: fc.oneof(parts, fc.jsonValue()),
    audio: fc.jsonValue(),
  })
  const anything = fc.record({
    ...{ messages: fc.oneof(fc.array(fc.oneof(message, fc.jsonValue())), fc.jsonValue()) },
    ...{ n: fc.jsonValue(), max_tokens: fc.jsonValue(), web_search_options: fc.jsonValue() },
    ...{ tools: fc.jsonValue(), response_format: fc.jsonValue(), prompt_cache_options: fc.jsonValue() },
  })
  fc.assert(
    fc.property(fc.oneof(anything, fc.jsonValue()), (request) => {
      const bounds = wire.bound(request, surroundings)
      expect(bounds.every(({ least, most }) => most === null || least <= most)).toBe(true)
      expect(() => wire.countPrompt?.(request, { ...place, counter })).not.toThrow()
    }),
  )
})

it('refuses a body nested beyond what can be written, by name', async () => {
  const asked = { provider: 'openai', endpoint: 'chat-completions', at, model, expectedOutput: null }
  const refused = quoteRequest({ ...user('hi'), deep: nested(100_000) }, { ...asked, book, facts })
  await expect(refused).rejects.toThrow(OctroiError)
})
