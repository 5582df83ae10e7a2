import { Agent, request as asked } from 'node:http'
import { transparentPng } from '../support/pictures.ts'
import { silentWav } from '../support/sounds.ts'
import type { Access } from './now-world.ts'
import { saying, seeded, shuffled } from './work.ts'

/** One request of today, as a client sends it without an SDK. */
export type WireCall = {
  readonly name: string
  /** The family of its route, as faults name it. */
  readonly wire: string
  readonly path: string
  readonly body: object | FormData
  readonly stream: boolean
  /** Whether the most it can cost is known before, so that a budget may hold it. */
  readonly bounded: boolean
  /** When the client leaves: never, at once, or after so many chunks of the reply. */
  readonly leaves: 'never' | 'at once' | number
  /** Asked with the id of the reply, where there is one. */
  readonly next?: (id: string) => object
}

/** How it ended for the client. `known`: what the vendor named it, in a header or in its reply. */
export type Sent = {
  readonly name: string
  readonly status: number | null
  readonly known: string | null
  readonly end: 'whole' | 'broken' | 'left'
}

/** How many of each thousand calls each wire has. */
const shares: Readonly<Record<string, { share: number; make: Make }>> = {
  chat: { share: 240, make: (random, name) => chat(random, name) },
  responses: { share: 160, make: (random, name) => responses(random, name) },
  messages: { share: 200, make: (random, name) => messages(random, name) },
  content: { share: 200, make: (random, name) => generateContent(random, name) },
  embeddings: { share: 90, make: (random, name) => embeddings(random, name) },
  images: { share: 20, make: (random, name) => images(random, name) },
  speech: { share: 35, make: (random, name) => speech(random, name) },
  transcriptions: { share: 35, make: (random, name) => transcriptions(random, name) },
  moderations: { share: 20, make: (_, name) => moderations(name) },
}

type Random = ReturnType<typeof seeded>
type Make = (random: Random, name: string) => WireCall

/** Calls over all wires, in no helpful order. A tenth of the clients leave before their reply is whole; `atOnce`
 * says whether some do before it begins. */
export const wiresLoad = (
  count: number,
  { seed, atOnce }: { seed: string; atOnce: boolean },
): readonly WireCall[] => {
  const calls = Object.entries(shares).flatMap(([kind, { share, make }]) =>
    Array.from({ length: Math.round((count * share) / 1000) }, (_, index) => {
      const name = `${kind}-${index}`
      const random = seeded(seed, name)
      const call = make(random, name)
      const chance = random.whole({ least: 1, most: 40 })
      if (call.stream && chance <= 6) return { ...call, leaves: random.whole({ least: 1, most: 4 }) }
      return atOnce && chance === 7 ? { ...call, leaves: 'at once' as const } : call
    }),
  )
  return shuffled(calls, seed)
}

/** Sends a call, reads its reply as far as the client stays, and sends what comes after it. */
export const sendCall = async (access: Access, call: WireCall): Promise<readonly Sent[]> => {
  const { sent, text } = await sendOnce(access, call)
  const id = /"id":\s*"(resp_\w+)"/.exec(text)?.[1]
  if (call.next === undefined || id === undefined || sent.end !== 'whole' || sent.status !== 200)
    return [sent]
  const { next: _, ...rest } = call
  const after = { ...rest, name: `${call.name}-next`, body: call.next(id) }
  return [sent, ...(await sendCall(access, after))]
}

const agent = new Agent({ keepAlive: true })

/** Every byte that came is read, even where the connection breaks right behind it. */
const sendOnce = async ({ url, secret }: Access, call: WireCall): Promise<{ sent: Sent; text: string }> => {
  const encoded = new Response(call.body instanceof FormData ? call.body : JSON.stringify(call.body))
  const isForm = call.body instanceof FormData
  const body = Buffer.from(await encoded.arrayBuffer())
  let status: number | null = null
  let known: string | null = null
  let text = ''
  const end = await new Promise<Sent['end']>((resolve) => {
    const request = asked(new URL(url + call.path), {
      agent,
      method: 'POST',
      headers: {
        'octroi-key': secret,
        'octroi-tags': `attempt=${call.name}`,
        'anthropic-version': '2023-06-01',
        'content-type': (isForm ? encoded.headers.get('content-type') : null) ?? 'application/json',
        'content-length': body.length,
      },
    })
    const leave = (): void => {
      resolve('left')
      request.destroy()
    }
    request.on('error', () => resolve('broken'))
    request.on('response', (reply) => {
      status = reply.statusCode ?? null
      const header = reply.headers['x-request-id']
      known = typeof header === 'string' ? header : null
      let chunks = 0
      reply.on('data', (chunk: Buffer) => {
        chunks += 1
        if (text.length < 20_000) text += chunk.toString('latin1')
        known ??= namedIn(text)
        if (typeof call.leaves === 'number' && chunks >= call.leaves && known !== null) leave()
      })
      reply.on('error', () => resolve('broken'))
      reply.on('close', () => resolve(reply.complete ? 'whole' : 'broken'))
    })
    request.end(body)
    if (call.leaves === 'at once')
      setTimeout(leave, seeded('leaves', call.name).whole({ least: 0, most: 12 }))
  })
  return { sent: { name: call.name, status, known, end }, text }
}

/** What Anthropic and Google name a reply by. */
const namedIn = (text: string): string | null =>
  /"id":\s*"(msg_\w+)"/.exec(text)?.[1] ?? /"responseId":\s*"([\w-]+)"/.exec(text)?.[1] ?? null

const picture = transparentPng(96).toString('base64')
/** Long enough to be cached, and the same for many. */
const manual = (each: number): string => `${saying(`manual ${each}`)} `.repeat(40)
const manuals = [manual(1), manual(2), manual(3)] as const
const tool = { type: 'object', properties: { planet: { type: 'string' } }, required: ['planet'] }
const answer = {
  type: 'object',
  properties: { moons: { type: 'integer' } },
  required: ['moons'],
  additionalProperties: false,
}
const yes = (random: Random, oneIn: number): boolean => random.whole({ least: 1, most: oneIn }) === 1
const usual = { leaves: 'never', bounded: true } as const

const chat: Make = (random, name) => {
  const stream = yes(random, 2)
  const said = saying(name)
  const model = random.pick(['gpt-4o', 'gpt-4.1-mini', 'gpt-5.4', 'gpt-6-sol', 'gpt-6.2-sol'])
  // Not every model has a price for every tier, nor a published rule for pictures.
  const hasTiers = model === 'gpt-5.4' || model === 'gpt-6-sol'
  const content =
    model !== 'gpt-6.2-sol' && yes(random, 8)
      ? [
          { type: 'text', text: said },
          { type: 'image_url', image_url: { url: `data:image/png;base64,${picture}` } },
        ]
      : said
  return {
    ...{ name, wire: 'chat-completions', path: '/v1/chat/completions', stream, ...usual },
    body: {
      model,
      messages: [
        ...(yes(random, 4) ? [{ role: 'system', content: random.pick(manuals) }] : []),
        { role: 'user', content: yes(random, 8) ? `[call moons] ${said}` : content },
      ],
      tools: [{ type: 'function', function: { name: 'moons', parameters: tool } }],
      ...(stream && { stream, ...(yes(random, 3) && { stream_options: { include_usage: true } }) }),
      ...(yes(random, 6) && { n: 2 }),
      ...(hasTiers && yes(random, 3) && { service_tier: random.pick(['flex', 'priority']) }),
      ...(yes(random, 8) && {
        response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: answer } },
      }),
    },
  }
}

const responses: Make = (random, name) => {
  const stream = yes(random, 2)
  const model = random.pick(['gpt-4o', 'gpt-5.4', 'gpt-6.2-sol'])
  const searches = yes(random, 4)
  const body = {
    ...{ model, input: searches ? `[search] ${saying(name)}` : saying(name), stream },
    ...(yes(random, 4) && { instructions: random.pick(manuals) }),
    ...(searches && { tools: [{ type: 'web_search' }] }),
  }
  return {
    ...{ name, wire: 'responses', path: '/v1/responses', stream, body, ...usual, bounded: !searches },
    ...(yes(random, 3) && {
      next: (id: string) => ({ model, input: saying(`${name} next`), stream, previous_response_id: id }),
    }),
  }
}

const messages: Make = (random, name) => {
  const stream = yes(random, 2)
  const ttl = random.pick(['5m', '1h'])
  return {
    ...{ name, wire: 'messages', path: '/anthropic/v1/messages', stream, ...usual },
    body: {
      model: random.pick(['claude-opus-5-5', 'claude-haiku-4-5', 'claude-sonnet-5']),
      max_tokens: 400,
      ...(yes(random, 3) && {
        system: [{ type: 'text', text: random.pick(manuals), cache_control: { type: 'ephemeral', ttl } }],
      }),
      messages: [{ role: 'user', content: yes(random, 6) ? `[call moons] ${saying(name)}` : saying(name) }],
      tools: [{ name: 'moons', input_schema: tool }],
      stream,
    },
  }
}

const generateContent: Make = (random, name) => {
  const stream = yes(random, 2)
  const model = random.pick(['gemini-2.5-pro', 'gemini-2.5-flash', 'gemini-3.8-flash'])
  const verb = stream ? 'streamGenerateContent?alt=sse' : 'generateContent'
  return {
    ...{ name, wire: 'generate-content', path: `/google/v1beta/models/${model}:${verb}`, stream, ...usual },
    body: {
      ...(yes(random, 3) && { systemInstruction: { parts: [{ text: random.pick(manuals) }] } }),
      contents: [
        {
          role: 'user',
          parts: [
            { text: saying(name) },
            ...(yes(random, 6) ? [{ inlineData: { mimeType: 'image/png', data: picture } }] : []),
          ],
        },
      ],
    },
  }
}

const embeddings: Make = (random, name) => ({
  ...{ name, wire: 'embeddings', path: '/v1/embeddings', stream: false, ...usual },
  body: {
    model: random.pick(['text-embedding-3-small', 'text-embedding-3-large']),
    input: Array.from({ length: random.whole({ least: 1, most: 4 }) }, (_, index) =>
      saying(`${name} ${index}`),
    ),
    dimensions: 64,
  },
})

const images: Make = (random, name) => {
  const stream = yes(random, 2)
  return {
    ...{ name, wire: 'images', path: '/v1/images/generations', stream, ...usual, bounded: false },
    body: {
      ...{ model: 'gpt-image-2', prompt: saying(name), quality: random.pick(['low', 'medium']) },
      ...(stream && { stream, partial_images: 1 }),
    },
  }
}

const speech: Make = (random, name) => {
  const stream = yes(random, 2)
  return {
    ...{ name, wire: 'speech', path: '/v1/audio/speech', stream, ...usual, bounded: !stream },
    body: stream
      ? { model: 'gpt-4o-mini-tts', voice: 'marin', input: saying(name), stream_format: 'sse' }
      : { model: random.pick(['tts-1', 'tts-1-hd']), voice: 'alloy', input: saying(name) },
  }
}

const transcriptions: Make = (random, name) => {
  const body = new FormData()
  const translates = yes(random, 4)
  const model = translates ? 'whisper-1' : random.pick(['whisper-1', 'gpt-4o-transcribe'])
  body.append('model', model)
  body.append('file', new Blob([silentWav(random.whole({ least: 1, most: 20 }))]), 'a.wav')
  const wire = translates ? 'translations' : 'transcriptions'
  return { name, wire, path: `/v1/audio/${wire}`, stream: false, body, ...usual }
}

const moderations = (name: string): WireCall => ({
  ...{ name, wire: 'moderations', path: '/v1/moderations', stream: false, ...usual },
  body: { model: 'omni-moderation-latest', input: saying(name) },
})
