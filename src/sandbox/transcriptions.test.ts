import OpenAI, { toFile } from 'openai'
import { describe, expect, it } from 'vitest'
import { openSandbox } from './sandbox.fixture.ts'
import { flac } from './sound/flac.ts'
import { mp3 } from './sound/mp3.ts'

const refusal = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'a reply',
    (error: unknown) => (error instanceof OpenAI.APIError ? [error.status, error.message] : error),
  )

const sound = (seconds: number) => toFile(flac.silence(seconds), 'talk.flac')
const ask = async (seconds: number) => ({ model: 'whisper-1', file: await sound(seconds) })

describe('a transcription', () => {
  it('is billed by the nearest second of the sound, 0.006 dollars a minute', async () => {
    const { client, sandbox } = await openSandbox()
    const { text } = await client.audio.transcriptions.create(await ask(61.4))
    // About 150 words a minute.
    expect(text.split(' ').length).toBeGreaterThan(120)
    await client.audio.transcriptions.create(await ask(1.5))
    expect(sandbox.calls().map(({ usage }) => usage)).toEqual([{ audio_seconds: 61 }, { audio_seconds: 2 }])
    // 61 + 2 seconds.
    expect(sandbox.total().amount).toBe('0.0063')
  })

  it('of the same sound is the same', async () => {
    const { client } = await openSandbox()
    const first = await client.audio.transcriptions.create(await ask(12))
    expect(await client.audio.transcriptions.create(await ask(12))).toEqual(first)
    expect(await client.audio.transcriptions.create(await ask(13))).not.toEqual(first)
  })

  it('hears what the sandbox itself says', async () => {
    const { client, sandbox } = await openSandbox()
    const said = await client.audio.speech.create({ model: 'tts-1', voice: 'nova', input: 'x'.repeat(60) })
    const file = await toFile(Buffer.from(await said.arrayBuffer()), 'said.mp3')
    await client.audio.transcriptions.create({ model: 'whisper-1', file })
    expect(sandbox.calls().at(-1)?.usage).toEqual({ audio_seconds: 4 })
  })

  it('comes as a text, with times, and as subtitles', async () => {
    const { client } = await openSandbox()
    const { text } = await client.audio.transcriptions.create(await ask(12))
    const plain = await client.audio.transcriptions.create({ ...(await ask(12)), response_format: 'text' })
    expect(plain).toBe(`${text}\n`)
    const verbose = await client.audio.transcriptions.create({
      ...(await ask(12)),
      response_format: 'verbose_json',
      language: 'fr',
    })
    expect(verbose).toMatchObject({ task: 'transcribe', language: 'french', duration: 12 })
    expect(verbose.segments?.map(({ start, end }) => [start, end])).toEqual([
      [0, 5],
      [5, 10],
      [10, 12],
    ])
    const srt = await client.audio.transcriptions.create({ ...(await ask(12)), response_format: 'srt' })
    expect(srt).toMatch(/^1\n00:00:00,000 --> 00:00:05,000\n[^\n]+\n\n2\n00:00:05,000 --> /)
    const vtt = await client.audio.transcriptions.create({ ...(await ask(12)), response_format: 'vtt' })
    expect(vtt).toMatch(/^WEBVTT\n\n00:00:00\.000 --> 00:00:05\.000\n/)
  })

  it('is a translation at the same price', async () => {
    const { client, sandbox } = await openSandbox()
    const reply = await client.audio.translations.create({
      ...(await ask(60)),
      response_format: 'verbose_json',
    })
    expect(reply).toMatchObject({ task: 'translate', language: 'english' })
    expect(sandbox.calls()[0]?.wire).toBe('translations')
    expect(sandbox.total().amount).toBe('0.006')
  })

  const known = "['flac', 'm4a', 'mp3', 'mp4', 'mpeg', 'mpga', 'oga', 'ogg', 'wav', 'webm']"

  it.each([
    [
      'of noise',
      Buffer.alloc(5000, 0x55),
      'talk.mp3',
      400,
      `Invalid file format. Supported formats: ${known}`,
    ],
    ['of nothing', Buffer.alloc(0), 'talk.wav', 400, `Invalid file format. Supported formats: ${known}`],
    [
      'in another coding',
      mp3.silence(1),
      'talk.aiff',
      400,
      `Invalid file format. Supported formats: ${known}`,
    ],
    [
      'whose head breaks off',
      flac.silence(3).slice(0, 30),
      'a.flac',
      400,
      `Invalid file format. Supported formats: ${known}`,
    ],
    [
      'of a moment',
      flac.silence(0.05),
      'a.flac',
      400,
      'Audio file is too short. Minimum audio length is 0.1 seconds.',
    ],
    [
      'of more than 25 MB',
      Buffer.alloc(26_214_401),
      'a.mp3',
      413,
      'Maximum content size limit (26214400) exceeded (26214401 bytes read)',
    ],
  ])('of a file %s is refused and not billed', async (_, bytes, name, status, message) => {
    const { client, sandbox } = await openSandbox()
    const file = await toFile(bytes, name)
    const call = client.audio.transcriptions.create({ model: 'whisper-1', file })
    expect(await refusal(call)).toEqual([status, `${status} ${message}`])
    expect(sandbox.calls()).toEqual([])
  })

  it('is refused for a wrong field', async () => {
    const { client } = await openSandbox()
    const hot = client.audio.transcriptions.create({ ...(await ask(1)), temperature: 2 })
    expect(await refusal(hot)).toEqual([400, "400 2 is greater than the maximum of 1 - 'temperature'"])
    const chat = client.audio.transcriptions.create({ ...(await ask(1)), model: 'gpt-4' })
    expect(await refusal(chat)).toEqual([400, '400 The model `gpt-4` is not supported at this endpoint.'])
  })
})
