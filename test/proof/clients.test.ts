import { createOpenAI } from '@ai-sdk/openai'
import { ChatOpenAI, OpenAIEmbeddings } from '@langchain/openai'
import {
  embed,
  generateImage,
  generateSpeech,
  generateText,
  jsonSchema,
  Output,
  stepCountIs,
  streamText,
  tool,
  transcribe,
} from 'ai'
import { toFile } from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { formatPicos, parsePicos } from '../../src/money/money.ts'
import { transparentPng } from '../support/pictures.ts'
import { silentWav } from '../support/sounds.ts'
import { gathered } from './gathered.ts'
import { type Access, type NowWorld, officialClients, startNow } from './now-world.ts'
import { undated } from './vendor-lines.ts'

/** Official clients as applications use them, through a gateway, before the vendors of today. */

let world: NowWorld
let access: Access

beforeAll(async () => {
  world = await startNow({ sandbox: { outputTokens: 60 } })
  access = await world.access('search')
})
afterAll(() => world.close())

const clients = () => officialClients(access)
const vercel = () => createOpenAI({ apiKey: access.secret, baseURL: `${access.url}/v1` })
const langchain = (model: string, useResponsesApi: boolean) =>
  new ChatOpenAI({
    ...{ model, apiKey: access.secret, maxRetries: 0, useResponsesApi },
    configuration: { baseURL: `${access.url}/v1` },
  })

/** Does something that the vendor bills `calls` times, and holds each of its charges against the vendor's books. */
const billed = async <T>(calls: number, work: () => Promise<T>): Promise<T> => {
  const before = { till: world.till.length, calls: world.sandbox.calls().length, amount: amount() }
  const done = await work()
  const lines = world.till.slice(before.till)
  const booked = world.sandbox.calls().slice(before.calls)
  expect(booked).toHaveLength(calls)
  const ours = lines.map(({ call, settlement }) => ({
    provider: call.provider,
    model: undated(settlement.model),
    usage: Object.fromEntries(settlement.charges.map(({ meter, quantity }) => [meter, quantity])),
    basis: settlement.basis,
  }))
  const theirs = booked.map(({ provider, model, usage }) => ({
    ...{ provider, model: undated(model ?? ''), usage },
    basis: 'measured',
  }))
  expect(ours).toEqual(theirs)
  const cost = lines.reduce((sum, line) => sum + line.cost, 0n)
  expect(formatPicos(cost)).toBe(formatPicos(amount() - before.amount))
  expect(world.faults).toEqual([])
  return done
}

const amount = (): bigint => parsePicos(world.sandbox.total().amount)

const question = 'How many moons has Mars?'
const asked = [{ role: 'user' as const, content: question }]
const schema = {
  type: 'object',
  properties: { moons: { type: 'integer' }, names: { type: 'array', items: { type: 'string' } } },
  required: ['moons', 'names'],
  additionalProperties: false,
} as const
const picture = transparentPng(64).toString('base64')
const parameters = {
  type: 'object' as const,
  properties: { planet: { type: 'string' } },
  required: ['planet'],
}

describe('openai', () => {
  it('chats, whole and streamed, with tools, a schema and a picture', async () => {
    const { openai } = clients()
    const model = 'gpt-5.4'
    await billed(1, async () => {
      const reply = await openai.chat.completions.create({ model, messages: asked })
      expect(reply.choices[0]?.message.content).toMatch(/\w/)
    })
    await billed(1, async () => {
      const chunks = await gathered(
        await openai.chat.completions.create({ model, messages: asked, stream: true }),
      )
      // What was not asked for is not there.
      expect(chunks.filter(({ usage }) => usage !== undefined)).toEqual([])
      expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe('stop')
    })
    await billed(1, async () => {
      const stream_options = { include_usage: true }
      const request = { model, messages: asked, stream: true as const, stream_options }
      const chunks = await gathered(await openai.chat.completions.create(request))
      expect(chunks.at(-1)?.usage?.completion_tokens).toBeGreaterThan(0)
    })
    await billed(2, async () => {
      const tools = [{ type: 'function' as const, function: { name: 'moons', parameters } }]
      const messages = [{ role: 'user' as const, content: '[call moons {"planet":"Mars"}]' }]
      const whole = await openai.chat.completions.create({ model, messages, tools })
      const [call] = whole.choices[0]?.message.tool_calls ?? []
      expect(call).toMatchObject({ function: { name: 'moons', arguments: '{"planet":"Mars"}' } })
      const streamed = openai.chat.completions.stream({ model, messages, tools })
      const [same] = (await streamed.finalChatCompletion()).choices[0]?.message.tool_calls ?? []
      expect(same).toMatchObject({ function: { name: 'moons', arguments: '{"planet":"Mars"}' } })
    })
    await billed(1, async () => {
      const json_schema = { name: 'answer', schema, strict: true }
      const response_format = { type: 'json_schema' as const, json_schema }
      const reply = await openai.chat.completions.parse({ model, messages: asked, response_format })
      expect(reply.choices[0]?.message.parsed).toMatchObject({ moons: expect.any(Number) })
    })
    await billed(1, () => {
      const url = `data:image/png;base64,${picture}`
      const content = [
        { type: 'text' as const, text: question },
        { type: 'image_url' as const, image_url: { url } },
      ]
      return openai.chat.completions.create({ model, messages: [{ role: 'user', content }] })
    })
  })

  it('asks for responses, whole, streamed and one after another, with tools and a schema', async () => {
    const { openai } = clients()
    const model = 'gpt-5.4'
    await billed(3, async () => {
      const first = await openai.responses.create({ model, input: question })
      expect(first.output_text).toMatch(/\w/)
      const next = { model, input: 'And Venus?', previous_response_id: first.id }
      const second = await openai.responses.stream(next).finalResponse()
      expect(second.usage?.input_tokens).toBeGreaterThan((first.usage?.input_tokens ?? 0) + 50)
      const text = { format: { type: 'json_schema' as const, name: 'answer', schema, strict: true } }
      const third = await openai.responses.parse({ model, input: question, text })
      expect(third.output_parsed).toMatchObject({ moons: expect.any(Number) })
    })
    await billed(1, async () => {
      const tools = [{ type: 'function' as const, name: 'moons', parameters, strict: false }]
      const { output } = await openai.responses.create({ model, input: '[call moons]', tools })
      expect(output.map(({ type }) => type)).toContain('function_call')
    })
    await billed(1, () =>
      openai.responses.create({ model, input: '[search]', tools: [{ type: 'web_search' }] }),
    )
  })

  it('embeds, draws, speaks and listens', async () => {
    const { openai } = clients()
    await billed(1, async () => {
      const reply = await openai.embeddings.create({
        model: 'text-embedding-3-small',
        input: ['Phobos', 'Deimos'],
      })
      expect(reply.data.map(({ embedding }) => embedding.length)).toEqual([1536, 1536])
    })
    await billed(3, async () => {
      const draw = { model: 'gpt-image-2', prompt: 'Phobos', quality: 'low' as const }
      const drawn = await openai.images.generate(draw)
      const bytes = Buffer.from(drawn.data?.[0]?.b64_json ?? '', 'base64')
      expect(bytes.toString('latin1', 1, 4)).toBe('PNG')
      const events = await gathered(
        await openai.images.generate({ ...draw, stream: true, partial_images: 1 }),
      )
      expect(events.map(({ type }) => type)).toEqual([
        'image_generation.partial_image',
        'image_generation.completed',
      ])
      const image = await toFile(bytes, 'a.png', { type: 'image/png' })
      await openai.images.edit({ ...draw, image })
    })
    await billed(2, async () => {
      const spoken = await openai.audio.speech.create({ model: 'tts-1', voice: 'alloy', input: 'Phobos' })
      expect((await spoken.arrayBuffer()).byteLength).toBeGreaterThan(1_000)
      const mini = { model: 'gpt-4o-mini-tts', voice: 'marin', input: 'Phobos' } as const
      const streamed = await openai.audio.speech.create({ ...mini, stream_format: 'sse' })
      expect(await streamed.text()).toContain('speech.audio.done')
    })
    await billed(4, async () => {
      const file = await toFile(silentWav(9), 'a.wav', { type: 'audio/wav' })
      await openai.audio.transcriptions.create({ model: 'whisper-1', file })
      await openai.audio.transcriptions.create({ model: 'gpt-4o-transcribe', file })
      const heard = { model: 'gpt-4o-transcribe', file, stream: true as const }
      const events = await gathered(await openai.audio.transcriptions.create(heard))
      expect(events.at(-1)?.type).toBe('transcript.text.done')
      await openai.audio.translations.create({ model: 'whisper-1', file })
    })
    await billed(0, async () => {
      expect((await openai.models.list()).data.length).toBeGreaterThan(10)
    })
  })
})

describe('@anthropic-ai/sdk', () => {
  it('sends messages, whole and streamed, with tools, a schema and a picture, and counts them', async () => {
    const { anthropic } = clients()
    const common = { model: 'claude-opus-5-5', max_tokens: 500, messages: asked }
    await billed(1, async () => {
      const { content } = await anthropic.messages.create(common)
      expect(content.map(({ type }) => type)).toContain('text')
    })
    await billed(1, async () => {
      const message = await anthropic.messages.stream(common).finalMessage()
      expect(message.stop_reason).toBe('end_turn')
    })
    await billed(2, async () => {
      const tools = [{ name: 'moons', input_schema: parameters }]
      const messages = [{ role: 'user' as const, content: '[call moons {"planet":"Mars"}]' }]
      const whole = await anthropic.messages.create({ ...common, messages, tools })
      const streamed = await anthropic.messages.stream({ ...common, messages, tools }).finalMessage()
      for (const { content, stop_reason } of [whole, streamed]) {
        expect(stop_reason).toBe('tool_use')
        expect(content.at(-1)).toMatchObject({ type: 'tool_use', name: 'moons', input: { planet: 'Mars' } })
      }
    })
    await billed(1, () => {
      const source = { type: 'base64' as const, media_type: 'image/png' as const, data: picture }
      const content = [
        { type: 'image' as const, source },
        { type: 'text' as const, text: question },
      ]
      return anthropic.messages.create({ ...common, messages: [{ role: 'user', content }] })
    })
    await billed(0, async () => {
      const { model, messages } = common
      expect((await anthropic.messages.countTokens({ model, messages })).input_tokens).toBeGreaterThan(0)
    })
  })
})

describe('@google/genai', () => {
  it('generates content, whole and streamed, with functions, a schema and a picture', async () => {
    const { google } = clients()
    const model = 'gemini-2.5-flash'
    await billed(1, async () => {
      expect((await google.models.generateContent({ model, contents: question })).text).toMatch(/\w/)
    })
    await billed(1, async () => {
      const chunks = await gathered(await google.models.generateContentStream({ model, contents: question }))
      expect(chunks.at(-1)?.usageMetadata?.totalTokenCount).toBeGreaterThan(0)
    })
    await billed(1, async () => {
      const tools = [{ functionDeclarations: [{ name: 'moons', parametersJsonSchema: parameters }] }]
      const reply = await google.models.generateContent({
        model,
        contents: '[call moons {"planet":"Mars"}]',
        config: { tools },
      })
      expect(reply.functionCalls?.[0]).toMatchObject({ name: 'moons', args: { planet: 'Mars' } })
    })
    await billed(1, async () => {
      const config = { responseMimeType: 'application/json', responseJsonSchema: schema }
      const reply = await google.models.generateContent({ model, contents: question, config })
      expect(JSON.parse(reply.text ?? '')).toMatchObject({ moons: expect.any(Number) })
    })
    await billed(1, () => {
      const parts = [{ text: question }, { inlineData: { mimeType: 'image/png', data: picture } }]
      return google.models.generateContent({ model, contents: [{ role: 'user', parts }] })
    })
  })
})

describe('ai with @ai-sdk/openai', () => {
  it.each(['chat', 'responses'] as const)('makes text by %s, whole and streamed', async (api) => {
    const model = vercel()[api]('gpt-5.4')
    await billed(1, async () => {
      expect((await generateText({ model, prompt: question, maxRetries: 0 })).text).toMatch(/\w/)
    })
    await billed(1, async () => {
      const stream = streamText({ model, prompt: question, maxRetries: 0 })
      expect((await gathered(stream.textStream)).join('')).toMatch(/\w/)
      expect((await stream.usage).outputTokens).toBeGreaterThan(0)
    })
    await billed(1, async () => {
      const output = Output.object({ schema: jsonSchema<{ moons: number }>(schema) })
      const made = await generateText({ model, prompt: question, output, maxRetries: 0 })
      expect(made.output.moons).toEqual(expect.any(Number))
    })
    await billed(2, async () => {
      const moons = tool({ inputSchema: jsonSchema<{ planet: string }>(parameters), execute: () => 'two' })
      const made = await generateText({
        model,
        prompt: '[call moons {"planet":"Mars"}]',
        tools: { moons },
        stopWhen: stepCountIs(2),
        maxRetries: 0,
      })
      expect(made.steps.map(({ toolCalls }) => toolCalls.length)).toEqual([1, 0])
    })
    await billed(1, async () => {
      const content = [
        { type: 'text' as const, text: question },
        { type: 'file' as const, data: picture, mediaType: 'image/png' },
      ]
      await generateText({ model, messages: [{ role: 'user', content }], maxRetries: 0 })
    })
  })

  it('embeds, draws, speaks and listens', async () => {
    const provider = vercel()
    const maxRetries = 0
    await billed(1, () =>
      embed({ model: provider.embedding('text-embedding-3-small'), value: 'Phobos', maxRetries }),
    )
    await billed(1, async () => {
      const { image } = await generateImage({
        model: provider.image('gpt-image-2'),
        prompt: 'Phobos',
        maxRetries,
      })
      expect(image.mediaType).toBe('image/png')
    })
    await billed(1, () => generateSpeech({ model: provider.speech('tts-1'), text: 'Phobos', maxRetries }))
    await billed(1, () =>
      transcribe({ model: provider.transcription('whisper-1'), audio: silentWav(9), maxRetries }),
    )
  })
})

describe('ChatOpenAI of LangChain', () => {
  it.each([false, true])(
    'chats, whole and streamed, with tools and a schema (Responses: %s)',
    async (useResponsesApi) => {
      const chat = langchain('gpt-5.4', useResponsesApi)
      await billed(1, async () => {
        expect((await chat.invoke(question)).text).toMatch(/\w/)
      })
      await billed(1, async () => {
        const chunks = await gathered(await chat.stream(question))
        expect(chunks.map(({ text }) => text).join('')).toMatch(/\w/)
      })
      await billed(1, async () => {
        const moons = { type: 'function' as const, function: { name: 'moons', parameters } }
        const reply = await chat.bindTools([moons]).invoke('[call moons {"planet":"Mars"}]')
        expect(reply.tool_calls?.[0]).toMatchObject({ name: 'moons', args: { planet: 'Mars' } })
      })
      await billed(1, async () => {
        const structured = chat.withStructuredOutput(schema, { name: 'answer', method: 'jsonSchema' })
        expect(await structured.invoke(question)).toMatchObject({ moons: expect.any(Number) })
      })
    },
  )

  it('embeds', async () => {
    const configuration = { baseURL: `${access.url}/v1` }
    const embeddings = new OpenAIEmbeddings({
      model: 'text-embedding-3-small',
      apiKey: access.secret,
      configuration,
    })
    await billed(1, () => embeddings.embedQuery('Phobos'))
  })
})
