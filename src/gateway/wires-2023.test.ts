import { readFile } from 'node:fs/promises'
import { APIError, toFile } from 'openai'
import { afterEach, describe, expect, it } from 'vitest'
import { transparentPng } from '../../test/support/pictures.ts'
import { silentWav } from '../../test/support/sounds.ts'
import { startWorld, type TestWorld } from '../../test/support/world.ts'
import { formatPicos } from '../money/money.ts'

let world: TestWorld
afterEach(async () => {
  await world.close()
})

/** The figures of the tariff of November 2023, by the id of the case. */
const tariff = JSON.parse(
  await readFile(new URL('../../test/vectors/pricing/tariff-2023-11.json', import.meta.url), 'utf8'),
) as { readonly cases: readonly { readonly id: string; readonly usd: string }[] }

const usd = (id: string): string => {
  const found = tariff.cases.find((each) => each.id === id)
  if (found === undefined) throw new Error(`the tariff has no case ${id}`)
  return found.usd
}

const costs = () => world.till.map(({ cost, settlement }) => [formatPicos(cost), settlement.basis])

const wav = (seconds: number, name = 'sound.wav') => toFile(silentWav(seconds), name, { type: 'audio/wav' })

const refusal = async (asked: Promise<unknown>): Promise<APIError> => {
  const error = await asked.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  if (error instanceof APIError) return error
  throw new Error(`expected an API error, got ${String(error)}`)
}

describe('pictures of 2023', () => {
  it.each([
    ['dall-e-2-256', { model: 'dall-e-2', size: '256x256' }],
    ['dall-e-2-512', { model: 'dall-e-2', size: '512x512' }],
    ['dall-e-2-1024', { model: 'dall-e-2', size: '1024x1024' }],
    ['dall-e-3-standard-square', { model: 'dall-e-3', size: '1024x1024', quality: 'standard' }],
    ['dall-e-3-hd-square', { model: 'dall-e-3', size: '1024x1024', quality: 'hd' }],
    ['dall-e-3-standard-portrait', { model: 'dall-e-3', size: '1024x1792', quality: 'standard' }],
    ['dall-e-3-standard-landscape', { model: 'dall-e-3', size: '1792x1024', quality: 'standard' }],
    ['dall-e-3-hd-portrait', { model: 'dall-e-3', size: '1024x1792', quality: 'hd' }],
    ['dall-e-3-hd-landscape', { model: 'dall-e-3', size: '1792x1024', quality: 'hd' }],
  ] as const)('cost what the tariff says: %s', async (id, asked) => {
    world = await startWorld()
    const client = await world.client('search')
    const { response } = await client.images.generate({ prompt: 'Phobos', ...asked }).withResponse()
    expect(response.headers.get('octroi-cost-usd')).toBe(usd(id))
    expect(response.headers.get('octroi-quote-usd')).toBe(usd(id))
    expect(costs()).toEqual([[usd(id), 'measured']])
    expect(world.sandbox.total().amount).toBe(usd(id))
  })

  it('are of DALL-E 2 where the request names no model', async () => {
    world = await startWorld()
    const client = await world.client('search')
    await client.images.generate({ prompt: 'Phobos', n: 3 })
    expect(world.till[0]?.settlement.model).toBe('dall-e-2')
    expect(costs()).toEqual([['0.06', 'measured']])
    expect(world.sandbox.total().amount).toBe('0.06')
  })

  it('made of other pictures come in a form, and cost the same', async () => {
    world = await startWorld()
    const client = await world.client('search')
    const image = await toFile(transparentPng(256), 'a.png', { type: 'image/png' })
    await client.images.createVariation({ image, n: 2, size: '512x512' })
    await client.images.edit({ image, prompt: 'Deimos', n: 2, size: '256x256', model: 'dall-e-2' })
    expect(costs()).toEqual([
      ['0.036', 'measured'],
      ['0.032', 'measured'],
    ])
    expect(world.sandbox.total().amount).toBe('0.068')
  })

  it('that the vendor refuses cost nothing, and hold nothing', async () => {
    world = await startWorld({
      config: { limits: [{ name: 'month', measure: 'cost', cap: '1', window: { calendar: 'month' } }] },
    })
    const client = await world.client('search')
    const error = await refusal(client.images.generate({ prompt: 'Phobos', model: 'dall-e-3', n: 2 }))
    expect(error.status).toBe(400)
    expect(world.gateway.limits()[0]).toMatchObject({ settled: 0n, held: 0n })
  })

  it('without end do not pass a budget', async () => {
    world = await startWorld({
      config: { limits: [{ name: 'month', measure: 'cost', cap: '1', window: { calendar: 'month' } }] },
    })
    const client = await world.client('search')
    const error = await refusal(client.images.generate({ prompt: 'Phobos', n: 1_000_000_000 }))
    expect(error.status).toBe(402)
    expect(error.message).toContain('this call can cost up to 20000000 USD')
    expect(world.sandbox.calls()).toEqual([])
  })
})

describe('speech of 2023', () => {
  it.each([
    ['tts-1-1k-characters', 'tts-1'],
    ['tts-1-hd-1k-characters', 'tts-1-hd'],
  ] as const)('costs what the tariff says: %s', async (id, model) => {
    world = await startWorld()
    const client = await world.client('search')
    const spoken = await client.audio.speech.create({ model, voice: 'alloy', input: 'é'.repeat(1000) })
    expect(spoken.headers.get('octroi-cost-usd')).toBe(usd(id))
    expect(spoken.headers.get('octroi-quote-usd')).toBe(usd(id))
    expect(costs()).toEqual([[usd(id), 'measured']])
    expect(world.sandbox.total().amount).toBe(usd(id))
  })

  it('comes through byte by byte', async () => {
    world = await startWorld()
    const body = JSON.stringify({ model: 'tts-1', voice: 'alloy', input: 'Mars has two moons.' })
    const headers = { 'content-type': 'application/json', authorization: 'Bearer sk-own' }
    const [direct, passed] = await Promise.all(
      [world.sandbox.url, world.gateway.url].map(async (url) => {
        const reply = await fetch(`${url}/v1/audio/speech`, { method: 'POST', headers, body })
        return { type: reply.headers.get('content-type'), bytes: Buffer.from(await reply.arrayBuffer()) }
      }),
    )
    expect(passed?.type).toBe('audio/mpeg')
    expect(direct).toEqual(passed)
  })
})

describe('Whisper', () => {
  it('costs what the tariff says of a second, by the length of the file', async () => {
    world = await startWorld()
    const client = await world.client('search')
    const said = await client.audio.transcriptions.create({ model: 'whisper-1', file: await wav(1) })
    expect(said.text).not.toBe('')
    expect(costs()).toEqual([[usd('whisper-one-second'), 'estimated']])
    expect(world.till[0]?.settlement.note).toBe(
      'no usage in the reply; counted: the length that the file says',
    )
    expect(world.sandbox.total().amount).toBe(usd('whisper-one-second'))
  })

  it('costs what the tariff says of an hour', async () => {
    world = await startWorld()
    const client = await world.client('search')
    const file = await toFile(silentWav(3600, 4000), 'hour.wav', { type: 'audio/wav' })
    await client.audio.transcriptions.create({ model: 'whisper-1', file })
    expect(costs()).toEqual([[usd('whisper-one-hour'), 'estimated']])
    expect(world.sandbox.total().amount).toBe(usd('whisper-one-hour'))
  })

  it('is measured by the verbose reply, and rounded to the nearest second: 61.4 s are 61', async () => {
    world = await startWorld()
    const client = await world.client('search')
    await client.audio.transcriptions.create({
      model: 'whisper-1',
      file: await wav(61.4),
      response_format: 'verbose_json',
    })
    expect(costs()).toEqual([['0.0061', 'measured']])
    expect(world.sandbox.total().amount).toBe('0.0061')
  })

  it('is counted where the reply says nothing, and rounded as the vendor rounds: 90.3 s are 90, also under a budget', async () => {
    const limits = [{ name: 'all', measure: 'cost', cap: '1', window: { calendar: 'month' } }]
    world = await startWorld({ config: { limits } })
    const client = await world.client('search')
    await client.audio.transcriptions.create({ model: 'whisper-1', file: await wav(90.3) })
    expect(costs()).toEqual([['0.009', 'estimated']])
    expect(world.sandbox.total().amount).toBe('0.009')
    expect(world.gateway.limits()[0]).toMatchObject({ held: 0n, settled: 9_000_000_000n })
  })

  it.each(['text', 'srt', 'vtt'] as const)('passes %s on as it comes, and counts it', async (format) => {
    world = await startWorld()
    const client = await world.client('search')
    const said: unknown = await client.audio.transcriptions.create({
      model: 'whisper-1',
      file: await wav(30),
      response_format: format,
    })
    expect(typeof said).toBe('string')
    expect(costs()).toEqual([['0.003', 'estimated']])
  })

  it('translates at the same price', async () => {
    world = await startWorld()
    const client = await world.client('search')
    await client.audio.translations.create({ model: 'whisper-1', file: await wav(30) })
    expect(world.till[0]?.call.endpoint).toBe('translations')
    expect(costs()).toEqual([['0.003', 'estimated']])
    expect(world.sandbox.total().amount).toBe('0.003')
  })

  it('is refused by a budget for a sound of unknown length, which costs nothing without one', async () => {
    world = await startWorld({
      config: {
        limits: [
          {
            name: 'search',
            match: { team: 'search' },
            measure: 'cost',
            cap: '1',
            window: { calendar: 'month' },
          },
        ],
      },
    })
    const file = await toFile(Buffer.from('this is no sound'), 'broken.mp3', { type: 'audio/mpeg' })
    const limited = await world.client('search')
    const error = await refusal(limited.audio.transcriptions.create({ model: 'whisper-1', file }))
    expect(error.status).toBe(400)
    expect(error.message).toContain('the request has no file whose length can be read')
    const free = await world.client('support')
    const vendors = await refusal(free.audio.transcriptions.create({ model: 'whisper-1', file }))
    expect(vendors.status).toBe(400)
    expect(costs()).toEqual([['0', 'measured']])
    expect(world.sandbox.total().amount).toBe('0')
  })

  it('needs a model, and says so in the shape of the wire', async () => {
    world = await startWorld()
    const client = await world.client('search')
    const form = { file: await wav(1) } as unknown as Parameters<typeof client.audio.transcriptions.create>[0]
    const error = await refusal(Promise.resolve(client.audio.transcriptions.create(form)))
    expect(error.status).toBe(400)
    expect(error.message).toContain('names no model')
  })
})

describe('GPT-4 with vision', () => {
  it.each([
    ['vision-low', 'low'],
    ['vision-high-1000x1000', 'high'],
  ] as const)('costs what the tariff says more with a picture: %s', async (id, detail) => {
    world = await startWorld({ sandbox: { outputTokens: 20 } })
    const client = await world.client('search')
    const url = `data:image/png;base64,${transparentPng(1000).toString('base64')}`
    const picture = { type: 'image_url' as const, image_url: { url, detail } }
    for (const content of [[], [picture]]) {
      await client.chat.completions.create({
        model: 'gpt-4-vision-preview',
        max_tokens: 20,
        messages: [{ role: 'user', content: [{ type: 'text', text: 'What is this?' }, ...content] }],
      })
    }
    const [without = 0n, withPicture = 0n] = world.till.map(({ cost }) => cost)
    expect(formatPicos(withPicture - without)).toBe(usd(id))
    expect(formatPicos(without + withPicture)).toBe(world.sandbox.total().amount)
  })
})

describe('embeddings and moderations of 2023', () => {
  it('cost what the vendor books', async () => {
    world = await startWorld()
    const client = await world.client('search')
    await client.embeddings.create({ model: 'text-embedding-ada-002', input: ['Phobos', 'Deimos'] })
    await client.moderations.create({ input: 'Phobos' })
    expect(costs().map(([, basis]) => basis)).toEqual(['measured', 'measured'])
    expect(world.till[1]?.settlement).toMatchObject({ unpriced: [] })
    const total = world.till.reduce((sum, { cost }) => sum + cost, 0n)
    expect(total).toBeGreaterThan(0n)
    expect(formatPicos(total)).toBe(world.sandbox.total().amount)
  })
})

describe('files', () => {
  it('belong to the key that uploaded them: for another they do not exist', async () => {
    world = await startWorld()
    const [mine, theirs] = [await world.client('support'), await world.client('search')]
    const upload = await toFile(Buffer.from('Mars has two moons.'), 'moons.txt')
    const file = await mine.files.create({ file: upload, purpose: 'assistants' })
    expect(await mine.files.retrieve(file.id)).toMatchObject({ id: file.id, bytes: 19 })
    const known = await world.gateway.registry.object({ upstream: 'openai', kind: 'file', id: file.id })
    expect(known?.facts.bytes).toBe(19)
    const errors = await Promise.all(
      [
        theirs.files.retrieve(file.id),
        theirs.files.content(file.id),
        theirs.files.delete(file.id),
        theirs.files.list(),
      ].map(refusal),
    )
    expect(errors.map(({ status }) => status)).toEqual([404, 404, 404, 403])
    expect(await mine.files.delete(file.id)).toMatchObject({ deleted: true })
    expect(world.till).toEqual([])
  })

  it('keep their bytes on the disk of the gateway', async () => {
    world = await startWorld()
    const client = await world.client('support')
    const upload = await toFile(Buffer.from('Mars'), 'mars.txt')
    const { id } = await client.files.create({ file: upload, purpose: 'assistants' })
    const { folder, gateway } = world
    await gateway.close()
    const again = await startWorld({ folder })
    const known = await again.gateway.registry.object({ upstream: 'openai', kind: 'file', id })
    expect(known?.facts).toMatchObject({ kind: 'file', bytes: 4 })
    await again.close()
  })
})

describe('a picture that is looked at in 2023', () => {
  it('counts its 765 tokens where the vendor cuts the stream before it told them', async () => {
    world = await startWorld({ sandbox: { outputTokens: 20 } })
    world.sandbox.faults.add({ kind: 'cut', chunks: 5 })
    const client = await world.client('search')
    const url = `data:image/png;base64,${transparentPng(1_000).toString('base64')}`
    const read = async () => {
      const stream = await client.chat.completions.create({
        model: 'gpt-4-vision-preview',
        stream: true,
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'what is it?' },
              { type: 'image_url', image_url: { url, detail: 'high' } },
            ],
          },
        ],
      })
      for await (const _ of stream);
    }
    await expect(read()).rejects.toThrow(/broke off/)
    const { basis, charges } = world.till[0]?.settlement ?? {}
    // 3 a message, 1 the role, 4 "what is it?", 3 the beginning of the reply; 765 the image.
    expect(charges?.[0]).toMatchObject({ meter: 'input_text_tokens', quantity: 11 + 765 })
    expect(basis).toBe('estimated')
  })
})

describe('a sound of 26 minutes in MP3', () => {
  it('is held by its frames: its bound is what it costs, not sixteen times as much', async () => {
    world = await startWorld()
    const client = await world.client('search')
    // 1,152 samples at 44,100 a second in 417 bytes: 59,719 frames are 1,560.007 s, at 0.006 USD a minute.
    const frame = Buffer.alloc(417)
    frame.set([0xff, 0xfb, 0x90, 0x64])
    const file = await toFile(Buffer.alloc(417 * 59_719, frame), 'talk.mp3', { type: 'audio/mpeg' })
    const { response } = await client.audio.transcriptions
      .create({ model: 'whisper-1', file, response_format: 'verbose_json' })
      .withResponse()
    expect(Number(response.headers.get('octroi-quote-usd'))).toBeCloseTo(0.156, 3)
    expect(Number(response.headers.get('octroi-cost-usd'))).toBeCloseTo(0.156, 3)
  })
})
