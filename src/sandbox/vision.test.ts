import OpenAI from 'openai'
import { describe, expect, it } from 'vitest'
import { drawPng } from './png.ts'
import { openSandbox } from './sandbox.fixture.ts'

const model = 'gpt-4-vision-preview'

type Content = OpenAI.Chat.Completions.ChatCompletionContentPart[]

const messages = (...content: Content) => [{ role: 'user' as const, content }]

const image = async (width: number, height: number, detail?: 'low' | 'high' | 'auto') => {
  const url = `data:image/png;base64,${(await drawPng({ width, height }, 'vision')).toString('base64')}`
  return { type: 'image_url' as const, image_url: { url, ...(detail !== undefined && { detail }) } }
}

const refusal = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'a reply',
    (error: unknown) => (error instanceof OpenAI.APIError ? [error.status, error.message] : error),
  )

describe('GPT-4 Vision', () => {
  // Three tokens to begin the reply, three and one for the message and its role.
  const frame = 7

  it.each([
    [1000, 1000, 'low', 85],
    [1000, 1000, 'high', 765],
    [1, 1, 'high', 255],
    [512, 512, 'high', 255],
    [768, 2048, 'high', 1445],
    [769, 769, 'auto', 765],
    [2048, 4096, undefined, 1105],
    [1366, 1024, 'high', 765],
  ] as const)(
    'counts an image of %d x %d, detail %s, as %d tokens',
    async (width, height, detail, tokens) => {
      const { client, sandbox } = await openSandbox()
      const reply = await client.chat.completions.create({
        model,
        messages: messages(await image(width, height, detail)),
      })
      expect(reply.usage?.prompt_tokens).toBe(frame + tokens)
      expect(sandbox.calls()[0]).toMatchObject({
        model: 'gpt-4-1106-vision-preview',
        usage: { input_text_tokens: frame + tokens },
      })
    },
  )

  it('sums texts and images of all messages', async () => {
    const { client } = await openSandbox()
    const content: Content = [
      { type: 'text', text: 'Hello' },
      await image(10, 10, 'low'),
      await image(10, 10, 'low'),
    ]
    const reply = await client.chat.completions.create({ model, messages: messages(...content) })
    expect(reply.usage?.prompt_tokens).toBe(frame + 1 + 2 * 85)
  })

  it('says 16 tokens unless asked for more', async () => {
    const { client } = await openSandbox({ outputTokens: 500 })
    const ask = { model, messages: messages({ type: 'text', text: 'Hello' }) }
    const short = await client.chat.completions.create(ask)
    expect([short.usage?.completion_tokens, short.choices[0]?.finish_reason]).toEqual([16, 'length'])
    const long = await client.chat.completions.create({ ...ask, max_tokens: 4096 })
    expect(long.usage?.completion_tokens).toBe(500)
    expect(await refusal(client.chat.completions.create({ ...ask, max_tokens: 4097 }))).toMatchObject([
      400,
      expect.stringContaining('This model supports at most 4096 completion tokens'),
    ])
  })

  it('counts the image behind a link by a size that belongs to the link', async () => {
    const { client } = await openSandbox()
    const ask = async (url: string) =>
      (
        await client.chat.completions.create({
          model,
          messages: messages({ type: 'image_url', image_url: { url } }),
        })
      ).usage?.prompt_tokens
    const first = await ask('https://example.com/a.png')
    expect(await ask('https://example.com/a.png')).toBe(first)
    expect([255, 425, 595, 765, 935, 1105, 1445].map((tokens) => tokens + frame)).toContain(first)
  })

  it.each([
    ['is no image', 'data:image/png;base64,AAAA'],
    ['is of another kind', 'data:image/bmp;base64,Qk0='],
    ['is not base64', 'data:image/png;base64,***'],
    ['has no scheme', 'picture.png'],
  ])('refuses what %s', async (_, url) => {
    const { client, sandbox } = await openSandbox()
    const call = client.chat.completions.create({
      model,
      messages: messages({ type: 'image_url', image_url: { url } }),
    })
    expect(await refusal(call)).toEqual([400, '400 Invalid image.'])
    expect(sandbox.calls()).toEqual([])
  })

  it('is the only model that reads images', async () => {
    const { client } = await openSandbox()
    const call = client.chat.completions.create({ model: 'gpt-4', messages: messages(await image(1, 1)) })
    expect(await refusal(call)).toMatchObject([
      400,
      expect.stringContaining('only supported by certain models'),
    ])
  })
})

describe('a model of another wire', () => {
  it('does not chat', async () => {
    const { client } = await openSandbox()
    const call = client.chat.completions.create({
      model: 'tts-1',
      messages: [{ role: 'user', content: 'Hello' }],
    })
    expect(await refusal(call)).toMatchObject([404, expect.stringContaining('This is not a chat model')])
  })

  it('is listed with the others', async () => {
    const { client } = await openSandbox()
    const ids = (await client.models.list()).data.map(({ id }) => id)
    expect(ids).toEqual(expect.arrayContaining(['gpt-4', 'dall-e-3', 'whisper-1', 'text-embedding-ada-002']))
    expect((await client.models.retrieve('dall-e-3')).created).toBe(1_698_785_189)
  })
})
