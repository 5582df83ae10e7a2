import { describe, expect, it } from 'vitest'
import { openNow } from './vendors.fixture.ts'

type Wire = { readonly path: string; readonly headers: Record<string, string>; readonly body: object }

/** One stream of each wire that has one. */
const wires = {
  'chat-completions': {
    path: '/v1/chat/completions',
    headers: { authorization: 'Bearer any' },
    body: {
      model: 'gpt-4o',
      stream: true,
      stream_options: { include_usage: true },
      messages: [{ role: 'user', content: 'Hello' }],
    },
  },
  responses: {
    path: '/v1/responses',
    headers: { authorization: 'Bearer any' },
    body: { model: 'gpt-4o', stream: true, input: 'Hello' },
  },
  messages: {
    path: '/anthropic/v1/messages',
    headers: { 'x-api-key': 'any', 'anthropic-version': '2023-06-01' },
    body: {
      model: 'claude-opus-5-5',
      max_tokens: 500,
      stream: true,
      messages: [{ role: 'user', content: 'Hello' }],
    },
  },
  'generate-content': {
    path: '/google/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse&key=any',
    headers: {},
    body: { contents: [{ parts: [{ text: 'Hello' }] }] },
  },
} as const satisfies Record<string, Wire>

const families = Object.keys(wires) as (keyof typeof wires)[]

const send = (url: string, { path, headers, body }: Wire, signal?: AbortSignal) =>
  fetch(url + path, {
    ...{ method: 'POST', headers, body: JSON.stringify(body) },
    ...(signal !== undefined && { signal }),
  })

/** The text of a stream, and whether it ended as it should. */
const readAll = async (reply: Response): Promise<{ text: string; whole: boolean }> => {
  let text = ''
  const decoder = new TextDecoder()
  try {
    for await (const chunk of reply.body ?? []) text += decoder.decode(chunk, { stream: true })
    return { text, whole: true }
  } catch {
    return { text, whole: false }
  }
}

const eventsIn = (text: string): readonly string[] => text.split(/\r?\n\r?\n/).filter((each) => each !== '')
const usageEvents = (text: string): number =>
  eventsIn(text).filter((each) => /"usage(Metadata)?":\{/.test(each)).length

describe.each(families)('faults of %s', (endpoint) => {
  const wire = wires[endpoint]

  it('cut the stream after so many events, or inside one, and bill it whole', async () => {
    const { sandbox } = await openNow()
    sandbox.faults.add(
      { kind: 'cut', endpoint, chunks: 2 },
      { kind: 'cut', endpoint, chunks: 2, inside: true },
    )
    const first = await readAll(await send(sandbox.url, wire))
    expect(first.whole).toBe(false)
    expect(eventsIn(first.text.replace(/: cut\n$/, ''))).toHaveLength(2)
    const second = await readAll(await send(sandbox.url, wire))
    expect(second.whole).toBe(false)
    expect(eventsIn(second.text)).toHaveLength(3)
    expect(sandbox.total()).toMatchObject({ calls: 2, unpriced: [] })
  })

  it('leave usage out, and bill it all the same', async () => {
    const { sandbox } = await openNow()
    sandbox.faults.add({ kind: 'missing-usage', endpoint })
    const { text, whole } = await readAll(await send(sandbox.url, wire))
    expect(whole).toBe(true)
    expect(usageEvents(text)).toBe(0)
    expect(sandbox.total().calls).toBe(1)
    expect(usageEvents((await readAll(await send(sandbox.url, wire))).text)).toBeGreaterThan(0)
  })

  it('tell usage twice, and bill it once', async () => {
    const { sandbox } = await openNow()
    const usual = await readAll(await send(sandbox.url, wire))
    sandbox.faults.add({ kind: 'usage-twice', endpoint })
    const { text } = await readAll(await send(sandbox.url, wire))
    expect(usageEvents(text)).toBe(usageEvents(usual.text) + 1)
    expect(sandbox.total().calls).toBe(2)
  })

  it('send an event that is no JSON, and go on', async () => {
    const { sandbox } = await openNow()
    sandbox.faults.add({ kind: 'malformed-event', endpoint, chunks: 1 })
    const { text, whole } = await readAll(await send(sandbox.url, wire))
    expect(whole).toBe(true)
    expect(eventsIn(text)[1]).toBe('data: {"broken": ')
    expect(eventsIn(text).length).toBeGreaterThan(3)
  })

  it('send the first byte late', async () => {
    const { sandbox } = await openNow()
    sandbox.faults.add({ kind: 'slow', endpoint, delayMs: 60 })
    const began = performance.now()
    expect((await send(sandbox.url, wire)).status).toBe(200)
    expect(performance.now() - began).toBeGreaterThanOrEqual(55)
  })

  it('stream without an end until the client goes', async () => {
    const { sandbox } = await openNow({ outputTokens: 5 })
    const usual = eventsIn((await readAll(await send(sandbox.url, wire))).text).length
    sandbox.faults.add({ kind: 'endless', endpoint })
    const gone = new AbortController()
    const reply = await send(sandbox.url, wire, gone.signal)
    let text = ''
    const decoder = new TextDecoder()
    for await (const chunk of reply.body ?? []) {
      text += decoder.decode(chunk, { stream: true })
      if (eventsIn(text).length > usual + 20) break
    }
    gone.abort()
    expect(eventsIn(text).length).toBeGreaterThan(usual + 20)
    // The server is free for the next one.
    expect((await readAll(await send(sandbox.url, wire))).whole).toBe(true)
    expect(sandbox.total().calls).toBe(3)
  })

  it.each([429, 500])('answer %d in the vendor’s shape, without a bill', async (status) => {
    const { sandbox } = await openNow()
    sandbox.faults.add({ kind: 'status', endpoint, status, headers: { 'retry-after': '1' } })
    const reply = await send(sandbox.url, wire)
    expect([reply.status, reply.headers.get('retry-after')]).toEqual([status, '1'])
    expect(await reply.json()).toMatchObject({ error: { message: expect.any(String) } })
    expect(sandbox.total().calls).toBe(0)
  })
})

describe('faults of the vendors of today', () => {
  it('leave usage out of whole replies as well', async () => {
    const { sandbox, openai, anthropic } = await openNow()
    sandbox.faults.add({ kind: 'missing-usage', times: 2 })
    const chat = await openai.chat.completions.create({
      model: 'gpt-4o',
      messages: [{ role: 'user', content: 'Hello' }],
    })
    expect(chat.usage).toBeUndefined()
    const message = await anthropic.messages.create({
      model: 'claude-opus-5-5',
      max_tokens: 10,
      messages: [{ role: 'user', content: 'Hello' }],
    })
    expect(message.usage).toBeUndefined()
    expect(sandbox.total().calls).toBe(2)
  })

  it('say that Anthropic is overloaded', async () => {
    const { sandbox, anthropic } = await openNow()
    sandbox.faults.add({ kind: 'status', endpoint: 'messages', status: 529 })
    const refused = anthropic.messages.create({
      model: 'claude-opus-5-5',
      max_tokens: 10,
      messages: [{ role: 'user', content: 'Hello' }],
    })
    await expect(refused).rejects.toMatchObject({
      status: 529,
      error: { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } },
    })
  })

  it('are told apart by what a profile plays', async () => {
    await expect(openNow({ models: [] })).rejects.toMatchObject({ code: 'bad_input' })
    await expect(openNow({ limits: { files: [] } })).rejects.toMatchObject({ code: 'bad_input' })
  })
})
