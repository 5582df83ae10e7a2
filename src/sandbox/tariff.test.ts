import { readFileSync } from 'node:fs'
import type OpenAI from 'openai'
import { toFile } from 'openai'
import { expect, it } from 'vitest'
import { drawPng } from './png.ts'
import { textOfTokens } from './replies.ts'
import { openSandbox } from './sandbox.fixture.ts'
import { flac } from './sound/flac.ts'

type Case = {
  readonly id: string
  readonly usage: {
    readonly service: string
    readonly model?: string
    readonly size?: '256x256'
    readonly quality?: 'standard' | 'hd'
    readonly n?: number
    readonly characters?: number
    readonly seconds?: number
    readonly width?: number
    readonly height?: number
    readonly detail?: 'low' | 'high'
  }
  readonly usd: string
}

const { cases }: { readonly cases: readonly Case[] } = JSON.parse(
  readFileSync(new URL('../../test/vectors/pricing/tariff-2023-11.json', import.meta.url), 'utf8'),
)

/** Calls of the official client that use what a case says. */
const calls: Readonly<Record<string, (client: OpenAI, usage: Case['usage']) => Promise<unknown>>> = {
  image: (client, { model = '', size = '256x256', quality, n = 1 }) =>
    client.images.generate({ model, size, n, prompt: 'a gate', ...(quality !== undefined && { quality }) }),
  tts: (client, { model = '', characters = 0 }) =>
    client.audio.speech.create({ model, voice: 'alloy', input: 'x'.repeat(characters) }),
  stt: async (client, { model = '', seconds = 0 }) =>
    client.audio.transcriptions.create({ model, file: await toFile(flac.silence(seconds), 'talk.flac') }),
  vision: async (client, { model = '', width = 0, height = 0, detail = 'high' }) => {
    const url = `data:image/png;base64,${(await drawPng({ width, height }, 'tariff')).toString('base64')}`
    const content = [{ type: 'image_url' as const, image_url: { url, detail } }]
    return client.chat.completions.create({ model, messages: [{ role: 'user', content }] })
  },
}

const asked = cases.filter(({ usage }) => Object.hasOwn(calls, usage.service))

it('has a call for each figure of images, speech, hearing and sight', () => {
  expect(asked).toHaveLength(15)
})

it.each(asked)('$id costs $usd', async ({ usage, usd }) => {
  const { client, sandbox } = await openSandbox()
  await calls[usage.service]?.(client, usage)
  if (usage.service !== 'vision') {
    expect(sandbox.total()).toMatchObject({ amount: usd, unpriced: [] })
    return
  }
  // The image alone: less the frame of its message, 7 tokens, and the reply.
  const input = sandbox.books().find(({ meter }) => meter === 'input_text_tokens')
  expect((Number(input?.quantity) - 7) / 100_000).toBe(Number(usd))
  expect(Number(input?.amount)).toBeCloseTo(Number(usd) + 0.00007, 12)
})

it('prices 1,000 tokens of embeddings at 0.0001 dollars', async () => {
  const { client, sandbox } = await openSandbox()
  await client.embeddings.create({ model: 'text-embedding-ada-002', input: textOfTokens(1000, 1) })
  expect(sandbox.total().amount).toBe('0.0001')
})
