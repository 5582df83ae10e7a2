import { parseWebStream } from 'music-metadata'
import OpenAI from 'openai'
import { describe, expect, it } from 'vitest'
import { durationOf } from '../tokens/audio-duration.ts'
import { openSandbox } from './sandbox.fixture.ts'

const refusal = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'a reply',
    (error: unknown) => (error instanceof OpenAI.APIError ? [error.status, error.message] : error),
  )

const secondsOf = async (bytes: ArrayBuffer): Promise<number> => {
  const read = await durationOf(new Uint8Array(bytes), { parse: parseWebStream, pace: async () => undefined })
  return 'code' in read ? Number.NaN : read.seconds
}

const ask = { model: 'tts-1', voice: 'alloy', input: 'x'.repeat(150) }

describe('speech', () => {
  it.each([
    ['mp3', 'audio/mpeg'],
    ['opus', 'audio/opus'],
    ['aac', 'audio/aac'],
    ['flac', 'audio/flac'],
  ] as const)('of 150 characters plays ten seconds as %s', async (format, type) => {
    const { client } = await openSandbox()
    const reply = await client.audio.speech.create({ ...ask, response_format: format })
    expect(reply.headers.get('content-type')).toBe(type)
    expect(await secondsOf(await reply.arrayBuffer())).toBeCloseTo(10, 0)
  })

  it('at twice the speed is half as long and costs the same', async () => {
    const { client, sandbox } = await openSandbox()
    const fast = await client.audio.speech.create({ ...ask, speed: 2 })
    expect(await secondsOf(await fast.arrayBuffer())).toBeCloseTo(5, 1)
    // 150 x 0.015 / 1,000.
    expect(sandbox.total().amount).toBe('0.00225')
  })

  it('is billed by Unicode code points', async () => {
    const { client, sandbox } = await openSandbox()
    await client.audio.speech.create({ ...ask, model: 'tts-1-hd-1106', input: 'été 😀' })
    expect(sandbox.books()).toEqual([
      {
        model: 'tts-1-hd-1106',
        meter: 'tts_characters',
        calls: 1,
        quantity: 5,
        amount: '0.00015',
        currency: 'USD',
      },
    ])
  })

  it('takes 4,096 characters and no more', async () => {
    const { client, sandbox } = await openSandbox()
    await client.audio.speech.create({ ...ask, input: '😀'.repeat(4096) })
    // Vector V013 at the price of tts-1: 4,096 x 0.015 / 1,000.
    expect(sandbox.total().amount).toBe('0.06144')
    expect(await refusal(client.audio.speech.create({ ...ask, input: 'x'.repeat(4097) }))).toEqual([
      400,
      "400 [{'type': 'string_too_long', 'loc': ('body', 'input'), 'msg': 'String should have at most 4096 " +
        "characters', 'ctx': {'max_length': 4096}}]",
    ])
    expect(sandbox.calls()).toHaveLength(1)
  })

  it.each([
    [{ voice: 'ash' }, "'ash' is not one of ['alloy', 'echo', 'fable', 'onyx', 'nova', 'shimmer'] - 'voice'"],
    [{ response_format: 'wav' }, "'wav' is not one of ['mp3', 'opus', 'aac', 'flac'] - 'response_format'"],
    [{ speed: 5 }, "5 is greater than the maximum of 4 - 'speed'"],
    [{ model: 'whisper-1' }, 'The model `whisper-1` is not supported at this endpoint.'],
    [{ input: '' }, expect.stringContaining("'msg': 'String should have at least 1 character'")],
  ])('with %o is refused', async (fields, message) => {
    const { sandbox } = await openSandbox()
    const reply = await fetch(`${sandbox.baseUrl}/audio/speech`, {
      method: 'POST',
      headers: { authorization: 'Bearer sk-test' },
      body: JSON.stringify({ ...ask, ...fields }),
    })
    expect([reply.status, await reply.json()]).toMatchObject([400, { error: { message } }])
    expect(sandbox.calls()).toEqual([])
  })
})
