import { ApiError, GoogleGenAI } from '@google/genai'
import { afterEach, describe, expect, it } from 'vitest'
import { type Answer, json, startVendor, stream } from '../../test/support/vendor.ts'
import { startWorld, type TestWorld } from '../../test/support/world.ts'
import { formatPicos } from '../money/money.ts'

let world: TestWorld
afterEach(async () => {
  await world.close()
})

const none = { name: null, organization: null, project: null, environment: null }

/** A gateway before a Google that answers in one way, and the official SDK with a key of a team. */
const atGoogle = async (answer: Answer, more: { limits?: readonly object[]; name?: string } = {}) => {
  const vendor = await startVendor(answer)
  const { name = 'google', limits = [] } = more
  world = await startWorld({
    at: '2026-03-01',
    config: {
      anonymous: true,
      providers: { [name]: { baseUrl: vendor.url, keyVariable: 'VENDOR_KEY', pricesFrom: 'google' } },
      limits,
    },
  })
  const { secret } = await world.gateway.registry.createKey({ ...none, team: 'search' }, world.clock.now())
  const baseUrl = `${world.gateway.url}/${name}`
  return {
    ai: new GoogleGenAI({ apiKey: secret, vertexai: false, httpOptions: { baseUrl } }),
    ...{ secret, baseUrl, asked: vendor.asked },
  }
}

const usageMetadata = {
  promptTokenCount: 1000,
  cachedContentTokenCount: 400,
  candidatesTokenCount: 100,
  thoughtsTokenCount: 200,
  totalTokenCount: 1300,
}

const reply = (more: object = {}) => ({
  candidates: [{ content: { role: 'model', parts: [{ text: 'Two.' }] }, finishReason: 'STOP', index: 0 }],
  usageMetadata,
  modelVersion: 'gemini-2.5-flash',
  responseId: 'r_1',
  ...more,
})

const begun = (text: string) => ({
  candidates: [{ content: { role: 'model', parts: [{ text }] }, index: 0 }],
  usageMetadata: { promptTokenCount: 1000, cachedContentTokenCount: 400, candidatesTokenCount: 1 },
  modelVersion: 'gemini-2.5-flash',
  responseId: 'r_1',
})

const event = (data: object): string => `data: ${JSON.stringify(data)}\r\n\r\n`

const asking = { model: 'gemini-2.5-flash', contents: 'How many moons has Mars?' }

/** 600 fresh at $0.30, 400 cached at $0.03, 300 out at $2.50, each a million. */
const price = '0.000942'

const costs = () => world.till.map(({ cost, settlement }) => [formatPicos(cost), settlement.basis])

const refusal = async (asked: Promise<unknown>): Promise<ApiError> => {
  const error = await asked.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  if (error instanceof ApiError) return error
  throw new Error(`expected an API error, got ${String(error)}`)
}

const textOf = async (chunks: AsyncIterable<{ text: string | undefined }>): Promise<string> => {
  let text = ''
  for await (const chunk of chunks) text += chunk.text ?? ''
  return text
}

describe('generateContent through the gateway', () => {
  it('costs what its usage says; model and action stay in the path', async () => {
    const { ai, asked } = await atGoogle(json(reply()))
    expect((await ai.models.generateContent(asking)).text).toBe('Two.')
    expect(costs()).toEqual([[price, 'measured']])
    expect(asked.map(({ url, headers }) => [url, headers['x-goog-api-key']])).toEqual([
      ['/v1/models/gemini-2.5-flash:generateContent', 'sk-vendor'],
    ])
    expect(world.till[0]?.call).toMatchObject({ model: 'gemini-2.5-flash', endpoint: 'generate-content' })
  })

  it('costs the same in a stream, whose last totals count', async () => {
    const { ai, asked } = await atGoogle(stream([event(begun('Tw')), event(begun('o')), event(reply())]))
    expect(await textOf(await ai.models.generateContentStream(asking))).toBe('TwoTwo.')
    expect(costs()).toEqual([[price, 'measured']])
    expect(asked[0]?.url).toBe('/v1/models/gemini-2.5-flash:streamGenerateContent?alt=sse')
  })

  it('costs the same in a stream that is one array', async () => {
    const { baseUrl, secret } = await atGoogle(json([begun('Two'), reply()]))
    const whole = await fetch(`${baseUrl}/v1beta/models/gemini-2.5-flash:streamGenerateContent`, {
      method: 'POST',
      headers: { 'x-goog-api-key': secret },
      body: JSON.stringify({ contents: [{ parts: [{ text: 'Hello' }] }] }),
    })
    expect(await whole.json()).toHaveLength(2)
    expect(costs()).toEqual([[price, 'measured']])
  })

  it('is quoted by its limit, thoughts included, for each candidate', async () => {
    const { baseUrl, secret } = await atGoogle(json(reply()))
    const body = JSON.stringify({
      contents: [{ parts: [{ text: 'Hello' }] }],
      generationConfig: { maxOutputTokens: 1000, candidateCount: 2 },
    })
    const { headers } = await fetch(`${baseUrl}/v1/models/gemini-2.5-flash:generateContent`, {
      ...{ method: 'POST', headers: { 'x-goog-api-key': secret }, body },
    })
    const quoted = (body.length * 0.3 + 2000 * 2.5) / 1e6
    expect(Number(headers.get('octroi-quote-usd'))).toBeCloseTo(quoted, 12)
  })

  it('is counted where the reply says no usage', async () => {
    const { ai } = await atGoogle(json(reply({ usageMetadata: undefined })))
    await ai.models.generateContent(asking)
    const [line] = world.till
    expect(line?.settlement.basis).toBe('estimated')
    expect(line?.settlement.note).toContain('google/gemini')
    const [input, output] = line?.settlement.charges.map(({ quantity }) => Number(quantity)) ?? []
    expect(input).toBeGreaterThan(5)
    expect(input).toBeLessThan(16)
    expect(output).toBeGreaterThan(1)
    expect(output).toBeLessThan(5)
  })

  it('counts tokens for nothing, and passes errors of the vendor', async () => {
    const { ai } = await atGoogle(json({ totalTokens: 7 }))
    expect((await ai.models.countTokens(asking)).totalTokens).toBe(7)
    expect(world.till).toEqual([])
  })

  it('passes errors of the vendor, which cost nothing', async () => {
    const { ai } = await atGoogle(
      json({ error: { code: 400, message: 'no', status: 'INVALID_ARGUMENT' } }, 400),
    )
    expect((await refusal(ai.models.generateContent(asking))).message).toContain('INVALID_ARGUMENT')
    expect(costs()).toEqual([['0', 'measured']])
  })
})

describe('a stream of contents that does not come to its end', () => {
  it('never ends cleanly when it breaks inside an event, and is booked as an estimate', async () => {
    const { ai } = await atGoogle(stream([event(begun('Two')), 'data: {"candidates":[{"con'], { cut: true }))
    const read = textOf(await ai.models.generateContentStream(asking))
    await expect(read).rejects.toThrow()
    expect(world.till[0]?.settlement.basis).toBe('estimated')
  })

  it('never ends cleanly while a candidate has no finish reason', async () => {
    const { ai } = await atGoogle(stream([event(reply())]))
    const read = ai.models.generateContentStream({ ...asking, config: { candidateCount: 2 } })
    expect((await refusal(read.then(textOf))).message).toContain('upstream_broken')
    expect(world.till[0]?.settlement.basis).toBe('estimated')
  })

  it('ends cleanly where the prompt was blocked', async () => {
    const blocked = { promptFeedback: { blockReason: 'SAFETY' }, usageMetadata: { promptTokenCount: 8 } }
    const { ai } = await atGoogle(stream([event(blocked)]))
    expect(await textOf(await ai.models.generateContentStream(asking))).toBe('')
    expect(costs()).toEqual([['0.0000024', 'measured']])
  })
})

describe('what the gateway refuses of contents', () => {
  const limits = [{ name: 'month', measure: 'cost', cap: '0.005', window: { calendar: 'month' } }]

  it('by a budget is one attempt, in the shape of the vendor, even of a client that repeats', async () => {
    const { secret, baseUrl, asked } = await atGoogle(json(reply()), { limits })
    const httpOptions = { baseUrl, retryOptions: { attempts: 3 } }
    const ai = new GoogleGenAI({ apiKey: secret, vertexai: false, httpOptions })
    const { status, message } = await refusal(ai.models.generateContent(asking))
    expect(status).toBe(402)
    expect(JSON.parse(message)).toMatchObject({
      error: { code: 402, status: 'RESOURCE_EXHAUSTED', octroi: { code: 'budget_exceeded' } },
    })
    expect(message).toContain('quota exceeded')
    expect(asked).toEqual([])
  })

  it('is a search, which nothing bounds, and a cache of unknown size is bounded by the window', async () => {
    const cap = [{ ...limits[0], cap: '100' }]
    const { ai } = await atGoogle(json(reply()), { limits: cap })
    const searching = ai.models.generateContent({ ...asking, config: { tools: [{ googleSearch: {} }] } })
    expect((await refusal(searching)).message).toContain('the tool googleSearch has no limit to its uses')
    await ai.models.generateContent({ ...asking, config: { cachedContent: 'cachedContents/1' } })
    expect(costs()).toEqual([[price, 'measured']])
  })

  it('is an unknown path or version', async () => {
    const { baseUrl } = await atGoogle(json({}))
    for (const path of [
      'v1beta/models/gemini-2.5-flash:train',
      'v7/models/gemini-2.5-flash:generateContent',
    ]) {
      const answer = await fetch(`${baseUrl}/${path}`, { method: 'POST' })
      expect(answer.status).toBe(404)
      expect(await answer.json()).toMatchObject({ error: { code: 404, status: 'NOT_FOUND' } })
    }
  })
})

describe('a key in the query', () => {
  const path = 'v1beta/models/gemini-2.5-flash:generateContent'
  const body = JSON.stringify({ contents: [{ parts: [{ text: 'Hello' }] }] })

  it('of Octroi is taken out and never passed on', async () => {
    const { baseUrl, secret, asked } = await atGoogle(json(reply()))
    const answer = await fetch(`${baseUrl}/${path}?alt=json&key=${secret}`, { method: 'POST', body })
    expect(answer.status).toBe(200)
    expect(asked[0]?.url).toBe(`/${path}?alt=json`)
    expect(asked[0]?.headers['x-goog-api-key']).toBe('sk-vendor')
    expect(JSON.stringify(asked)).not.toContain(secret)
    expect(world.till[0]?.call.team).toBe('search')
  })

  it("of the client's own goes on in the header", async () => {
    const { baseUrl, secret, asked } = await atGoogle(json(reply()))
    const headers = { 'octroi-key': secret }
    await fetch(`${baseUrl}/${path}?key=AIza-own`, { method: 'POST', body, headers })
    expect(asked[0]?.url).toBe(`/${path}`)
    expect(asked[0]?.headers['x-goog-api-key']).toBe('AIza-own')
  })
})

describe('Gemini in Vertex AI', () => {
  it('is the same wire below a project and a place, with a bearer token', async () => {
    const { baseUrl, secret, asked } = await atGoogle(json(reply()), { name: 'vertex' })
    const path =
      'v1/projects/p-1/locations/europe-west4/publishers/google/models/gemini-2.5-flash:generateContent'
    const answer = await fetch(`${baseUrl}/${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secret}` },
      body: JSON.stringify({ contents: [{ parts: [{ text: 'Hello' }] }], labels: { feature: 'moons' } }),
    })
    expect(answer.status).toBe(200)
    expect(asked.map(({ url, headers }) => [url, headers['authorization']])).toEqual([
      [`/${path}`, 'Bearer sk-vendor'],
    ])
    expect(costs()).toEqual([[price, 'measured']])
    expect(world.till[0]?.call.tags).toEqual({ feature: 'moons' })
  })
})
