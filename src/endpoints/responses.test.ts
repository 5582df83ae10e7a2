import { describe, expect, it } from 'vitest'
import { transparentPng } from '../../test/support/pictures.ts'
import { OctroiError } from '../errors.ts'
import { parseInstant } from '../time.ts'
import { loadEncoding } from '../tokens/text.ts'
import type { Surroundings } from './endpoint.ts'
import type { Json } from './json.ts'
import type { KnownObjects, ObjectFacts } from './objects.ts'
import { responsesCounters } from './openai-counters.ts'
import { itemsTokensMost, learnResponse, responseNames } from './response-objects.ts'
import { responses } from './responses.ts'

const endpoint = responses(responsesCounters)
const [route] = endpoint.routes
if (route?.billing !== 'reply') throw new Error('the first route is billed by its reply')
const { wire } = route

const at = parseInstant('2026-11-25T12:00:00Z')
const around = (request: Json, objects: KnownObjects = {}, more: Partial<Surroundings> = {}) => ({
  ...{ provider: 'openai', model: 'gpt-4o', at, contextWindow: 128_000, outputTokensMax: 16_384, objects },
  bodyBytes: JSON.stringify(request).length,
  ...more,
})

const known = (kind: 'response' | 'conversation', more: Partial<ObjectFacts> = {}): KnownObjects => ({
  [kind]: { ...{ kind, id: `${kind}_1`, parent: null, model: null, tokensMost: 103, tools: false }, ...more },
})

const mosts = (request: object, objects: KnownObjects = {}, more: Partial<Surroundings> = {}) =>
  wire
    .bound(request, around(request, objects, more))
    .map(({ meters: [meter], most }) => [meter, most] as const)

describe('the bound of a response', () => {
  it('is the bytes of its input and the output it asks for', () => {
    const request = { model: 'gpt-4o', input: 'Moons?', max_output_tokens: 100 }
    expect(JSON.stringify(request)).toHaveLength(59)
    expect(mosts(request)).toEqual([
      ['input_text_tokens', 59],
      ['output_text_tokens', 100],
    ])
  })

  it("is the model's cap where no output is asked for", () => {
    expect(mosts({ input: 'Moons?' })[1]).toEqual(['output_text_tokens', 16_384])
  })

  it('has room for what a vendor adds to tools', () => {
    const request = { input: 'Moons?', tools: [{ type: 'function', name: 'look' }] }
    expect(JSON.stringify(request)).toHaveLength(62)
    expect(mosts(request)[0]).toEqual(['input_text_tokens', 62 + 512])
  })

  it('takes a picture by its rule and not by its bytes', () => {
    const url = `data:image/png;base64,${'A'.repeat(100_000)}`
    const image = { type: 'input_image', image_url: url, detail: 'low' }
    const request = { input: [{ role: 'user', content: [image] }] }
    const [most = 0] = mosts(request).map(([, each]) => each)
    expect(most).toBeGreaterThan(85)
    expect(most).toBeLessThan(2_000)
  })

  it.each([
    ['a document', { input: [{ role: 'user', content: [{ type: 'input_file', file_id: 'file-1' }] }] }],
    ['an item that the vendor keeps', { input: [{ type: 'item_reference', id: 'msg_1' }] }],
    ['an item that the vendor keeps, by its id alone', { input: [{ id: 'msg_1' }] }],
    ['a compacted history', { input: [{ type: 'compaction', encrypted_content: 'x' }] }],
    ['an item of a new kind', { input: [{ type: 'brand_new' }] }],
    ['a prompt that the vendor keeps', { prompt: { id: 'pmpt_1' } }],
    ['a response that is not known', { previous_response_id: 'resp_9', input: 'Why?' }],
  ])('is the window for %s', (_, request) => {
    expect(mosts(request)[0]).toEqual(['input_text_tokens', 128_000])
  })

  it('adds what the response before it read and wrote', () => {
    const request = { input: 'Why?', previous_response_id: 'response_1' }
    expect(JSON.stringify(request)).toHaveLength(52)
    expect(mosts(request, known('response'))[0]).toEqual(['input_text_tokens', 52 + 103])
  })

  it('adds what its conversation holds, and nothing of another one', () => {
    const request = { input: 'Why?', conversation: { id: 'conversation_1' } }
    expect(JSON.stringify(request)).toHaveLength(55)
    expect(mosts(request, known('conversation'))[0]).toEqual(['input_text_tokens', 55 + 103])
    expect(mosts({ ...request, conversation: 'conversation_2' }, known('conversation'))[0]?.[1]).toBe(128_000)
  })

  it('never passes the window', () => {
    const request = { input: 'Why?', previous_response_id: 'response_1' }
    expect(mosts(request, known('response', { tokensMost: 500_000 }))[0]?.[1]).toBe(128_000)
  })

  it('is the window once for each call of a hosted tool, and once more', () => {
    const request = {
      input: 'Moons?',
      tools: [{ type: 'web_search' }, { type: 'file_search', vector_store_ids: ['vs_1'] }],
      max_tool_calls: 2,
    }
    expect(mosts(request)).toEqual([
      ['input_text_tokens', 3 * 128_000],
      ['output_text_tokens', 3 * 16_384],
      ['web_search_call', 2],
    ])
    expect(wire.bound(request, around(request))[2]?.meters).toEqual(['web_search_call', 'file_search_call'])
  })

  it('holds one limit of output over all passes', () => {
    const request = { tools: [{ type: 'mcp' }], max_tool_calls: 2, max_output_tokens: 100 }
    expect(mosts(request)[1]).toEqual(['output_text_tokens', 100])
  })

  it('is not known where nothing says how often a hosted tool is called', () => {
    const request = { tools: [{ type: 'web_search_preview' }], max_output_tokens: 100 }
    expect(mosts(request)).toEqual([
      ['input_text_tokens', null],
      ['output_text_tokens', 100],
      ['web_search_preview_call', null],
    ])
    expect(mosts({ tools: [{ type: 'mcp' }] })[1]).toEqual(['output_text_tokens', null])
  })

  it('counts a compaction by the vendor as a pass of its own', () => {
    const request = { input: 'Moons?', context_management: [{ type: 'compaction' }], max_output_tokens: 100 }
    expect(mosts(request)).toEqual([
      ['input_text_tokens', 256_000],
      ['output_text_tokens', 100 + 16_384],
    ])
  })

  it('has a session for a container that it opens, by its memory, and none for one that is there', () => {
    const opens = { type: 'code_interpreter', container: { type: 'auto', memory_limit: '4g' } }
    const request = { tools: [opens], max_tool_calls: 1 }
    expect(wire.bound(request, around(request))[2]).toMatchObject({
      meters: ['container_session'],
      most: 1,
      attributes: { memory_gib: '4' },
    })
    expect(mosts({ tools: [{ ...opens, container: 'cntr_1' }], max_tool_calls: 1 })).toHaveLength(2)
  })

  it('is not known for pictures, which another model bills', () => {
    const request = { tools: [{ type: 'image_generation' }], max_tool_calls: 1, max_output_tokens: 100 }
    expect(mosts(request).at(-1)).toEqual(['output_text_tokens', null])
  })

  it('is tightened by a count that knows what came before', async () => {
    const request = {
      model: 'gpt-4o',
      input: 'Moons of Mars, '.repeat(1_000),
      previous_response_id: 'response_1',
    }
    const objects = known('response')
    const counting = { provider: 'openai', model: 'gpt-4o', at, objects }
    const counted = wire.countPrompt?.(request, { ...counting, counter: await loadEncoding('o200k_base') })
    const loose = wire.bound(request, around(request, objects))
    const [input] = (counted && wire.tighten(loose, counted)) ?? []
    expect(loose[0]?.most).toBeGreaterThan(15_000)
    // 5,001 of the text, 7 around it, 103 before it, and 128 that a vendor may add unseen.
    expect(input?.most).toBe(5_239)
  })
})

describe('what a response tells the next', () => {
  const read = (reply: object) => wire.readReply({ id: 'resp_1', model: 'gpt-4o', ...reply })
  const usage = { input_tokens: 35, output_tokens: 68, output_tokens_details: { reasoning_tokens: 60 } }
  const learn = (request: object, reply: object, objects: KnownObjects = {}) =>
    learnResponse({ request, reply: read(reply), objects })

  it('is all that it read and wrote, of which its reasoning is not expected again', () => {
    expect(learn({ input: 'Moons?' }, { usage })).toMatchObject([
      { kind: 'response', id: 'resp_1', tokensMost: 103, tokensAgain: 43, tools: true },
    ])
  })

  it('is nothing sure where its usage is not known', () => {
    expect(learn({ input: 'Moons?' }, {})).toMatchObject([{ id: 'resp_1', tokensMost: null }])
  })

  it('is nothing where it is not stored', () => {
    expect(learn({ store: false }, { usage })).toEqual([])
  })

  it('is the conversation it is a part of, or the first response of its chain', () => {
    const follows = { previous_response_id: 'response_1' }
    expect(learn({ conversation: 'conv_1' }, { usage })).toMatchObject([{ parent: 'conv_1' }])
    expect(learn(follows, { usage }, known('response'))).toMatchObject([{ parent: 'response_1' }])
    expect(learn(follows, { usage }, known('response', { parent: 'resp_0' }))).toMatchObject([
      { parent: 'resp_0' },
    ])
  })
})

describe('what a request names', () => {
  it('is what it continues, its files and what its tools use', () => {
    const picture = { type: 'input_image', file_id: 'file-1' }
    expect(
      responseNames({
        previous_response_id: 'resp_1',
        conversation: { id: 'conv_1' },
        input: [
          { role: 'user', content: [picture, { type: 'input_file', file_id: 'file-2' }] },
          { type: 'computer_call_output', output: { type: 'computer_screenshot', file_id: 'file-3' } },
          { role: 'assistant', content: [{ type: 'output_text', annotations: [{ file_id: 'cfile_1' }] }] },
        ],
        prompt: { id: 'pmpt_1', variables: { photo: { type: 'input_image', file_id: 'file-4' } } },
        tools: [
          { type: 'function', parameters: { properties: { file_id: { type: 'string' } } } },
          { type: 'image_generation', input_image_mask: { file_id: 'file-5' } },
          { type: 'shell', environment: { type: 'container_reference', container_id: 'cntr_1' } },
        ],
      }).map(({ kind, id }) => `${kind} ${id}`),
    ).toEqual([
      'response resp_1',
      'conversation conv_1',
      'file file-3',
      'file file-2',
      'file file-1',
      'file file-4',
      'file file-5',
      'container cntr_1',
    ])
  })
})

it('bounds the items of a conversation by their bytes, and not where they hold more than text', () => {
  const items = [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Mars' }] }]
  expect(itemsTokensMost({ items })).toBe(JSON.stringify(items).length)
  expect(itemsTokensMost({ items: [{ role: 'user', content: [{ type: 'input_image' }] }] })).toBeNull()
  expect(itemsTokensMost({ items: [{ type: 'item_reference', id: 'msg_1' }] })).toBeNull()
})

it('is counted with its images where the reply tells no usage: 765 tokens for 1000 x 1000', async () => {
  const counting = { ...around({}), counter: await loadEncoding('o200k_base') }
  const countOf = (...more: readonly Json[]) =>
    wire.count(
      {
        model: 'gpt-4o',
        input: [{ role: 'user', content: [{ type: 'input_text', text: 'what is it?' }, ...more] }],
      },
      ['Yes'],
      counting,
    ).usage
  const image_url = `data:image/png;base64,${transparentPng(1_000).toString('base64')}`
  // 3 a message, 1 the role, 4 the text, 3 the beginning of the reply.
  expect(countOf()).toEqual({ input_text_tokens: 11, output_text_tokens: 1 })
  expect(countOf({ type: 'input_image', image_url, detail: 'high' }).input_text_tokens).toBe(776)
})

it('takes what stands before the newest items of an input as sent before, but no instructions', () => {
  const input = [
    { role: 'developer', content: 'four' },
    { role: 'user', content: 'five5' },
    { role: 'assistant', content: [{ type: 'output_text', text: 'sixsix' }] },
    { type: 'function_call', call_id: 'call_1', name: 'look', arguments: '{}' },
    { type: 'function_call_output', call_id: 'call_1', output: 'seven77' },
  ]
  // 5 + 6 + 2 of 24, and 3 of the instructions.
  expect(wire.history({ instructions: 'see', input })).toEqual({ resent: 13, total: 27 })
})

it('ends a stream that breaks with an error that clients know', () => {
  const fault = endpoint.streamFault(new OctroiError('upstream_broken', 'It broke.'))
  expect(fault.startsWith('event: error\n')).toBe(true)
  expect(JSON.parse(/^data: (.+)$/m.exec(fault)?.[1] ?? '')).toMatchObject({
    type: 'error',
    sequence_number: 0,
    code: 'upstream_broken',
    message: 'It broke.',
    param: null,
    error: { type: 'server_error', code: 'upstream_broken' },
  })
})
