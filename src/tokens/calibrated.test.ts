import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import vectors from '../../test/vectors/text-tokens-chat.json' with { type: 'json' }
import { countGenerateContent, countMessages } from './calibrated.ts'
import { type Counter, loadEncoding } from './text.ts'

let o200k: Counter
let cl100k: Counter
beforeAll(async () => {
  o200k = await loadEncoding('o200k_base')
  cl100k = await loadEncoding('cl100k_base')
})

/** A text of so many tokens: each " a" is one. */
const text = (tokens: number): string => ' a'.repeat(tokens)
const user = (content: unknown) => ({ role: 'user', content })
const hello = [user(text(100))]

describe('the input of a message to Claude', () => {
  it('of the vendor’s example is inside the interval', () => {
    const example = vectors.vectors.find(({ id }) => id === 'chat-088')
    expect(example?.expected_input_tokens).toBe(14)
    const count = countMessages({ model: 'claude-opus-4-8', ...example?.request }, o200k)
    expect(count).toMatchObject({ low: 7, tokens: 14, high: 32, class: 'calibrated', dated: '2026-04' })
  })

  it('has a tokenizer of its own since Opus 4.7', () => {
    // 118 and 156, and three for the message; from 110 to 152 or 224 and eight.
    const before = { low: 110, tokens: 121, high: 160 }
    const since = { low: 110, tokens: 159, high: 232 }
    const older = ['claude-3-5-sonnet-20241022', 'claude-opus-4-20250514', 'anthropic.claude-sonnet-4-6-v1:0']
    for (const model of older) {
      expect(countMessages({ model, messages: hello }, o200k)).toMatchObject({
        ...before,
        rule: expect.stringMatching(/^anthropic\/claude-3;/),
      })
    }
    for (const model of ['claude-opus-4-7', 'claude-opus-4.8', 'claude-sonnet-5', 'claude-mythos-5-1']) {
      expect(countMessages({ model, messages: hello }, o200k)).toMatchObject({
        ...since,
        rule: expect.stringMatching(/^anthropic\/claude-4\.7;/),
      })
    }
  })

  it('is less sure in other scripts', () => {
    const russian = 'Сколько стоит один запрос?'
    const { low, high } = countMessages({ model: 'claude-opus-4-6', messages: [user(russian)] }, o200k)
    const tokens = o200k.count(russian)
    expect([low, high]).toEqual([Math.floor(tokens * 1.33), Math.ceil(tokens * 3.2) + 8])
  })

  it('has a hidden prompt where there are tools, by model and choice', () => {
    const facts = vectors.vectors.find(({ id }) => id === 'chat-090')?.values ?? {}
    const tools = [{ name: 'foo', input_schema: { type: 'object' } }]
    expect(Object.keys(facts)).toHaveLength(7)
    for (const [model, hidden] of Object.entries(facts)) {
      const count = (type: string) =>
        countMessages({ model, messages: hello, tools, tool_choice: { type } }, o200k).tokens
      const [choosing = 0, forced = 0] = hidden as readonly number[]
      expect(count('tool') - count('auto')).toBe(forced - choosing)
      expect(count('none')).toBe(count('auto'))
    }
    // 403 tokens, says the vendor of this example (chat-089).
    const weather = {
      model: 'claude-opus-4-8',
      tools: [
        {
          name: 'get_weather',
          description: 'Get the current weather in a given location',
          input_schema: {
            type: 'object',
            properties: {
              location: { type: 'string', description: 'The city and state, e.g. San Francisco, CA' },
            },
            required: ['location'],
          },
        },
      ],
      messages: [user("What's the weather like in San Francisco?")],
    }
    expect(countMessages(weather, o200k)).toMatchObject({ low: 357, tokens: 388, high: 435 })
  })

  it('has a wide interval for tools of a model without a published figure', () => {
    const tools = [{ name: 'foo', input_schema: { type: 'object' } }]
    const count = countMessages({ model: 'claude-opus-5', messages: hello, tools }, o200k)
    expect((count.high ?? 0) - count.low).toBeGreaterThan(804 - 290)
    expect(count.class).toBe('calibrated')
  })

  it('holds calls, results and replies as history', () => {
    const messages = [
      user(text(100)),
      { role: 'assistant', content: [{ type: 'tool_use', id: 't', name: ' a', input: {} }] },
      user([{ type: 'tool_result', tool_use_id: 't', content: text(50) }]),
    ]
    // 121; 1.18 for the name, 1.18 for "{}" and 3; 59 and 3.
    const count = countMessages({ model: 'claude-opus-4-6', messages }, o200k)
    expect(count).toMatchObject({ tokens: 188, history: 126 })
  })

  it('is not known with images, hosted tools, strangers or another encoding, but with a rule for images', () => {
    const image = { type: 'image', source: { type: 'url', url: 'https://example.test/a.png' } }
    const seen = { model: 'claude-opus-4-6', messages: [user([{ type: 'text', text: text(100) }, image])] }
    expect(countMessages(seen, o200k)).toMatchObject({ tokens: 121, high: null, class: 'unknown' })
    const partTokens = () => ({ low: 1000, tokens: 1000, high: 1000 })
    expect(countMessages(seen, o200k, { partTokens })).toMatchObject({ tokens: 1121, high: 1160 })
    const hosted = { model: 'claude-opus-4-6', messages: hello, tools: [{ type: 'web_search_20250305' }] }
    expect(countMessages(hosted, o200k)).toMatchObject({ high: null, class: 'unknown' })
    expect(countMessages({ model: 'claude-2', messages: hello }, o200k)).toMatchObject({ low: 0, high: null })
    expect(countMessages({ model: 'claude-3-opus', messages: hello }, cl100k)).toMatchObject({ high: null })
  })
})

describe('the contents sent to Gemini', () => {
  it('are o200k_base times 1.08', () => {
    const contents = [
      { role: 'user', parts: [{ text: text(100) }] },
      { role: 'model', parts: [{ text: text(100) }] },
      { role: 'user', parts: [{ text: text(100) }] },
    ]
    const request = { contents, systemInstruction: { parts: [{ text: text(100) }] } }
    expect(countGenerateContent(request, 'gemini-2.5-pro', o200k)).toMatchObject({
      ...{ low: 424, tokens: 432, high: 440, history: 216, class: 'calibrated', dated: '2025-12' },
    })
  })

  it('take declarations of functions as their JSON, and do not know a search', () => {
    const contents = [{ parts: [{ text: text(100) }] }]
    const declared = { contents, tools: [{ functionDeclarations: [{ name: 'foo' }] }] }
    const json = o200k.count('[{"name":"foo"}]')
    expect(countGenerateContent(declared, 'models/gemini-3-pro', o200k)).toMatchObject({
      ...{ tokens: Math.round((100 + json) * 1.08), class: 'calibrated' },
    })
    const searching = { contents, tools: [{ googleSearch: {} }] }
    expect(countGenerateContent(searching, 'gemini-3-pro', o200k)).toMatchObject({ high: null })
    expect(countGenerateContent({ contents, cachedContent: 'x' }, 'gemini-3-pro', o200k).high).toBeNull()
  })
})

describe('bad input', () => {
  const request = fc.oneof(
    fc.anything(),
    fc.record({
      model: fc.constantFrom('claude-opus-4-8', 'claude-3-opus'),
      ...{
        system: fc.jsonValue(),
        messages: fc.array(fc.record({ role: fc.string(), content: fc.jsonValue() })),
      },
      ...{ contents: fc.jsonValue(), tools: fc.jsonValue(), generationConfig: fc.jsonValue() },
    }),
  )

  it('never throws, and what was counted is within its interval', () => {
    fc.assert(
      fc.property(request, (any) => {
        for (const count of [countMessages(any, o200k), countGenerateContent(any, 'gemini-3-pro', o200k)]) {
          expect(count.low).toBeLessThanOrEqual(count.tokens)
          expect(count.high ?? count.tokens).toBeGreaterThanOrEqual(count.tokens)
          expect(count.history).toBeLessThanOrEqual(count.tokens)
        }
      }),
    )
  })

  it('nested without an end is not known', () => {
    let result: unknown = text(1)
    for (let level = 0; level < 20_000; level += 1) result = [{ type: 'tool_result', content: result }]
    const tools: unknown[] = []
    tools.push({ name: 'foo', input_schema: tools })
    const endless = { model: 'claude-opus-4-8', messages: [user(text(1))], tools }
    expect(countMessages(endless, o200k)).toMatchObject({ class: 'unknown', high: null })
    const deep = { model: 'claude-opus-4-8', messages: [user(result)] }
    expect(countMessages(deep, o200k)).toMatchObject({ class: 'unknown', high: null })
  })
})
