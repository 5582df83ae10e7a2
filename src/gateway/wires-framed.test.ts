import type { ServerResponse } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { type Answer, json, startVendor } from '../../test/support/vendor.ts'
import { startWorld, type TestWorld } from '../../test/support/world.ts'
import { formatPicos } from '../money/money.ts'
import { writeFrame } from './framing/aws-frames.ts'

/** A busy machine takes long to count what a stream without usage came to. */
const patient = { timeout: 10_000 }

let world: TestWorld
let close = async (): Promise<void> => {}
afterEach(() => close())

const none = { name: null, organization: null, project: null, environment: null }

/** A gateway before a vendor that answers in one way, and how its stream is asked for. */
const atVendor = async (
  answer: Answer,
  { name, path, body, ...settings }: { name: string; path: string; body: object } & Record<string, unknown>,
  limits: readonly object[] = [],
) => {
  await close()
  const vendor = await startVendor(answer)
  const opened = await startWorld({
    at: '2026-09-01',
    config: {
      anonymous: true,
      providers: { [name]: { baseUrl: vendor.url, keyVariable: 'VENDOR_KEY', ...settings } },
      limits,
    },
  })
  world = opened
  close = async () => {
    close = async () => {}
    await opened.close()
  }
  const { secret } = await world.gateway.registry.createKey({ ...none, team: 'search' }, world.clock.now())
  const ask = (signal?: AbortSignal) =>
    fetch(`${world.gateway.url}/${name}${path}`, {
      method: 'POST',
      headers: { 'octroi-key': secret },
      body: JSON.stringify(body),
      ...(signal !== undefined && { signal }),
    })
  return { ask, asked: vendor.asked, vendorUrl: vendor.url + path }
}

/** Sends each part when it is told to; `cut` breaks the connection at the end. */
const inParts =
  (type: string, parts: readonly (string | Buffer)[], { cut = false } = {}): Answer =>
  (reply: ServerResponse) => {
    reply.writeHead(200, { 'content-type': type })
    for (const part of parts) reply.write(part)
    if (cut) setTimeout(() => reply.destroy(), 20)
    else reply.end()
  }

/** What came of a reply, and whether it ended. */
const readAll = async (reply: Response): Promise<{ readonly bytes: Buffer; readonly ended: boolean }> => {
  const parts: Uint8Array[] = []
  const reader = reply.body?.getReader()
  try {
    for (let next = await reader?.read(); next?.done === false; next = await reader?.read()) {
      parts.push(next.value)
    }
    return { bytes: Buffer.concat(parts), ended: true }
  } catch {
    return { bytes: Buffer.concat(parts), ended: false }
  }
}

const costs = () => world.till.map(({ cost, settlement }) => [formatPicos(cost), settlement.basis])

describe('streamGenerateContent as one array', () => {
  const path = '/v1beta/models/gemini-2.5-flash:streamGenerateContent'
  const google = {
    ...{ name: 'google', path },
    body: {
      contents: [{ role: 'user', parts: [{ text: 'How many moons has Mars?' }] }],
      generationConfig: { maxOutputTokens: 100 },
    },
  }
  const chunk = (text: string, more: object = {}) => ({
    candidates: [{ content: { role: 'model', parts: [{ text }] }, index: 0 }],
    usageMetadata: { promptTokenCount: 1000, cachedContentTokenCount: 400, candidatesTokenCount: 1 },
    modelVersion: 'gemini-2.5-flash',
    responseId: 'r_1',
    ...more,
  })
  const last = {
    candidates: [{ content: { role: 'model', parts: [{ text: ' "]}' }] }, finishReason: 'STOP', index: 0 }],
    usageMetadata: {
      ...{ promptTokenCount: 1000, cachedContentTokenCount: 400, candidatesTokenCount: 100 },
      ...{ thoughtsTokenCount: 200, totalTokenCount: 1300 },
    },
  }
  /** As Google writes it: indented, a line end between its elements. */
  const written = (chunks: readonly object[]): string =>
    `[${chunks.map((each) => JSON.stringify(each, null, 2)).join('\n,\r\n')}\n]\n`
  /** 600 fresh at $0.30, 400 cached at $0.03, 300 out at $2.50, each a million. */
  const price = '0.000942'

  it('comes as it is sent, unchanged, and costs what its last totals say', async () => {
    const whole = written([chunk('Two'), chunk('.'), last])
    const { ask, asked, vendorUrl } = await atVendor(
      inParts('application/json; charset=UTF-8', [whole]),
      google,
    )
    const got = await readAll(await ask())
    expect(got).toEqual({ bytes: Buffer.from(whole), ended: true })
    expect(await (await fetch(vendorUrl, { method: 'POST' })).text()).toBe(whole)
    expect(asked[0]?.url).toBe(path)
    expect(costs()).toEqual([[price, 'measured']])
  })

  it('reaches the client element by element, before the vendor is done', async () => {
    let goOn = (): void => {}
    const { ask } = await atVendor((reply) => {
      reply.writeHead(200, { 'content-type': 'application/json' })
      reply.write(`[${JSON.stringify(chunk('Two'))}`)
      goOn = () => reply.end(`,${JSON.stringify(last)}]`)
    }, google)
    const reader = (await ask()).body?.getReader()
    const first = await reader?.read()
    expect(Buffer.from(first?.value ?? []).toString()).toBe(`[${JSON.stringify(chunk('Two'))}`)
    expect(world.till).toEqual([])
    goOn()
    for (let next = await reader?.read(); next?.done === false; ) next = await reader?.read()
    expect(costs()).toEqual([[price, 'measured']])
  })

  it('costs the same at every place at which its parts can begin', async () => {
    const whole = Buffer.from(written([chunk('Two'), last]))
    let at = 0
    const { ask } = await atVendor((reply) => {
      reply.writeHead(200, { 'content-type': 'application/json' })
      reply.write(whole.subarray(0, at))
      setImmediate(() => reply.end(whole.subarray(at)))
    }, google)
    for (at = 1; at < whole.length; at += 97) {
      expect((await readAll(await ask())).bytes.equals(whole)).toBe(true)
    }
    expect(new Set(costs().map(String))).toEqual(new Set([`${price},measured`]))
  })

  it.each([
    ['inside of an element', `[${JSON.stringify(chunk('Two'))},{"candidates":[{"con`, true],
    ['between two elements', `[${JSON.stringify(chunk('Two'))}\n,`, false],
    ['before its last bracket', `[${JSON.stringify(chunk('Two'))},${JSON.stringify(last)}`, false],
    ['with its last bracket, but no reason why it finished', written([chunk('Two')]), false],
  ])('never ends cleanly where it is cut %s', async (_, sent, cut) => {
    const { ask } = await atVendor(inParts('application/json', [sent], { cut }), google)
    const got = await readAll(await ask())
    expect(got.ended).toBe(false)
    expect(() => JSON.parse(got.bytes.toString())).toThrow()
    // What came is a beginning of an array, to which the fault is one more element.
    const elements = JSON.parse(`${got.bytes}]`) as { error?: { octroi?: { code?: string } } }[]
    expect(elements.at(-1)?.error?.octroi?.code).toBe('upstream_broken')
    await expect.poll(() => world.till.length, patient).toBe(1)
  })

  it('is booked as an estimate where it is cut, and whole where its client has gone', async () => {
    const parts = [`[${JSON.stringify(chunk('Two'))}`, ',{"cand']
    const { ask } = await atVendor(inParts('application/json', parts, { cut: true }), google)
    await readAll(await ask())
    await expect.poll(() => costs().map(([, basis]) => basis), patient).toEqual(['estimated'])

    let goOn = (): void => {}
    const other = await atVendor((reply) => {
      reply.writeHead(200, { 'content-type': 'application/json' })
      reply.write(`[${JSON.stringify(chunk('Two'))}`)
      goOn = () => reply.end(`,${JSON.stringify(last)}]`)
    }, google)
    const leaving = new AbortController()
    await (await other.ask(leaving.signal)).body?.getReader().read()
    leaving.abort()
    goOn()
    await expect.poll(costs, patient).toEqual([[price, 'measured']])
  })

  it('may be one object, as a server that does not stream answers', async () => {
    const { ask } = await atVendor(json({ ...chunk('Two'), ...last }), google)
    expect(await (await ask()).json()).toMatchObject({ responseId: 'r_1' })
    expect(costs()).toEqual([[price, 'measured']])
  })

  it('is refused as before where the vendor refuses', async () => {
    const error = [{ error: { code: 400, message: 'no', status: 'INVALID_ARGUMENT' } }]
    const { ask } = await atVendor(json(error, 400), google)
    const reply = await ask()
    expect([reply.status, await reply.json()]).toEqual([400, error])
    expect(costs()).toEqual([['0', 'measured']])
  })
})

describe("Bedrock's converse-stream", () => {
  const model = 'us.anthropic.claude-sonnet-5-v1:0'
  const bedrock = {
    ...{ name: 'bedrock', path: `/model/${model}/converse-stream` },
    ...{ pricesFrom: 'anthropic', models: { [model]: 'claude-sonnet-5' } },
    body: {
      messages: [{ role: 'user', content: [{ text: 'How many moons has Mars?' }] }],
      inferenceConfig: { maxTokens: 1000 },
    },
  }
  const type = 'application/vnd.amazon.eventstream'
  const frame = (name: string, payload: object, kind = 'event'): Buffer =>
    writeFrame(
      { [`:${kind}-type`]: name, ':content-type': 'application/json', ':message-type': kind },
      JSON.stringify(payload),
    )
  const delta = (text: string) =>
    frame('contentBlockDelta', { contentBlockIndex: 0, delta: { text }, p: 'abcdef' })
  const usage = { inputTokens: 1000, cacheReadInputTokens: 2000, outputTokens: 100, totalTokens: 3100 }
  const begun = [frame('messageStart', { role: 'assistant' }), delta('Tw'), delta('o.')]
  const whole = [
    ...begun,
    frame('contentBlockStop', { contentBlockIndex: 0 }),
    frame('messageStop', { stopReason: 'end_turn' }),
    frame('metadata', { usage, metrics: { latencyMs: 900 } }),
  ]
  /** 1,000 at $2, 2,000 cached at $0.20, 100 out at $10, each a million. */
  const price = '0.0034'

  it('is passed unchanged, and costs what its last frame says', async () => {
    const { ask, asked } = await atVendor(inParts(type, whole), bedrock)
    const reply = await ask()
    // Each byte of the body a token at $2, and 1,000 out at $10, each a million.
    const quoted = (JSON.stringify(bedrock.body).length * 2 + 10_000) / 1e6
    expect(Number(reply.headers.get('octroi-quote-usd'))).toBeCloseTo(quoted, 12)
    expect(reply.headers.get('content-type')).toBe(type)
    expect(await readAll(reply)).toEqual({ bytes: Buffer.concat(whole), ended: true })
    expect(costs()).toEqual([[price, 'measured']])
    expect(world.till[0]?.call.model).toBe('claude-sonnet-5')
    expect([asked[0]?.url, asked[0]?.headers.authorization, asked[0]?.body]).toEqual([
      ...[bedrock.path, 'Bearer sk-vendor', JSON.stringify(bedrock.body)],
    ])
  })

  it('costs the same wherever its bytes are parted', async () => {
    const bytes = Buffer.concat(whole)
    const parts = Array.from({ length: Math.ceil(bytes.length / 7) }, (_, at) =>
      bytes.subarray(at * 7, at * 7 + 7),
    )
    const { ask } = await atVendor(inParts(type, parts), bedrock)
    expect((await readAll(await ask())).bytes.equals(bytes)).toBe(true)
    expect(costs()).toEqual([[price, 'measured']])
  })

  const exception = frame('throttlingException', { message: 'slow down' }, 'exception')
  const changed = Buffer.from(delta('no'))
  changed[changed.length - 6] = 0x21
  const hostile = Buffer.alloc(12, 0xff)
  it.each([
    ['cut between two frames', begun, false],
    ['cut inside of one', [...begun, delta('no').subarray(0, 30)], true],
    ['an exception of the vendor', [...begun, exception], false],
    ['a frame that was changed', [...begun, changed, ...whole.slice(3)], false],
    ['a length that cannot be', [...begun, hostile], false],
  ])('never ends cleanly, and is booked as an estimate: %s', async (_, parts, cut) => {
    const { ask } = await atVendor(inParts(type, parts, { cut }), bedrock)
    const got = await readAll(await ask())
    expect(got.ended).toBe(false)
    expect(got.bytes.subarray(0, Buffer.concat(begun).length).equals(Buffer.concat(begun))).toBe(true)
    expect(got.bytes.includes('internalServerException')).toBe(true)
    expect(got.bytes.includes('metadata')).toBe(false)
    await expect.poll(() => costs().map(([, basis]) => basis), patient).toEqual(['estimated'])
    const [input, output] = world.till[0]?.settlement.charges.map(({ quantity }) => Number(quantity)) ?? []
    expect(input).toBeGreaterThan(8)
    expect(input).toBeLessThan(20)
    expect(output).toBe(3)
  })

  it('is ended where it has used up a limit', async () => {
    const limits = [{ name: 'month', measure: 'cost', cap: '0.0105', window: { calendar: 'month' } }]
    const long = Array.from({ length: 1_500 }, () => delta('x'))
    const { ask } = await atVendor(inParts(type, [...begun, ...long, ...whole.slice(3)]), bedrock, limits)
    const got = await readAll(await ask())
    expect([got.ended, got.bytes.includes('ended at a limit')]).toEqual([false, true])
    await expect.poll(() => world.till.length, patient).toBe(1)
  })

  it('is one attempt where a budget refuses it, in the shape of the vendor', async () => {
    const limits = [{ name: 'month', measure: 'cost', cap: '0.005', window: { calendar: 'month' } }]
    const { ask, asked } = await atVendor(inParts(type, whole), bedrock, limits)
    const reply = await ask()
    expect([reply.status, reply.headers.get('x-amzn-errortype')]).toEqual([
      402,
      'ServiceQuotaExceededException',
    ])
    expect(asked).toEqual([])
  })
})

describe('Claude in Vertex AI', () => {
  const place = '/v1/projects/p-1/locations/global/publishers/anthropic/models'
  const vertex = {
    ...{ name: 'vertex', pricesFrom: 'anthropic' },
    body: {
      ...{ anthropic_version: 'vertex-2023-10-16', max_tokens: 1000 },
      messages: [{ role: 'user', content: 'How many moons has Mars?' }],
    },
  }
  const usage = { input_tokens: 1000, cache_read_input_tokens: 2000, output_tokens: 100 }
  const message = {
    ...{ id: 'msg_vrtx_1', type: 'message', role: 'assistant', model: 'claude-haiku-4-5-20251001' },
    ...{ content: [{ type: 'text', text: 'Two.' }], stop_reason: 'end_turn', usage },
  }
  /** 1,000 at $1, 2,000 cached at $0.10, 100 out at $5, each a million. */
  const price = '0.0017'

  it('is asked with its model in the path, in the name of Vertex, escaped or not', async () => {
    for (const name of ['claude-haiku-4-5@20251001', 'claude-haiku-4-5%4020251001']) {
      const path = `${place}/${name}:rawPredict`
      const { ask, asked } = await atVendor(json(message), { ...vertex, path })
      const reply = await ask()
      const quoted = (JSON.stringify(vertex.body).length + 5_000) / 1e6
      expect(Number(reply.headers.get('octroi-quote-usd'))).toBeCloseTo(quoted, 12)
      expect(await reply.json()).toEqual(message)
      expect([asked[0]?.url, asked[0]?.headers.authorization, asked[0]?.body]).toEqual([
        ...[path, 'Bearer sk-vendor', JSON.stringify(vertex.body)],
      ])
      expect(costs()).toEqual([[price, 'measured']])
      expect(world.till[0]?.call).toMatchObject({
        ...{ model: 'claude-haiku-4-5-20251001', endpoint: 'messages', provider: 'vertex' },
      })
    }
  })

  it('costs the same in a stream, whether its body asks for one or its path alone', async () => {
    const events = [
      ['message_start', { message: { ...message, content: [], usage: { ...usage, output_tokens: 1 } } }],
      ['content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'Two.' } }],
      ['message_delta', { delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 100 } }],
      ['message_stop', {}],
    ].map(([type, data]) => `event: ${type}\ndata: ${JSON.stringify({ type, ...Object(data) })}\n\n`)
    for (const more of [{ stream: true }, {}]) {
      const path = `${place}/claude-haiku-4-5@20251001:streamRawPredict`
      const body = { ...vertex.body, ...more }
      const { ask } = await atVendor(inParts('text/event-stream', events), { ...vertex, path, body })
      expect(await readAll(await ask())).toEqual({ bytes: Buffer.from(events.join('')), ended: true })
      expect(costs()).toEqual([[price, 'measured']])
    }
  })

  it('is counted where its reply says no usage, and refused in the shape of its wire', async () => {
    const path = `${place}/claude-haiku-4-5@20251001:rawPredict`
    const counted = await atVendor(json({ ...message, usage: undefined }), { ...vertex, path })
    await counted.ask()
    expect(costs()[0]?.[1]).toBe('estimated')
    const limits = [{ name: 'month', measure: 'cost', cap: '0.001', window: { calendar: 'month' } }]
    const refused = await atVendor(json(message), { ...vertex, path }, limits)
    const reply = await refused.ask()
    expect([reply.status, await reply.json()]).toMatchObject([402, { error: { type: 'billing_error' } }])
  })

  it('counts tokens for nothing', async () => {
    const path = `${place}/count-tokens:rawPredict`
    const { ask, asked } = await atVendor(json({ input_tokens: 14 }), { ...vertex, path })
    expect(await (await ask()).json()).toEqual({ input_tokens: 14 })
    expect([asked.length, world.till]).toEqual([1, []])
  })

  it('is no other action of the same publisher', async () => {
    const path = `${place}/claude-haiku-4-5@20251001:predict`
    const { ask, asked } = await atVendor(json(message), { ...vertex, path })
    expect([(await ask()).status, asked]).toEqual([404, []])
  })
})
