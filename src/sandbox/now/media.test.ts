import { toFile } from 'openai'
import { describe, expect, it } from 'vitest'
import { openNow } from './vendors.fixture.ts'

describe('the other wires of OpenAI today', () => {
  it('embed in as many dimensions as asked, with length 1', async () => {
    const { sandbox, openai } = await openNow()
    const request = { model: 'text-embedding-3-small', input: ['Hello', 'Bye'] }
    const { data, usage } = await openai.embeddings.create({ ...request, dimensions: 256 })
    const length = data[0]?.embedding.reduce((sum, value) => sum + value * value, 0)
    expect(data.map(({ embedding }) => embedding.length)).toEqual([256, 256])
    expect(length).toBeCloseTo(1, 5)
    expect(usage).toEqual({ prompt_tokens: 3, total_tokens: 3 })
    // 0.02 dollars a million.
    expect(sandbox.total().amount).toBe('0.00000006')
    const refused = openai.embeddings.create({ ...request, model: 'text-embedding-ada-002', dimensions: 4 })
    await expect(refused).rejects.toThrow('does not support specifying dimensions')
  })

  it('draw an image of the size that was asked for, billed in tokens', async () => {
    const { sandbox, openai } = await openNow()
    const reply = await openai.images.generate({
      model: 'gpt-image-2',
      prompt: 'Hello',
      size: '1024x1536',
      quality: 'high',
    })
    const png = Buffer.from(reply.data?.[0]?.b64_json ?? '', 'base64')
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([1024, 1536])
    expect(reply.usage).toMatchObject({ input_tokens: 1, output_tokens: 6240, total_tokens: 6241 })
    // 6,240 at 30 dollars a million, 1 at 5.
    expect(sandbox.total()).toMatchObject({ amount: '0.187205', unpriced: [] })
  })

  it('edit an image, whose own tokens count as well, and stream it', async () => {
    const { sandbox, openai } = await openNow()
    const drawn = await openai.images.generate({ model: 'gpt-image-2', prompt: 'Hello', quality: 'low' })
    const bytes = Buffer.from(drawn.data?.[0]?.b64_json ?? '', 'base64')
    const image = await toFile(bytes, 'gate.png', { type: 'image/png' })
    const request = { model: 'gpt-image-2', prompt: 'Hello', image, quality: 'low' as const }
    const { usage } = await openai.images.edit(request)
    // 65 and 129 for the one tile of 512 pixels.
    expect(usage?.input_tokens_details).toEqual({ text_tokens: 1, image_tokens: 194 })
    const events = await openai.images.edit({ ...request, stream: true, partial_images: 2 })
    const types: string[] = []
    for await (const event of events) {
      types.push(event.type)
      if (event.type === 'image_edit.completed') expect(event.usage.output_tokens).toBe(472)
    }
    expect(types).toEqual(['image_edit.partial_image', 'image_edit.partial_image', 'image_edit.completed'])
    expect(sandbox.total().unpriced).toEqual([])
  })

  it('speak, by characters or by tokens', async () => {
    const { sandbox, openai } = await openNow()
    const input = 'a'.repeat(30)
    const wav = await openai.audio.speech.create({
      model: 'tts-1',
      voice: 'alloy',
      input,
      response_format: 'wav',
    })
    const bytes = Buffer.from(await wav.arrayBuffer())
    // Two seconds of 24,000 samples of two bytes, and a head of 44.
    expect([bytes.toString('latin1', 0, 4), bytes.length]).toEqual(['RIFF', 96_044])
    const spoken = await openai.audio.speech.create({ model: 'gpt-4o-mini-tts', voice: 'marin', input })
    await spoken.arrayBuffer()
    const rows = sandbox.books().map(({ meter, quantity }) => [meter, quantity])
    expect(rows).toContainEqual(['tts_characters', 30])
    expect(rows).toContainEqual(['output_audio_tokens', 40])
    expect(sandbox.total().unpriced).toEqual([])
  })

  it('transcribe, by seconds or by tokens, and say which', async () => {
    const { sandbox, openai } = await openNow()
    const input = 'a'.repeat(30)
    const sound = await openai.audio.speech.create({
      model: 'tts-1',
      voice: 'alloy',
      input,
      response_format: 'wav',
    })
    const file = await toFile(Buffer.from(await sound.arrayBuffer()), 'a.wav')
    const usageOf = async (model: string) => (await openai.audio.transcriptions.create({ model, file })).usage
    expect(await usageOf('whisper-1')).toEqual({ type: 'duration', seconds: 2 })
    expect(await usageOf('gpt-transcribe')).toEqual({ type: 'duration', seconds: 2 })
    const tokens = await usageOf('gpt-4o-transcribe')
    expect(tokens).toMatchObject({
      type: 'tokens',
      input_token_details: { text_tokens: 0, audio_tokens: 20 },
    })
    const events = await openai.audio.transcriptions.create({
      model: 'gpt-4o-transcribe',
      file,
      stream: true,
    })
    for await (const event of events) {
      if (event.type === 'transcript.text.done') expect(event.usage).toEqual(tokens)
    }
    expect(sandbox.total()).toMatchObject({ calls: 5, unpriced: [] })
    const refused = openai.audio.translations.create({ model: 'gpt-4o-transcribe', file })
    await expect(refused).rejects.toThrow('is not supported at this endpoint')
  })

  it('moderate for nothing', async () => {
    const { sandbox, openai } = await openNow()
    const { model, results } = await openai.moderations.create({ input: ['Hello', 'I will kill it'] })
    expect(model).toMatch(/^omni-moderation-/)
    expect(results.map(({ flagged }) => flagged)).toEqual([false, true])
    expect(sandbox.total().calls).toBe(0)
  })

  it('refuse Completions, which have no model any more', async () => {
    const { openai } = await openNow()
    const complete = (model: string) => openai.completions.create({ model, prompt: 'Hello' })
    await expect(complete('davinci-002')).rejects.toThrow('`davinci-002` has been deprecated')
    await expect(complete('gpt-4o')).rejects.toThrow('Did you mean to use v1/chat/completions?')
  })

  it('list the models of the day', async () => {
    const { openai, clock } = await openNow()
    const names = async () => (await openai.models.list()).data.map(({ id }) => id)
    expect(await names()).toContain('gpt-5')
    // The shutdown of gpt-5 is announced for 2026-12-11.
    clock.advance(16 * 86_400_000)
    expect(await names()).not.toContain('gpt-5')
    await expect(openai.models.retrieve('gpt-5')).rejects.toThrow('has been deprecated')
  })
})
