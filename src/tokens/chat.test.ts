import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import vectors from '../../test/vectors/text-tokens-chat.json' with { type: 'json' }
import { countChat } from './chat.ts'
import { type Counter, loadEncoding, tokensAtMost } from './text.ts'

let cl100k: Counter
let o200k: Counter
beforeAll(async () => {
  cl100k = await loadEncoding('cl100k_base')
  o200k = await loadEncoding('o200k_base')
})

const user = (content: unknown) => ({ role: 'user', content })

/** The six messages of openai/openai-cookbook, How_to_count_tokens_with_tiktoken.ipynb at c81359c, where the
 * API reported 129 tokens for gpt-4 and 124 for gpt-4o. */
const cookbook = [
  {
    role: 'system',
    content:
      'You are a helpful, pattern-following assistant that translates corporate jargon into plain English.',
  },
  { role: 'system', name: 'example_user', content: 'New synergies will help drive top-line growth.' },
  {
    role: 'system',
    name: 'example_assistant',
    content: 'Things working well together will increase revenue.',
  },
  {
    role: 'system',
    name: 'example_user',
    content:
      "Let's circle back when we have more bandwidth to touch base on opportunities for increased leverage.",
  },
  {
    role: 'system',
    name: 'example_assistant',
    content: "Let's talk later when we're less busy about how to do better.",
  },
  {
    role: 'user',
    content: "This late pivot means we don't have time to boil the ocean for the client deliverable.",
  },
]

describe('the prompt of a chat', () => {
  it('is what the vendor reported for the example of its cookbook', () => {
    expect(countChat({ model: 'gpt-4', messages: cookbook }, cl100k)).toMatchObject({
      tokens: 129,
      class: 'exact',
    })
    expect(countChat({ model: 'gpt-4o', messages: cookbook }, o200k)).toMatchObject({
      tokens: 124,
      class: 'exact',
    })
  })

  it.each([
    ['gpt-4-1106-preview', 'hello', 8],
    ['gpt-4-1106-preview', 'hello world', 9],
    ['gpt-3.5-turbo-1106', 'Hello, how are you?', 13],
  ])('for %s and "%s" is %i tokens', (model, content, tokens) => {
    expect(countChat({ model, messages: [user(content)] }, cl100k)).toEqual({
      tokens,
      low: tokens,
      high: tokens,
      history: 0,
      class: 'exact',
      rule: 'openai-chat/gpt-4',
      dated: '2026-11-23',
    })
  })

  it('has one token less of priming for reasoning models', () => {
    expect(countChat({ model: 'gpt-5', messages: [user('a')] }, o200k)).toMatchObject({
      tokens: 7,
      class: 'formula',
    })
    const sample = [{ role: 'developer', content: 'You are a helpful assistant.' }, user('Hello!')]
    expect(countChat({ model: 'gpt-5', messages: sample }, o200k).tokens).toBe(18)
  })

  it('counts calls and results of functions as the vendor reported them', () => {
    const result = [user('hello world'), { role: 'function', name: 'do_stuff', content: '{}' }]
    expect(countChat({ model: 'gpt-4', messages: result }, cl100k)).toMatchObject({
      tokens: 15,
      class: 'formula',
    })
    const call = { name: 'do_stuff', arguments: '{"foo": "bar", "baz": 1.5}' }
    const called = [{ role: 'assistant', content: '', function_call: call }]
    expect(countChat({ model: 'gpt-4', messages: called }, cl100k)).toMatchObject({
      tokens: 26,
      class: 'formula',
    })
  })

  it('counts the text of parts alone, and says that an image was not counted', () => {
    const parts = [{ type: 'text', text: 'hello' }]
    expect(countChat({ model: 'gpt-4', messages: [user(parts)] }, cl100k)).toMatchObject({
      tokens: 8,
      class: 'exact',
    })
    const image = { type: 'image_url', image_url: { url: 'https://example.test/a.png' } }
    expect(countChat({ model: 'gpt-4-vision-preview', messages: [user([...parts, image])] }, cl100k)).toEqual(
      {
        tokens: 8,
        low: 8,
        high: null,
        history: 0,
        class: 'unknown',
        rule: 'openai-chat/gpt-4; a part that is not text',
        dated: '2026-11-23',
      },
    )
  })

  it('takes an image at what its own rule gives', () => {
    const image = { type: 'image_url', image_url: { url: 'https://example.test/a.png' } }
    const request = {
      model: 'gpt-4-vision-preview',
      messages: [user([{ type: 'text', text: 'hello' }, image])],
    }
    const seen = { low: 85, tokens: 85, high: 85 }
    expect(countChat(request, cl100k, { partTokens: () => seen })).toMatchObject({
      ...{ low: 93, tokens: 93, high: 93, class: 'formula' },
    })
    const unseen = { low: 85, tokens: 765, high: 1445 }
    expect(countChat(request, cl100k, { partTokens: () => unseen })).toMatchObject({
      ...{ low: 93, tokens: 773, high: 1453, class: 'bound' },
    })
    expect(countChat(request, cl100k, { partTokens: () => null })).toMatchObject({ high: null })
  })

  it('is not known where the vendor adds what it found or kept', () => {
    const searching = { model: 'gpt-4o-search-preview', messages: [user('hello')], web_search_options: {} }
    expect(countChat(searching, o200k)).toMatchObject({ low: 8, high: null, class: 'unknown' })
    const spoken = [user('hello'), { role: 'assistant', audio: { id: 'audio_1' } }, user('hello')]
    expect(countChat({ model: 'gpt-4o-audio-preview', messages: spoken }, o200k).high).toBeNull()
  })

  it('is exact for a word of 100,000 letters', () => {
    const count = countChat({ model: 'gpt-4', messages: [user('a'.repeat(100_000))] }, cl100k)
    expect(count).toMatchObject({ tokens: 12_507, class: 'exact' })
  })

  it('is a bound where its texts are counted at their bound', () => {
    const bytes: Counter = {
      encoding: 'cl100k_base',
      count: tokensAtMost,
      measure: (text) => ({ tokens: tokensAtMost(text), exact: false }),
    }
    const count = countChat({ model: 'gpt-4', messages: [user('hello world')] }, bytes)
    expect(count).toMatchObject({ tokens: 21, class: 'bound' })
  })

  it('is not known for a model no rule knows, or in another encoding than the model’s', () => {
    expect(countChat({ model: 'llama-9', messages: [user('hello')] }, o200k).class).toBe('unknown')
    expect(countChat({ model: 'gpt-4', messages: [user('hello')] }, o200k).class).toBe('unknown')
    expect(countChat({ model: 'gpt-6-sol', messages: [user('hello')] }, o200k)).toMatchObject({
      tokens: 8,
      class: 'unknown',
      rule: 'openai-chat/gpt-6-assumed; each message may differ by 3',
      high: null,
    })
  })
})

describe('the acceptance vectors', () => {
  const cases = vectors.vectors.flatMap((vector) => {
    const { id, kind, api, models, encoding, request, expected_prompt_tokens } = vector
    const model = Array.isArray(models) ? (models[0]?.split(' ')[0] ?? '') : ''
    if (kind !== 'chat' || api !== 'chat.completions') return []
    return [{ id, model, encoding, request, tokens: expected_prompt_tokens }]
  })

  it('are 26 recorded prompts', () => {
    expect(cases).toHaveLength(26)
  })

  it.each(cases)('$id: $tokens tokens for $model', ({ model, encoding, request, tokens }) => {
    const counter = encoding === 'cl100k_base' ? cl100k : o200k
    expect(countChat({ model, ...request }, counter).tokens).toBe(tokens)
  })
})

describe('the history of a chat', () => {
  const system = { role: 'system', content: 'You are a bot.' }
  const reply = { role: 'assistant', content: 'hello world' }

  it('is nothing at the first turn', () => {
    expect(countChat({ model: 'gpt-4', messages: [system, user('hello')] }, cl100k).history).toBe(0)
  })

  it('is every message up to the last reply, without the instructions', () => {
    const messages = [system, user('hello'), reply, user('hello world'), reply, user('hello')]
    // A message is 3 and 1 for its role; "hello" 1, "hello world" 2.
    const count = countChat({ model: 'gpt-4', messages }, cl100k)
    expect(count.history).toBe(5 + 6 + 6 + 6)
    expect(count.tokens).toBe(3 + 9 + 23 + 5)
  })
})

describe('bad input', () => {
  it('is counted as far as it can be read, and never throws', () => {
    const messages = fc.array(
      fc.oneof(fc.anything(), fc.record({ role: fc.anything(), content: fc.anything() })),
    )
    const request = fc.oneof(
      fc.anything(),
      fc.record({ model: fc.anything(), messages, tools: fc.anything(), response_format: fc.anything() }),
    )
    fc.assert(
      fc.property(request, (any) => {
        const { tokens, history } = countChat(any, o200k)
        expect(tokens).toBeGreaterThanOrEqual(history)
        expect(history).toBeGreaterThanOrEqual(0)
      }),
    )
  })

  it('with lone surrogates and NUL has the tokens of what is sent for them', () => {
    // U+FFFD is one token, NUL is one.
    const content = '\ud800 \u0000'
    expect(countChat({ model: 'gpt-4o', messages: [user(content)] }, o200k)).toMatchObject({
      tokens: 7 + o200k.count('\ufffd \u0000'),
      class: 'exact',
    })
  })

  it('of 10,000 messages holds nobody up', () => {
    const content = 'What did the invoice of March say about the price of a million tokens?'
    const messages = Array.from({ length: 10_000 }, (_, index) => user(`${index}: ${content}`))
    const times = Array.from({ length: 8 }, () => {
      const before = process.threadCpuUsage()
      expect(countChat({ model: 'gpt-4o', messages }, o200k).class).toBe('exact')
      const { user: used, system } = process.threadCpuUsage(before)
      return (used + system) / 1000
    })
    // Milliseconds of this thread, and the best of eight: other work on the machine only adds.
    expect(Math.min(...times)).toBeLessThan(50)
  })

  it('survives a schema nested ten thousand levels deep', () => {
    let schema: unknown = {}
    for (let level = 0; level < 10_000; level++) schema = { properties: schema }
    const request = { model: 'gpt-4o', messages: [user('hello')], tools: [schema] }
    expect(countChat(request, o200k).class).toBe('unknown')
  })
})
