import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { APIError, toFile } from 'openai'
import { afterEach, describe, expect, it, onTestFinished } from 'vitest'
import { silentWav } from '../../test/support/sounds.ts'
import { startWorld, type TestWorld } from '../../test/support/world.ts'
import { formatPicos } from '../money/money.ts'

let world: TestWorld
afterEach(async () => {
  await world.close()
})

type Answer = (request: IncomingMessage, reply: ServerResponse, body: Buffer) => void

/** A gateway before a vendor that answers in one way, at a time after the sandbox's. */
const atVendor = async (answer: Answer, more: { at?: string; limits?: readonly object[] } = {}) => {
  const vendor = createServer(async (request, reply) => {
    const chunks: Buffer[] = []
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
    answer(request, reply, Buffer.concat(chunks))
  })
  await new Promise<void>((resolve) => vendor.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    vendor.closeAllConnections()
    vendor.close()
  })
  const baseUrl = `http://127.0.0.1:${(vendor.address() as AddressInfo).port}/v1`
  world = await startWorld({
    at: more.at ?? '2026-04-01',
    config: { providers: { openai: { baseUrl } }, limits: more.limits ?? [] },
  })
  return world.client('search')
}

const json =
  (value: object): Answer =>
  (_, reply) => {
    reply.setHeader('content-type', 'application/json')
    reply.end(JSON.stringify(value))
  }

const events =
  (...list: readonly object[]): Answer =>
  (_, reply) => {
    reply.setHeader('content-type', 'text/event-stream')
    for (const event of list) reply.write(`data: ${JSON.stringify(event)}\n\n`)
    reply.end('data: [DONE]\n\n')
  }

const charges = () =>
  world.till.map(({ settlement }) => settlement.charges.map(({ meter, quantity }) => [meter, quantity]))

const costs = () => world.till.map(({ cost, settlement }) => [formatPicos(cost), settlement.basis])

const refusal = async (asked: Promise<unknown>): Promise<APIError> => {
  const error = await asked.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  if (error instanceof APIError) return error
  throw new Error(`expected an API error, got ${String(error)}`)
}

const wav = (seconds: number) => toFile(silentWav(seconds), 'sound.wav', { type: 'audio/wav' })

describe('pictures that are billed by tokens', () => {
  const usage = {
    input_tokens: 10,
    input_tokens_details: { text_tokens: 10, image_tokens: 0 },
    output_tokens: 1056,
    total_tokens: 1066,
  }

  it('cost what their usage says', async () => {
    const client = await atVendor(json({ created: 1, data: [{ b64_json: 'aGk=' }], usage }))
    const asked = { model: 'gpt-image-1', prompt: 'Phobos', size: '1024x1024', quality: 'medium' } as const
    const { response } = await client.images.generate(asked).withResponse()
    expect(response.headers.get('octroi-quote-usd')).toBe('0.04291')
    expect(costs()).toEqual([['0.04229', 'measured']])
  })

  it('cost the same in a stream, whose order stays', async () => {
    const client = await atVendor(
      events(
        { type: 'image_generation.partial_image', b64_json: 'aGk=', partial_image_index: 0 },
        { type: 'image_generation.completed', b64_json: 'aGk=', usage },
      ),
    )
    const stream = await client.images.generate({
      model: 'gpt-image-1',
      prompt: 'Phobos',
      stream: true,
      partial_images: 1,
    })
    const types: string[] = []
    for await (const event of stream) types.push(event.type)
    expect(types).toEqual(['image_generation.partial_image', 'image_generation.completed'])
    expect(costs()).toEqual([['0.04229', 'measured']])
  })

  it('have no bound where no table is published, so that a budget refuses them', async () => {
    const limits = [{ name: 'month', measure: 'cost', cap: '100', window: { calendar: 'month' } }]
    const client = await atVendor(json({ data: [], usage }), { at: '2026-11-23', limits })
    const error = await refusal(client.images.generate({ model: 'gpt-image-2', prompt: 'Phobos' }))
    expect(error.status).toBe(400)
    expect(error.message).toContain('no table of the tokens of a picture of gpt-image-2 is published')
  })

  it('of a drawing are billed apart, at the price of the model that wrote it', async () => {
    const drawing = { model: 'gpt-5', input_tokens: 1000, output_tokens: 2000, total_tokens: 3000 }
    const client = await atVendor(json({ data: [{}], usage, svg_usage: drawing }))
    await client.images.generate({ model: 'gpt-image-1', prompt: 'Phobos' })
    // 0.04229, and 1,000 tokens in at $1.25 and 2,000 out at $10 a million.
    expect(costs()).toEqual([['0.06354', 'measured']])
  })
})

describe('speech that is billed by tokens', () => {
  it('is estimated by the length of the sound that came back', async () => {
    const client = await atVendor((_, reply) => {
      reply.setHeader('content-type', 'audio/wav')
      reply.end(silentWav(30))
    })
    const spoken = await client.audio.speech.create({
      model: 'gpt-4o-mini-tts',
      voice: 'alloy',
      input: 'Phobos',
    })
    expect((await spoken.arrayBuffer()).byteLength).toBe(240_044)
    expect(charges()).toEqual([
      [
        ['input_text_tokens', 6],
        ['output_audio_tokens', 600],
      ],
    ])
    expect(costs()).toEqual([['0.0072036', 'estimated']])
  })

  it('of unknown length is named, and never free', async () => {
    const client = await atVendor((_, reply) => {
      reply.setHeader('content-type', 'audio/mpeg')
      reply.end('no sound')
    })
    const asked = { model: 'gpt-4o-mini-tts', voice: 'alloy', input: 'Phobos' }
    const spoken = await client.audio.speech.create(asked)
    expect(spoken.headers.get('octroi-cost-usd')).toBeNull()
    expect(world.till[0]?.settlement.unpriced).toHaveLength(1)
  })

  it('is measured in a stream of events', async () => {
    const client = await atVendor(
      events(
        { type: 'speech.audio.delta', audio: 'aGk=' },
        { type: 'speech.audio.done', usage: { input_tokens: 14, output_tokens: 101, total_tokens: 115 } },
      ),
    )
    const spoken = await client.audio.speech.create({
      model: 'gpt-4o-mini-tts',
      voice: 'alloy',
      input: 'Phobos',
      stream_format: 'sse',
    })
    expect(await spoken.text()).toMatch(/speech\.audio\.delta.*speech\.audio\.done.*\[DONE\]\n\n$/s)
    expect(costs()).toEqual([['0.0012204', 'measured']])
  })

  it('too large to hold streams through, and is metered all the same', async () => {
    const sound = Buffer.alloc(9_000_000, 7)
    const client = await atVendor((_, reply) => {
      reply.setHeader('content-type', 'audio/mpeg')
      reply.end(sound)
    })
    const spoken = await client.audio.speech.create({ model: 'tts-1', voice: 'alloy', input: 'Phobos' })
    expect(Buffer.from(await spoken.arrayBuffer()).equals(sound)).toBe(true)
    expect(costs()).toEqual([['0.00009', 'measured']])
  })
})

describe('transcriptions of today', () => {
  it('are billed by the seconds or the tokens that their usage says', async () => {
    const client = await atVendor((request, reply, body) => {
      const tokens = {
        type: 'tokens',
        input_tokens: 14,
        input_token_details: { text_tokens: 4, audio_tokens: 10 },
        output_tokens: 45,
        total_tokens: 59,
      }
      const usage = body.includes('whisper-1') ? { type: 'duration', seconds: 9 } : tokens
      json({ text: 'Mars', usage })(request, reply, body)
    })
    const file = await wav(9)
    await client.audio.transcriptions.create({ model: 'whisper-1', file })
    await client.audio.transcriptions.create({ model: 'gpt-4o-transcribe', file })
    expect(costs()).toEqual([
      ['0.0009', 'measured'],
      ['0.00052', 'measured'],
    ])
  })

  it('in a stream keep their order to the end', async () => {
    const usage = {
      type: 'tokens',
      input_tokens: 14,
      input_token_details: { text_tokens: 4, audio_tokens: 10 },
      output_tokens: 45,
      total_tokens: 59,
    }
    const client = await atVendor(
      events(
        { type: 'transcript.text.delta', delta: 'Mars' },
        { type: 'transcript.text.done', text: 'Mars', usage },
      ),
    )
    const stream = await client.audio.transcriptions.create({
      model: 'gpt-4o-transcribe',
      file: await wav(9),
      stream: true,
    })
    const types: string[] = []
    for await (const event of stream) types.push(event.type)
    expect(types).toEqual(['transcript.text.delta', 'transcript.text.done'])
    expect(costs()).toEqual([['0.00052', 'measured']])
  })

  it('whose stream breaks off are counted from the file and the text that came', async () => {
    const client = await atVendor((_, reply) => {
      reply.setHeader('content-type', 'text/event-stream')
      reply.write('data: {"type":"transcript.text.delta","delta":"Mars"}\n\n', () => reply.destroy())
    })
    const stream = await client.audio.transcriptions.create({
      model: 'gpt-4o-transcribe',
      file: await wav(60),
      stream: true,
    })
    const read = async (): Promise<void> => {
      for await (const _ of stream);
    }
    await expect(read()).rejects.toThrow()
    expect(charges()[0]).toContainEqual(['input_audio_tokens', 600])
    expect(world.till[0]?.settlement.basis).toBe('estimated')
  })
})

describe('completions', () => {
  it('are billed by their usage, best_of included', async () => {
    const client = await atVendor(
      json({
        id: 'cmpl-1',
        model: 'gpt-3.5-turbo-instruct',
        choices: [{ text: 'Deimos', index: 0 }],
        usage: { prompt_tokens: 4, completion_tokens: 32, total_tokens: 36 },
      }),
      { at: '2023-11-15' },
    )
    const asked = { model: 'gpt-3.5-turbo-instruct', prompt: 'Phobos', best_of: 2 }
    const { response } = await client.completions.create(asked).withResponse()
    expect(response.headers.get('octroi-quote-usd')).toBe('0.000073')
    expect(costs()).toEqual([['0.00007', 'measured']])
  })

  it('in a stream of 2023 are counted', async () => {
    const client = await atVendor(
      events(
        { id: 'cmpl-1', model: 'gpt-3.5-turbo-instruct', choices: [{ text: 'Hello', index: 0 }] },
        { id: 'cmpl-1', model: 'gpt-3.5-turbo-instruct', choices: [{ text: ' world', index: 0 }] },
      ),
      { at: '2023-11-15' },
    )
    const asked = { model: 'gpt-3.5-turbo-instruct', prompt: 'Hello world', stream: true as const }
    for await (const _ of await client.completions.create(asked));
    expect(charges()).toEqual([
      [
        ['input_text_tokens', 2],
        ['output_text_tokens', 2],
      ],
    ])
    expect(costs()).toEqual([['0.000007', 'estimated']])
  })
})

describe('a chat that searches the web', () => {
  it('is billed the search, at the context that the request asked for', async () => {
    const usage = { prompt_tokens: 100, completion_tokens: 200, total_tokens: 300 }
    const model = 'gpt-4o-search-preview'
    const client = await atVendor(json({ id: 'chatcmpl-s1', model, choices: [], usage }), {
      at: '2025-05-05',
    })
    await client.chat.completions.create({
      model,
      messages: [{ role: 'user', content: 'How many moons has Mars?' }],
      web_search_options: { search_context_size: 'low' },
    })
    expect(costs()).toEqual([['0.03225', 'measured']])
  })
})

describe('a body that is not what the wire takes', () => {
  const send = async (
    path: string,
    body: string | FormData | Uint8Array<ArrayBuffer>,
    headers: Record<string, string> = {},
  ) => {
    const reply = await fetch(`${world.gateway.url}${path}`, { method: 'POST', body, headers })
    return { status: reply.status, error: ((await reply.json()) as { error: { message: string } }).error }
  }

  it('is refused before anything is sent, in the shape of the wire', async () => {
    let calls = 0
    await atVendor((request, reply, body) => {
      calls += 1
      json({})(request, reply, body)
    })
    const form = 'multipart/form-data'
    const parts = new FormData()
    for (let each = 0; each < 100; each += 1) parts.append(`f${each}`, 'x')
    const replies = [
      await send('/v1/audio/transcriptions', 'x', { 'content-type': form }),
      await send('/v1/audio/transcriptions', '', { 'content-type': `${form}; boundary=b` }),
      await send('/v1/audio/transcriptions', parts),
      await send('/v1/audio/transcriptions', 'x', { 'content-type': 'text/plain' }),
      await send('/v1/chat/completions', parts),
    ]
    expect(replies.map(({ status }) => status)).toEqual([400, 400, 400, 400, 400])
    expect(replies.map(({ error }) => error.message)).toEqual([
      expect.stringContaining('names no boundary'),
      expect.stringContaining('does not begin with its boundary'),
      expect.stringContaining('more than 64 parts'),
      expect.stringContaining('is not JSON'),
      expect.stringContaining('takes JSON'),
    ])
    expect(calls).toBe(0)
  })

  it('is left to the vendor where the bill does not depend on it: a picture with a lying header', async () => {
    const client = await atVendor(json({ created: 1, data: [{ url: 'a' }] }), { at: '2023-11-15' })
    const image = await toFile(Buffer.from('\x89PNG\r\n\x1a\nlies', 'latin1'), 'a.png')
    await client.images.createVariation({ image, size: '256x256' })
    expect(costs()).toEqual([['0.016', 'measured']])
  })

  it('may be long: a prompt of 1 MB', async () => {
    const client = await atVendor(json({ created: 1, data: [{ url: 'a' }] }), { at: '2023-11-15' })
    await client.images.generate({ prompt: 'x'.repeat(1_000_000), size: '256x256' })
    expect(costs()).toEqual([['0.016', 'measured']])
  })

  it('reaches the vendor unchanged, byte by byte', async () => {
    let seen: Buffer = Buffer.alloc(0)
    await atVendor((request, reply, body) => {
      seen = body
      json({ text: '', duration: 1 })(request, reply, body)
    })
    const parts = new FormData()
    parts.append('model', 'whisper-1')
    parts.append('file', new Blob([silentWav(1)]), 'a.wav')
    const sent = new Response(parts)
    const contentType = sent.headers.get('content-type') ?? ''
    const body = Buffer.from(await sent.arrayBuffer())
    await send('/v1/audio/transcriptions', body, { 'content-type': contentType }).catch(() => null)
    expect(seen.equals(body)).toBe(true)
  })
})

describe('a stream whose client has options of its own', () => {
  it('is asked for its usage in the text of the request, and every other byte stays as it came', async () => {
    const sent: string[] = []
    const answer: Answer = (request, reply, body) => {
      sent.push(body.toString('utf8'))
      events({ choices: [{ index: 0, delta: { content: 'Two.' } }] })(request, reply, body)
    }
    await atVendor(answer)
    const before = '{"model":"gpt-4o", "stream":true,\n"seed":1.0e2,"stream_options": '
    const after = ' , "messages":[{"role":"user","content":"\\u00e9"}] }'
    await fetch(`${world.gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: `${before}{"include_obfuscation":false}${after}`,
    }).then((reply) => reply.text())
    expect(sent).toEqual([`${before}{"include_obfuscation":false,"include_usage":true}${after}`])
  })
})
