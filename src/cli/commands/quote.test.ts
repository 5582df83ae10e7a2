import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { mp3, png, wav } from '../../../test/proof/vendor.ts'
import type { CliCommand, Io } from '../command.ts'
import { main } from '../main.ts'
import { quoteSchemas } from '../quote-schemas.ts'
import { command as quote } from './quote.ts'
import { command as tokens } from './tokens.ts'

const run = async (command: CliCommand, args: readonly string[], stdin = '') => {
  let [out, err] = ['', '']
  const io: Io = {
    stdin: Readable.from(stdin === '' ? [] : [Buffer.from(stdin)]),
    out: (text) => {
      out += text
    },
    err: (text) => {
      err += text
    },
    color: false,
    environment: {},
    signal: new AbortController().signal,
  }
  const entry = { name: command.name, summary: command.summary, load: () => Promise.resolve(command) }
  return { exit: await main([command.name, ...args], io, [entry]), out, err }
}

const fits = (name: keyof typeof quoteSchemas, value: unknown): unknown => {
  const check = new Ajv2020().compile(z.toJSONSchema(quoteSchemas[name], { target: 'draft-2020-12' }))
  return check(value) ? [] : check.errors
}

const hello = {
  model: 'gpt-4o-mini',
  max_tokens: 100,
  messages: [{ role: 'user', content: 'Say hello in French.' }],
}
const quoted = async (body: object, ...args: readonly string[]) => {
  const { out, ...rest } = await run(quote, ['--at', '2026-10-15', '--json', ...args], JSON.stringify(body))
  return { ...rest, value: JSON.parse(out) }
}

describe('octroi quote', () => {
  it('quotes a request with its prompt counted', async () => {
    const { exit, value } = await quoted(hello, '--expected-output', '10')
    expect([exit, fits('quote-1', value)]).toEqual([0, []])
    // 12 tokens at 0.15 and 10 at 0.60 USD a million; at least one token in, half price where it is cached.
    expect(value).toMatchObject({ expected: '0.0000078', least: '0.000000075', currency: 'USD' })
    // 102 bytes of JSON are fewer than 12 tokens and 128 unseen ones; 100 tokens come back.
    expect(value).toMatchObject({ most: '0.0000753', prompt: { tokens: 12, class: 'exact', high: 12 } })
    expect(value.reasons).toEqual([
      'The prompt has 12 tokens (exact, openai-chat/gpt-4o); at most 102 with what a vendor adds unseen.',
      'output_text_tokens: up to 100, the limit in the request.',
      'The request names no tier: a project whose tier is priority pays up to 0.0001255.',
    ])
  })

  it('counts an image by its size, and one it cannot see as the dearest', async () => {
    const shown = (url: string) => ({
      ...{ model: 'gpt-4o', max_tokens: 100, service_tier: 'default' },
      messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }],
    })
    const { value: seen } = await quoted(shown(png(1000, 1000)))
    // 3 + 1 for the role + 3 around, and 765; 128 unseen.
    expect(seen).toMatchObject({ prompt: { tokens: 772, low: 772, high: 772 }, usage: [{ most: 900 }, {}] })
    const { value: unseen } = await quoted(shown('https://example.com/a.png'))
    expect(unseen).toMatchObject({ prompt: { low: 7, high: 1452 } })
    expect(unseen.reasons[0]).toContain('an unseen image at its dearest')
  })

  it('counts a sound apart, at its own price, by its length', async () => {
    const heard = (data: string, format: string) => ({
      ...{ model: 'gpt-4o-audio-preview', max_tokens: 100, service_tier: 'default' },
      messages: [{ role: 'user', content: [{ type: 'input_audio', input_audio: { data, format } }] }],
    })
    const then = ['--at', '2025-11-15']
    const second = wav({ rate: 16_000, samples: 16_000, stated: 32_000 })
    const { value: known } = await quoted(heard(second, 'wav'), '--expected-output', '0', ...then)
    expect(known).toMatchObject({
      prompt: { tokens: 17 },
      usage: [
        {},
        { meters: ['input_audio_tokens', 'cached_input_tokens', 'cache_write_tokens'], most: 13 },
        {},
      ],
      // 7 tokens of text at 2.50 and 10 of sound at 40 USD a million.
      expected: '0.0004175',
    })
    expect(known.reasons).toContain('input_audio_tokens: up to 13, by the bytes of the sounds.')
    // 1,000 frames of 24 ms are 24 s, a millisecond for what is inexact begins a tenth, and a message may add 2.
    const { value: compressed } = await quoted(heard(mp3(1_000), 'mp3'), ...then)
    expect(compressed.usage[1]).toMatchObject({ least: 0, most: 243 })
    const { value: unread } = await quoted(heard('AAAA', 'wav'), ...then)
    expect(unread.reasons).toContain(
      'the request has a sound of unknown length, and only the context window of the model bounds its input.',
    )
  })

  it('holds far less of a long prompt than its bytes', async () => {
    const long = { ...hello, messages: [{ role: 'user', content: 'hello '.repeat(2000) }] }
    const { value } = await quoted(long)
    const { tokens: counted } = value.prompt
    expect(counted).toBeLessThan(2100)
    expect(value.usage[0].most).toBe(counted + 128)
  })

  it('takes what the model gives at most where the request sets no limit', async () => {
    const { value } = await quoted({ ...hello, max_tokens: undefined })
    expect(value.usage[1].most).toBe(16_384)
    expect(value.reasons[1]).toBe('output_text_tokens: up to 16384, the most that gpt-4o-mini gives.')
  })

  it('names a model without a price and ends with 4', async () => {
    const { exit, value } = await quoted(hello, '--model', 'gpt-99')
    expect([exit, value.least, value.most, value.prompt, fits('quote-1', value)]).toEqual([
      4,
      null,
      null,
      null,
      [],
    ])
    expect(value.unpriced[0]).toMatchObject({ meter: 'input_text_tokens', code: 'unknown_model' })
  })

  it('prints a table for people', async () => {
    const { exit, out } = await run(quote, ['--at', '2026-10-15'], JSON.stringify(hello))
    expect(exit).toBe(0)
    expect(out.split('\n')[0]).toBe('chat-completions with gpt-4o-mini (openai), priced on 2026-10-15')
    expect(out).toMatch(/^most +0\.0000753$/m)
  })

  it('answers an array with an array, and lines with lines', async () => {
    const { value } = await quoted([hello, hello])
    expect(value).toHaveLength(2)
    const line = JSON.stringify(hello)
    const lines = await run(quote, ['--at', '2026-10-15', '--json'], `${line}\n{"messages":[]}\n${line}\n`)
    expect([lines.exit, lines.out.trim().split('\n').length]).toEqual([1, 3])
    expect(lines.err).toContain('line 2: The body names no model. Name one with --model.')
  })

  it.each([
    [['--provider', 'acme'], 'There is no provider "acme"'],
    [['--endpoint', 'images'], 'Requests to "images" of openai cannot be quoted. Those to chat-completions,'],
    [['--expected-output', 'some'], '--expected-output is "some"'],
    [['--at', 'yesterday'], '"yesterday" is not an instant'],
  ])('refuses %j with exit 2, and says why', async (args, message) => {
    const { exit, out, err } = await run(quote, args, JSON.stringify(hello))
    expect([exit, out]).toEqual([2, ''])
    expect(err).toContain(message)
  })

  it.each([
    ['[1]', 'A request body must be a JSON object'],
    ['{"model":', 'bad_json'],
    ['', 'The input is empty'],
    [`{"model":"gpt-4o","messages":${'['.repeat(20_000)}${']'.repeat(20_000)}}`, 'nested too deep'],
  ])('refuses the body %.20s', async (body, message) => {
    const { exit, err } = await run(quote, [], body)
    expect(exit).toBe(2)
    expect(err).toContain(message)
  })
})

/** A second of silence as WAV: 8,000 samples of a byte. */
const oneSecond = (): Buffer => {
  const head = Buffer.alloc(44)
  head.write('RIFF', 0)
  head.writeUInt32LE(36 + 8000, 4)
  head.write('WAVEfmt ', 8)
  head.writeUInt32LE(16, 16)
  head.writeUInt16LE(1, 20)
  head.writeUInt16LE(1, 22)
  head.writeUInt32LE(8000, 24)
  head.writeUInt32LE(8000, 28)
  head.writeUInt16LE(1, 32)
  head.writeUInt16LE(8, 34)
  head.write('data', 36)
  head.writeUInt32LE(8000, 40)
  return Buffer.concat([head, Buffer.alloc(8000, 128)])
}

describe('octroi tokens', () => {
  const counted = async (args: readonly string[], stdin = '') => {
    const { out } = await run(tokens, [...args, '--json'], stdin)
    const value = JSON.parse(out)
    expect(fits('tokens-1', value)).toEqual([])
    return value
  }

  it('counts a text by the encoding of the model', async () => {
    expect(await counted(['--model', 'gpt-4o'], 'hello world')).toEqual({
      ...{ schema: 'octroi-tokens/1', tokens: 2, class: 'exact', rule: 'o200k_base', low: 2, high: 2 },
    })
  })

  it('counts the prompt of a request', async () => {
    const count = await counted(['--model', 'gpt-4o-mini', '--chat'], JSON.stringify(hello))
    expect(count).toMatchObject({ tokens: 12, class: 'exact', rule: 'openai-chat/gpt-4o' })
  })

  it('counts the images of a request by the rule of that day, and bounds what the model has no rule for', async () => {
    const shown = (model: string) =>
      JSON.stringify({
        model,
        messages: [
          {
            role: 'user',
            content: [{ type: 'image_url', image_url: { url: png(1800, 2400), detail: 'high' } }],
          },
        ],
      })
    const chat = ['--chat', '--model', 'gpt-4.1-mini', '--at']
    // 1,452 patches at 1.62, a token more or less, and 7 of text; since July 2026 up to 6,144 patches.
    const before = await counted([...chat, '2025-06-01'], shown('gpt-4.1-mini'))
    expect(before).toMatchObject({ tokens: 2360, low: 2359, high: 2361 })
    const after = await counted([...chat, '2026-08-01'], shown('gpt-4.1-mini'))
    expect(after.tokens).toBeGreaterThan(4_000)
    const unruled = await counted(['--model', 'acme-1', '--chat'], shown('acme-1'))
    expect(unruled).toMatchObject({ tokens: null, low: 1, high: null })
  })

  it('bounds by its bytes what it cannot count', async () => {
    expect(await counted(['--model', 'acme-1'], 'hello')).toMatchObject({
      tokens: null,
      class: 'bound',
      high: 5,
    })
  })

  it('counts an image: 85 tokens at low detail, 765 for 1000 x 1000 at high', async () => {
    expect(await counted(['--model', 'gpt-4o', '--image', '1000x1000:low'])).toMatchObject({ tokens: 85 })
    expect(await counted(['--model', 'gpt-4o', '--image', '1000x1000:high'])).toMatchObject({ tokens: 765 })
  })

  it('counts a sound by its length: ten tokens a second', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'octroi-tokens-'))
    const file = join(folder, 'second.wav')
    writeFileSync(file, oneSecond())
    const count = await counted(['--model', 'gpt-realtime', '--audio', file])
    const noise = join(folder, 'noise.wav')
    writeFileSync(noise, 'no sound')
    const broken = await run(tokens, ['--model', 'gpt-realtime', '--audio', noise])
    rmSync(folder, { recursive: true })
    expect(count).toMatchObject({ tokens: 10, class: 'formula' })
    expect([broken.exit, broken.err]).toEqual([2, expect.stringContaining('Give a whole recording.')])
  })

  it('refuses what it cannot read', async () => {
    const image = await run(tokens, ['--model', 'gpt-4o', '--image', 'big'])
    expect([image.exit, image.err]).toEqual([2, expect.stringContaining('--image is "big"')])
    const missing = await run(tokens, ['--model', 'gpt-4o', '/nowhere/a.txt'])
    expect([missing.exit, missing.err]).toEqual([2, expect.stringContaining('Cannot read /nowhere/a.txt')])
    const body = await run(tokens, ['--model', 'gpt-4o', '--chat'], '[]')
    expect([body.exit, body.err]).toEqual([2, expect.stringContaining('must be a JSON object')])
    expect((await run(tokens, [], 'text')).exit).toBe(2)
  })
})
