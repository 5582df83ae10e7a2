import { describe, expect, it } from 'vitest'
import { newStateFile } from '../sandbox.fixture.ts'
import { openNow } from './vendors.fixture.ts'

describe('responses', () => {
  it('bill the whole chain again at each turn', async () => {
    const { sandbox, openai } = await openNow({ outputTokens: 50 })
    const first = await openai.responses.create({ model: 'gpt-4o', input: 'Hello' })
    // 3 + (3 + 1 + 1), then all of it again with the answer (3 + 1 + 50) and another message of 5.
    expect(first.usage).toMatchObject({ input_tokens: 8, output_tokens: 50 })
    const second = await openai.responses.create({
      model: 'gpt-4o',
      input: 'Bye',
      previous_response_id: first.id,
    })
    expect(second.usage?.input_tokens).toBe(67)
    expect(second.previous_response_id).toBe(first.id)
    expect(sandbox.books()[0]).toMatchObject({ meter: 'input_text_tokens', quantity: 75 })
  })

  it('stream in the vendor’s order, and end with the same object', async () => {
    const { openai } = await openNow()
    const request = { model: 'gpt-6-sol', input: 'Hello' }
    const whole = await openai.responses.create(request)
    const types: string[] = []
    let numbers = 0
    const events = await openai.responses.create({ ...request, stream: true })
    for await (const event of events) {
      expect(event.sequence_number).toBe(numbers)
      numbers += 1
      types.push(event.type)
      if (event.type === 'response.completed') expect(event.response.usage).toEqual(whole.usage)
    }
    expect([...new Set(types)]).toEqual([
      ...['response.created', 'response.in_progress', 'response.output_item.added'],
      ...['response.content_part.added', 'response.output_text.delta', 'response.output_text.done'],
      ...['response.content_part.done', 'response.output_item.done', 'response.completed'],
    ])
  })

  it('call the function that the message names, whole and streamed', async () => {
    const { openai } = await openNow()
    const tool = {
      type: 'function' as const,
      name: 'weather',
      strict: true,
      parameters: { type: 'object', properties: { city: { enum: ['Paris'] } } },
    }
    const request = { model: 'gpt-4o', input: '[call weather]', tools: [tool] }
    const reply = await openai.responses.create(request)
    expect(reply.output).toMatchObject([
      { type: 'function_call', name: 'weather', arguments: '{"city":"Paris"}' },
    ])
    const streamed = await openai.responses.stream(request).finalResponse()
    expect(streamed.output).toMatchObject([{ type: 'function_call', arguments: '{"city":"Paris"}' }])
    const [call] = reply.output
    if (call?.type !== 'function_call') throw new Error('no call')
    const result = { type: 'function_call_output' as const, call_id: call.call_id, output: '20' }
    const after = await openai.responses.create({
      ...request,
      previous_response_id: reply.id,
      input: [result],
    })
    expect(after.output).toMatchObject([{ type: 'message', status: 'completed' }])
  })

  it('bill a web search by the call, and what it found as input or as a fixed block', async () => {
    const { sandbox, openai } = await openNow({ outputTokens: 10 })
    const ask = (model: string) =>
      openai.responses.create({ model, input: 'News? [search] [search]', tools: [{ type: 'web_search' }] })
    const counted = await ask('gpt-4o')
    expect(counted.output.map(({ type }) => type)).toEqual(['web_search_call', 'web_search_call', 'message'])
    expect(counted.usage?.input_tokens).toBeGreaterThan(400)
    expect(counted.tool_usage?.web_search).toEqual({ num_requests: 2 })
    const fixed = await ask('gpt-4.1-mini')
    const rows = sandbox.books()
    const searches = rows.filter(({ meter }) => meter === 'web_search_call')
    // 10 dollars a thousand.
    expect(searches.map(({ quantity, amount }) => [quantity, amount])).toEqual([
      [2, '0.02'],
      [2, '0.02'],
    ])
    const input = rows.find(
      ({ model, meter }) => model.startsWith('gpt-4.1-mini') && meter === 'input_text_tokens',
    )
    expect(input?.quantity).toBe((fixed.usage?.input_tokens ?? 0) + 16_000)
    expect(sandbox.total().unpriced).toEqual([])
  })

  it('read a prompt that was seen before from the cache, and a chain that grew from it', async () => {
    const { openai } = await openNow({ outputTokens: 10 })
    const request = { model: 'gpt-4o', input: 'word '.repeat(2000) }
    const cachedOf = async (extra: object = {}) =>
      (await openai.responses.create({ ...request, ...extra })).usage?.input_tokens_details.cached_tokens
    const { id: previous_response_id } = await openai.responses.create(request)
    // 15 x 128 of the message's 2,000 tokens and a few.
    expect(await cachedOf()).toBe(1920)
    expect(await cachedOf({ previous_response_id, input: 'Bye' })).toBe(1920)
  })

  it('say the lifetime of what was written to the cache', async () => {
    const { openai } = await openNow({ outputTokens: 10 })
    const { usage } = await openai.responses.create({
      model: 'gpt-6.2-sol',
      input: 'word '.repeat(2000),
      prompt_cache_options: { ttl: '12h' },
    })
    const { cache_write_tokens: written } = usage?.input_tokens_details ?? {}
    expect(written).toBeGreaterThan(2000)
    expect(usage?.input_tokens_details.cache_write_tokens_details).toEqual({
      ttl_30m_tokens: 0,
      ttl_12h_tokens: written,
    })
  })

  it('are kept unless they ask not to be, are read without cost, and can be deleted', async () => {
    const { sandbox, openai } = await openNow()
    const kept = await openai.responses.create({ model: 'gpt-4o', input: 'Hello' })
    const read = await openai.responses.retrieve(kept.id)
    expect(read.output_text).toBe(kept.output_text)
    const passing = await openai.responses.create({ model: 'gpt-4o', input: 'Hello', store: false })
    await expect(openai.responses.retrieve(passing.id)).rejects.toThrow('not found')
    await openai.responses.delete(kept.id)
    const lost = openai.responses.create({ model: 'gpt-4o', input: 'a', previous_response_id: kept.id })
    await expect(lost).rejects.toMatchObject({ status: 400, code: 'previous_response_not_found' })
    expect(sandbox.total().calls).toBe(2)
  })

  it('read and add to a conversation', async () => {
    const { openai } = await openNow({ outputTokens: 50 })
    const item = { type: 'message' as const, role: 'user' as const, content: 'Hello' }
    const { id: conversation } = await openai.conversations.create({ items: [item] })
    const reply = await openai.responses.create({ model: 'gpt-4o', input: 'Bye', conversation })
    // 3 + 5 + 5
    expect(reply.usage?.input_tokens).toBe(13)
    const { data } = await openai.conversations.items.list(conversation)
    expect(data.map(({ type }) => type)).toEqual(['message', 'message', 'message'])
    const next = await openai.responses.create({ model: 'gpt-4o', input: 'Bye', conversation })
    expect(next.usage?.input_tokens).toBe(13 + 54 + 5)
    await openai.conversations.delete(conversation)
    await expect(openai.conversations.retrieve(conversation)).rejects.toThrow('not found')
  })

  it('survive a restart, with the books', async () => {
    const stateFile = newStateFile()
    const first = await openNow({ stateFile, outputTokens: 50 })
    const { id } = await first.openai.responses.create({ model: 'gpt-4o', input: 'Hello' })
    await first.sandbox.close()
    const second = await openNow({ stateFile, outputTokens: 50 })
    const next = await second.openai.responses.create({
      model: 'gpt-4o',
      input: 'Bye',
      previous_response_id: id,
    })
    expect(next.usage?.input_tokens).toBe(67)
    expect(second.sandbox.total().calls).toBe(2)
  })

  it('end as incomplete where there is no more room', async () => {
    const { openai } = await openNow({ outputTokens: 100 })
    const request = { model: 'gpt-6-sol', input: 'Hello', max_output_tokens: 20 }
    const reply = await openai.responses.create(request)
    expect(reply).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
      usage: { output_tokens: 20 },
    })
    const streamed = await openai.responses.stream(request).finalResponse()
    expect(streamed.status).toBe('incomplete')
  })

  it('are served ultrafast, at its price', async () => {
    const { sandbox, openai } = await openNow({ outputTokens: 10 })
    const reply = await openai.responses.create({
      model: 'gpt-6.2-sol',
      input: 'Hello',
      service_tier: 'ultrafast' as never,
    })
    expect(reply.service_tier).toBe('ultrafast')
    expect(sandbox.books()[0]?.attributes).toMatchObject({ tier: 'ultrafast' })
    expect(sandbox.total().unpriced).toEqual([])
  })

  it('count their input without cost', async () => {
    const { sandbox, openai } = await openNow()
    const counted = await openai.responses.inputTokens.count({ model: 'gpt-4o', input: 'Hello' })
    expect(counted).toEqual({ object: 'response.input_tokens', input_tokens: 8 })
    expect(sandbox.total().calls).toBe(0)
  })

  it.each([
    [{ background: true }, "does not play 'background' yet"],
    [{ tools: [{ type: 'file_search', vector_store_ids: [] }] }, "does not play 'tools' yet"],
    [{ prompt: { id: 'p' } }, "does not play 'prompt' yet"],
    [{ input: undefined }, "Missing required parameter: 'input'."],
  ])('refuse %j', async (extra, message) => {
    const { openai } = await openNow()
    const request = { model: 'gpt-4o', input: 'Hello', ...extra }
    await expect(openai.responses.create(request as never)).rejects.toThrow(message)
  })
})
