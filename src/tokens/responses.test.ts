import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { countChat } from './chat.ts'
import { countResponses } from './responses.ts'
import { type Counter, loadEncoding } from './text.ts'

let o200k: Counter
beforeAll(async () => {
  o200k = await loadEncoding('o200k_base')
})

describe('the input of a response', () => {
  it('is the chat of its instructions and items', () => {
    // 3 of priming, 4 and the text for each message.
    expect(countResponses({ model: 'gpt-4o', input: 'hello world' }, o200k)).toMatchObject({
      ...{ low: 9, tokens: 9, high: 9, history: 0, class: 'formula' },
      rule: 'openai-chat/gpt-4o; counted as a chat',
    })
    const items = [
      { role: 'user', content: [{ type: 'input_text', text: 'hello' }] },
      { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'hello world' }] },
      { role: 'user', content: 'hello' },
    ]
    const request = { model: 'gpt-4o', instructions: 'hello', input: items }
    expect(countResponses(request, o200k)).toMatchObject({ tokens: 3 + 5 + 5 + 6 + 5, history: 11 })
  })

  it('shows functions and formats as Chat Completions does', () => {
    const foo = { name: 'foo', description: 'Do a foo', parameters: { type: 'object', properties: {} } }
    const schema = { name: 'a', schema: { type: 'object' } }
    const response = {
      model: 'gpt-4o',
      input: 'hello',
      tools: [{ type: 'function', ...foo }],
      tool_choice: { type: 'function', name: 'foo' },
      text: { format: { type: 'json_schema', ...schema } },
    }
    const chat = {
      model: 'gpt-4o',
      messages: [{ role: 'user', content: 'hello' }],
      tools: [{ type: 'function', function: foo }],
      tool_choice: { type: 'function', function: { name: 'foo' } },
      response_format: { type: 'json_schema', json_schema: schema },
    }
    const { low, tokens, high } = countResponses(response, o200k)
    expect({ low, tokens, high }).toEqual(
      (({ low, tokens, high }) => ({ low, tokens, high }))(countChat(chat, o200k)),
    )
  })

  it('counts calls and their outputs within a bound', () => {
    const input = [
      { role: 'user', content: 'hello' },
      { type: 'function_call', call_id: 'call_1', name: 'foo', arguments: '{}' },
      { type: 'function_call_output', call_id: 'call_1', output: 'hello world' },
    ]
    expect(countResponses({ model: 'gpt-4o', input }, o200k)).toMatchObject({ tokens: 23, class: 'bound' })
  })

  it('is not known where the vendor keeps a part of it, unless that is told', () => {
    const request = { model: 'gpt-4o', input: 'hello world', previous_response_id: 'resp_1' }
    expect(countResponses(request, o200k)).toMatchObject({ tokens: 9, high: null, class: 'unknown' })
    // A chain of 35 tokens read and 68 written, as once observed.
    const previous = { low: 103, tokens: 103, high: 103 }
    expect(countResponses(request, o200k, { previous })).toMatchObject({
      ...{ low: 112, tokens: 112, high: 112, history: 103, class: 'formula' },
    })
    expect(countResponses({ model: 'gpt-4o', input: 'a', prompt: { id: 'pmpt_1' } }, o200k).high).toBeNull()
  })

  it('is not known with hosted tools, reasoning or references', () => {
    const hosted = { model: 'gpt-4o', input: 'hello', tools: [{ type: 'file_search' }] }
    expect(countResponses(hosted, o200k)).toMatchObject({ class: 'unknown', high: null })
    for (const type of ['reasoning', 'item_reference']) {
      const input = [
        { type, id: 'rs_1' },
        { role: 'user', content: 'hello' },
      ]
      expect(countResponses({ model: 'gpt-5', input }, o200k)).toMatchObject({ class: 'unknown', high: null })
    }
  })

  it('never throws, whatever it is', () => {
    const request = fc.oneof(
      fc.anything(),
      fc.record({
        model: fc.constant('gpt-5'),
        input: fc.jsonValue(),
        tools: fc.jsonValue(),
        text: fc.jsonValue(),
      }),
    )
    fc.assert(
      fc.property(request, (any) => {
        const { low, tokens, history } = countResponses(any, o200k)
        expect(low).toBeLessThanOrEqual(tokens)
        expect(history).toBeLessThanOrEqual(tokens)
      }),
    )
  })
})
