import { describe, expect, it } from 'vitest'
import { textOfTokens } from '../replies.ts'
import { openNow } from './vendors.fixture.ts'

describe('generateContent', () => {
  it('bills what it reports: thoughts are outside the candidates', async () => {
    const { sandbox, google } = await openNow({ outputTokens: 100 })
    const { usageMetadata: usage } = await google.models.generateContent({
      model: 'gemini-2.5-pro',
      contents: 'Hello',
    })
    const { candidatesTokenCount: said = 0, thoughtsTokenCount: thought = 0 } = usage ?? {}
    expect(thought).toBeGreaterThan(0)
    expect(usage).toMatchObject({
      promptTokenCount: 2,
      totalTokenCount: 2 + said + thought,
      promptTokensDetails: [{ modality: 'TEXT', tokenCount: 2 }],
    })
    expect(sandbox.books().map(({ meter, quantity }) => [meter, quantity])).toEqual([
      ['input_text_tokens', 2],
      ['output_reasoning_tokens', thought],
      ['output_text_tokens', said],
    ])
    // 1.25 and 10 dollars a million.
    expect(Number(sandbox.total().amount)).toBeCloseTo(2 * 1.25e-6 + (said + thought) * 10e-6, 12)
  })

  it('streams the same reply, with the totals so far in every chunk', async () => {
    const { google } = await openNow()
    const request = { model: 'gemini-3.8-flash', contents: 'Hello' }
    const whole = await google.models.generateContent(request)
    let text = ''
    const counts: number[] = []
    let last: unknown = null
    for await (const chunk of await google.models.generateContentStream(request)) {
      text += chunk.text ?? ''
      counts.push(chunk.usageMetadata?.candidatesTokenCount ?? 0)
      last = chunk.usageMetadata
    }
    expect(text).toBe(whole.text)
    expect(last).toEqual(whole.usageMetadata)
    expect(counts).toEqual([...counts].sort((a, b) => a - b))
  })

  it('streams an array where no events are asked for', async () => {
    const { sandbox } = await openNow()
    const reply = await fetch(
      `${sandbox.url}/google/v1beta/models/gemini-3.8-flash:streamGenerateContent?key=any`,
      { method: 'POST', body: JSON.stringify({ contents: [{ parts: [{ text: 'Hello' }] }] }) },
    )
    const chunks = (await reply.json()) as { usageMetadata: object }[]
    expect(reply.headers.get('content-type')).toBe('application/json; charset=UTF-8')
    expect(chunks.at(-1)).toMatchObject({ candidates: [{ finishReason: 'STOP' }] })
  })

  it('calls the function that the content names, and answers its result', async () => {
    const { google } = await openNow()
    const config = {
      tools: [{ functionDeclarations: [{ name: 'weather', parametersJsonSchema: { type: 'object' } }] }],
    }
    const contents = [{ role: 'user', parts: [{ text: '[call weather {"city": "Paris"}]' }] }]
    const reply = await google.models.generateContent({ model: 'gemini-2.5-flash', contents, config })
    expect(reply.functionCalls).toEqual([{ name: 'weather', args: { city: 'Paris' } }])
    const after = await google.models.generateContent({
      model: 'gemini-2.5-flash',
      config,
      contents: [
        ...contents,
        { role: 'model', parts: [{ functionCall: { name: 'weather', args: { city: 'Paris' } } }] },
        { role: 'user', parts: [{ functionResponse: { name: 'weather', response: { celsius: 20 } } }] },
      ],
    })
    expect(after.functionCalls).toBeUndefined()
    expect(after.text?.length).toBeGreaterThan(0)
  })

  it('writes JSON that fits the schema, whose types may be in capitals', async () => {
    const { google } = await openNow()
    const schema = { type: 'OBJECT', properties: { unit: { type: 'STRING', enum: ['celsius'] } } }
    const reply = await google.models.generateContent({
      model: 'gemini-2.5-flash',
      contents: 'Hello',
      config: { responseMimeType: 'application/json', responseSchema: schema as never },
    })
    expect(JSON.parse(reply.text ?? '')).toEqual({ unit: 'celsius' })
  })

  it('reads what it has seen from its cache', async () => {
    const { sandbox, google, clock } = await openNow({ outputTokens: 10 })
    const ask = async () => {
      const { usageMetadata } = await google.models.generateContent({
        model: 'gemini-2.5-pro',
        contents: [{ role: 'user', parts: [{ text: textOfTokens(2000, 'long') }] }],
      })
      return [usageMetadata?.promptTokenCount, usageMetadata?.cachedContentTokenCount]
    }
    // 2,000 x 1.08
    expect(await ask()).toEqual([2160, undefined])
    clock.advance(4 * 60_000)
    expect(await ask()).toEqual([2160, 2160])
    clock.advance(6 * 60_000)
    expect(await ask()).toEqual([2160, undefined])
    const cached = sandbox.books().find(({ meter }) => meter === 'cached_input_tokens')
    // 0.125 dollars a million.
    expect(cached).toMatchObject({ quantity: 2160, amount: '0.00027' })
  })

  it('moves a prompt above 200,000 tokens to the long card', async () => {
    const { sandbox, google } = await openNow({ outputTokens: 10 })
    await google.models.generateContent({ model: 'gemini-2.5-pro', contents: textOfTokens(190_000, 'long') })
    // 190,000 x 1.08 at 2.5 dollars a million.
    const [input] = sandbox.books()
    expect(input).toMatchObject({ attributes: { context: 'long' }, quantity: 205_200, amount: '0.513' })
  })

  it('thinks nothing with a budget of nothing, and stops where there is no more room', async () => {
    const { google } = await openNow({ outputTokens: 100 })
    const reply = await google.models.generateContent({
      model: 'gemini-2.5-flash',
      contents: 'Hello',
      config: { thinkingConfig: { thinkingBudget: 0 }, maxOutputTokens: 20 },
    })
    expect(reply.candidates?.[0]?.finishReason).toBe('MAX_TOKENS')
    expect(reply.usageMetadata).toMatchObject({ candidatesTokenCount: 20 })
    expect(reply.usageMetadata?.thoughtsTokenCount).toBeUndefined()
  })

  it('counts tokens as it bills them, without cost', async () => {
    const { sandbox, google } = await openNow()
    const request = { model: 'gemini-3.8-flash', contents: 'How much is it?' }
    const { totalTokens } = await google.models.countTokens(request)
    const { usageMetadata } = await google.models.generateContent(request)
    expect(usageMetadata?.promptTokenCount).toBe(totalTokens)
    expect(sandbox.total().calls).toBe(1)
  })

  it('refuses in the vendor’s shape', async () => {
    const { sandbox, google } = await openNow({ apiKeys: ['test'] })
    const retired = google.models.generateContent({ model: 'gemini-1.5-flash', contents: 'Hello' })
    await expect(retired).rejects.toMatchObject({
      status: 404,
      message: expect.stringContaining('models/gemini-1.5-flash is not found for API version v1'),
    })
    const post = async (key: string) => {
      const url = `${sandbox.url}/google/v1beta/models/gemini-3.8-flash:generateContent${key}`
      const reply = await fetch(url, { method: 'POST', body: '{}' })
      return { status: reply.status, body: await reply.json() }
    }
    expect((await post('')).status).toBe(403)
    expect(await post('?key=other')).toMatchObject({
      status: 400,
      body: {
        error: {
          code: 400,
          message: expect.stringContaining('API key not valid'),
          status: 'INVALID_ARGUMENT',
        },
      },
    })
    expect((await post('?key=test')).body).toMatchObject({ error: { status: 'INVALID_ARGUMENT' } })
    expect(sandbox.total().calls).toBe(0)
  })
})
