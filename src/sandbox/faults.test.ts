import OpenAI from 'openai'
import { describe, expect, it } from 'vitest'
import { type Fault, parseFault } from './faults.ts'
import { openSandbox } from './sandbox.fixture.ts'

const ask = { model: 'gpt-4', messages: [{ role: 'user' as const, content: 'Hello' }] }

const outcome = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'a reply',
    (error: unknown) => error,
  )

const stream = async (client: OpenAI): Promise<number> => {
  let chunks = 0
  for await (const _ of await client.chat.completions.create({ ...ask, stream: true })) chunks += 1
  return chunks
}

describe('a fault', () => {
  it('answers a status in the shape of the vendor, as often as it says, and bills nothing', async () => {
    const { sandbox, client } = await openSandbox()
    sandbox.faults.add(
      { kind: 'status', status: 429, headers: { 'retry-after-ms': '20' } },
      { kind: 'status', status: 429, code: 'insufficient_quota' },
      { kind: 'status', status: 500, times: 2 },
    )
    const call = () => outcome(client.chat.completions.create(ask))
    expect(await call()).toMatchObject({ status: 429, code: 'rate_limit_exceeded', type: 'requests' })
    expect(await call()).toMatchObject({ status: 429, code: 'insufficient_quota' })
    expect(await call()).toBeInstanceOf(OpenAI.InternalServerError)
    expect(await call()).toMatchObject({ status: 500, type: 'server_error' })
    expect(sandbox.calls()).toEqual([])
    expect(await call()).toBe('a reply')
    expect(sandbox.calls()).toHaveLength(1)
  })

  it.each([{ inside: false }, { inside: true }])(
    'cuts a stream, %o, and bills it whole',
    async ({ inside }) => {
      const { sandbox, client } = await openSandbox({ outputTokens: 40 })
      sandbox.faults.add({ kind: 'cut', chunks: 5, inside })
      expect(await outcome(stream(client))).toBeInstanceOf(Error)
      expect(sandbox.books().map(({ quantity }) => quantity)).toEqual([8, 40])
      expect(await stream(client)).toBe(42)
    },
  )

  it('cuts a whole reply in its middle, and bills it', async () => {
    const { sandbox, client } = await openSandbox()
    sandbox.faults.add({ kind: 'cut' })
    expect(await outcome(client.chat.completions.create(ask))).toBeInstanceOf(Error)
    expect(sandbox.calls()).toHaveLength(1)
  })

  it('resets the connection before the reply, and bills it only when told', async () => {
    const { sandbox, client } = await openSandbox()
    sandbox.faults.add({ kind: 'reset-before-reply' }, { kind: 'reset-before-reply', billed: true })
    expect(await outcome(client.chat.completions.create(ask))).toBeInstanceOf(OpenAI.APIConnectionError)
    expect(sandbox.calls()).toHaveLength(0)
    expect(await outcome(client.chat.completions.create(ask))).toBeInstanceOf(OpenAI.APIConnectionError)
    expect(sandbox.calls()).toHaveLength(1)
  })

  it('answers the page of a proxy', async () => {
    const { sandbox } = await openSandbox()
    sandbox.faults.add({ kind: 'html' })
    const reply = await fetch(`${sandbox.baseUrl}/models`, { headers: { authorization: 'Bearer k' } })
    expect([reply.status, reply.headers.get('content-type')]).toEqual([502, 'text/html'])
    expect(await reply.text()).toContain('<html>')
  })

  it('answers late, or never', async () => {
    const { sandbox, client } = await openSandbox()
    sandbox.faults.add({ kind: 'slow', delayMs: 60 })
    const began = performance.now()
    await client.chat.completions.create(ask)
    expect(performance.now() - began).toBeGreaterThanOrEqual(55)
    sandbox.faults.add({ kind: 'hang' })
    expect(await outcome(client.chat.completions.create(ask, { timeout: 80 }))).toBeInstanceOf(
      OpenAI.APIConnectionTimeoutError,
    )
    expect(sandbox.calls()).toHaveLength(1)
  })

  it('strikes only what it is aimed at', async () => {
    const { sandbox, client } = await openSandbox()
    sandbox.faults.add({ kind: 'status', status: 503, endpoint: 'chat-completions', model: 'gpt-4-32k' })
    expect(await outcome(client.models.list())).toBe('a reply')
    expect(await outcome(client.chat.completions.create(ask))).toBe('a reply')
    expect(await outcome(client.chat.completions.create({ ...ask, model: 'gpt-4-32k' }))).toMatchObject({
      status: 503,
    })
    expect(sandbox.faults.list()).toEqual([])
  })

  it('can be told and cleared over HTTP', async () => {
    const { sandbox, client } = await openSandbox()
    const url = `${sandbox.url}/sandbox/faults`
    const told = await fetch(url, { method: 'POST', body: '[{"kind": "hang"}, {"kind": "cut", "times": 3}]' })
    expect(await told.json()).toEqual({
      faults: [
        { kind: 'hang', times: 1 },
        { kind: 'cut', times: 3 },
      ],
    })
    await fetch(url, { method: 'DELETE' })
    expect(await outcome(client.chat.completions.create(ask))).toBe('a reply')
    const broken = await fetch(url, { method: 'POST', body: '{"kind": ' })
    expect([broken.status, await broken.json()]).toMatchObject([400, { error: { code: 'bad_json' } }])
  })

  const bad: readonly [unknown, string][] = [
    [null, 'a fault" of a fault must be an object'],
    [{ kind: 'flood' }, '"kind" of a fault must be one of status, cut, slow'],
    [{ kind: 'toString' }, '"kind" of a fault must be one of'],
    [{ kind: 'status' }, '"status" of a fault must be a whole number from 400 to 599'],
    [{ kind: 'status', status: 200 }, 'from 400 to 599'],
    [{ kind: 'status', status: 500, headers: { 'content-length': '1' } }, 'header names'],
    [{ kind: 'slow', delayMs: -1 }, '"delayMs" of a fault must be a whole number from 0'],
    [{ kind: 'hang', chunks: 3 }, '"chunks" of a fault must be left out'],
    [{ kind: 'hang', endpoint: 'pictures' }, '"endpoint" of a fault must be one of chat-completions'],
    [{ kind: 'hang', times: 0 }, '"times" of a fault must be a whole number from 1'],
  ]
  it.each(bad)('is refused when it is %j', (value, message) => {
    expect(() => parseFault(value)).toThrow(message)
  })

  it('waits with at most 999 others', async () => {
    const { sandbox } = await openSandbox()
    sandbox.faults.add(...Array.from({ length: 1000 }, (): Fault => ({ kind: 'hang' })))
    expect(() => sandbox.faults.add({ kind: 'hang' })).toThrow('At most 1000 faults')
  })
})
