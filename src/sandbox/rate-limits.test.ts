import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openVendorLimits } from '../limits/vendor-limits.ts'
import type { VendorTier } from '../limits/vendor-tier.ts'
import { manualClock } from '../time.ts'
import { askedOf } from './asked.ts'
import { durationText, openRateLimits } from './rate-limits.ts'
import { noon } from './sandbox.fixture.ts'

const limits = openVendorLimits([
  JSON.parse(readFileSync(new URL('../../prices/limits/openai.json', import.meta.url), 'utf8')),
])

const second = 1000
const minute = 60 * second

const open = (tier: VendorTier = '1') => {
  const clock = manualClock(noon)
  const { admit } = openRateLimits({ limits, clock, organization: 'org-sandbox', tier: () => tier })
  const chat = (model: string, more: object = {}) =>
    admit({
      path: '/v1/chat/completions',
      body: { model, messages: [{ role: 'user', content: 'Hi' }], ...more },
    })
  const images = (n?: number, model = 'dall-e-3') =>
    admit({ path: '/v1/images/generations', body: { model, ...(n !== undefined && { n }) } })
  const transcribe = () => admit({ path: '/v1/audio/transcriptions', body: { model: 'whisper-1' } })
  return { clock, chat, images, transcribe }
}

const times = <T>(count: number, work: () => T): readonly T[] => Array.from({ length: count }, work)

describe('GPT-4 Vision', () => {
  it('refuses the 21st request in a minute and tells the three seconds until there is room', () => {
    const { clock, chat } = open()
    for (const { refusal } of times(20, () => chat('gpt-4-vision-preview'))) expect(refusal).toBeNull()
    const { refusal } = chat('gpt-4-vision-preview')
    expect(refusal).toMatchObject({ status: 429, type: 'requests', param: null, code: 'rate_limit_exceeded' })
    expect(refusal?.message).toBe(
      'Rate limit reached for gpt-4-vision-preview in organization org-sandbox on requests per min (RPM): ' +
        'Limit 20, Used 20, Requested 1. Please try again in 3s. Visit ' +
        'https://platform.openai.com/account/rate-limits to learn more.',
    )
    clock.advance(3 * second - 1)
    expect(chat('gpt-4-vision-preview').refusal).not.toBeNull()
    clock.advance(1)
    expect(chat('gpt-4-vision-preview').refusal).toBeNull()
  })

  it('refuses the 101st request of a day, five minutes in, and tells the 14 minutes and 24 seconds of one', () => {
    const { clock, chat } = open()
    for (let passed = 0; passed < 5; passed += 1) {
      for (const { refusal } of times(20, () => chat('gpt-4-vision-preview'))) expect(refusal).toBeNull()
      clock.advance(minute)
    }
    const { refusal, headers } = chat('gpt-4-vision-preview')
    expect(refusal?.message).toContain(
      'on requests per day (RPD): Limit 100, Used 100, Requested 1. Please try again in 14m24s.',
    )
    expect(headers).toMatchObject({
      'x-ratelimit-limit-requests': '100',
      'x-ratelimit-remaining-requests': '0',
    })
  })
})

describe('images', () => {
  it('of DALL-E 3 are six a minute: the 7th is refused, and drawn ten seconds later', () => {
    const { clock, images } = open()
    for (const { refusal } of times(6, () => images())) expect(refusal).toBeNull()
    expect(images().refusal).toMatchObject({
      type: 'requests',
      code: 'rate_limit_exceeded',
      message:
        'Rate limit exceeded for images per minute in organization org-sandbox. Limit: 6/1min. Current: 7/1min. ' +
        'Please visit https://platform.openai.com/docs/guides/rate-limits to learn how to increase your rate limit.',
    })
    clock.advance(10 * second)
    expect(images().refusal).toBeNull()
  })

  it('count as many as are asked for at once', () => {
    const { images } = open()
    expect(images(4, 'dall-e-2').refusal).toBeNull()
    expect(images(2, 'dall-e-2').refusal?.message).toContain('Limit: 5/1min. Current: 6/1min.')
    expect(images(1, 'dall-e-2').refusal).toBeNull()
    expect(images(7).refusal?.message).toContain('Limit: 6/1min. Current: 7/1min.')
  })
})

it('refuses the 51st transcription of a minute', () => {
  const { transcribe } = open()
  for (const { refusal } of times(50, transcribe)) expect(refusal).toBeNull()
  expect(transcribe().refusal?.message).toContain(
    'for whisper-1 in organization org-sandbox on requests per min (RPM): Limit 50, Used 50, Requested 1. ' +
      'Please try again in 1.2s.',
  )
})

describe('tokens', () => {
  it('are held when a request is let in: a quarter of its characters, and max_tokens of each choice', () => {
    const tokens = (body: object) => askedOf('/v1/chat/completions', { model: 'm', ...body })?.tokens
    const messages = [{ role: 'user', content: 'x'.repeat(1604) }]
    expect(tokens({ messages, max_tokens: 4096 })).toBe(4497)
    expect(tokens({ messages, max_tokens: 100, n: 3 })).toBe(701)
    expect(tokens({ messages })).toBe(416)
    expect(tokens({ messages: [{ content: [{ text: 'four' }, { image_url: { url: 'data:,x' } }] }] })).toBe(
      16,
    )
    expect(askedOf('/v1/embeddings', { model: 'm', input: ['four', 'four', [1, 2]] })?.tokens).toBe(4)
    expect(askedOf('/v1/completions', { model: 'm', prompt: 'four', max_tokens: 9 })?.tokens).toBe(10)
  })

  it.each([[null], [7], ['text'], [[null, 7, { content: 7 }]], [[{ content: [null, {}] }]]])(
    'of messages that are none, such as %j, are those of the answer',
    (messages) => {
      expect(askedOf('/v1/chat/completions', { model: 'm', messages })?.tokens).toBe(15)
    },
  )

  it('are refused above the limit of a minute, with the wait of the vendor (2023-11-22: 7.188 seconds)', () => {
    const { clock, chat } = open()
    clock.advance(7 * 24 * 60 * minute)
    const hold = (tokens: number) => chat('gpt-4-vision-preview', { messages: [], max_tokens: tokens })
    expect(hold(6701).refusal).toBeNull()
    const { refusal, headers } = hold(4497)
    expect(refusal).toMatchObject({ type: 'tokens', code: 'rate_limit_exceeded' })
    expect(refusal?.message).toContain(
      'on tokens per min (TPM): Limit 10000, Used 6701, Requested 4497. Please try again in 7.188s.',
    )
    expect(headers).toMatchObject({
      'x-ratelimit-remaining-tokens': '3299',
      'x-ratelimit-remaining-requests': '99',
    })
  })

  it('that no minute has are refused without a wait (2023-11-10)', () => {
    const { chat } = open()
    const { refusal } = chat('gpt-4-vision-preview', { messages: [], max_tokens: 47_463 })
    expect(refusal?.message).toBe(
      'Request too large for gpt-4-vision-preview in organization org-sandbox on tokens per min (TPM): ' +
        'Limit 20000, Requested 47463. The input or output tokens must be reduced in order to run successfully. ' +
        'Visit https://platform.openai.com/account/rate-limits to learn more.',
    )
    expect(chat('gpt-4-vision-preview', { max_tokens: Number.MAX_SAFE_INTEGER }).refusal?.type).toBe('tokens')
  })

  it('of a day are shown before those of a minute (headers of 2023-12-03)', () => {
    const { clock, chat } = open('2')
    clock.advance(18 * 24 * 60 * minute)
    for (let passed = 0; passed < 5; passed += 1) {
      chat('gpt-4-1106-preview', { messages: [], max_tokens: 57_598 })
      clock.advance(minute)
    }
    const { headers } = chat('gpt-4-1106-preview', { messages: [], max_tokens: 1 })
    expect(headers['x-ratelimit-limit-tokens']).toBe('1500000')
    expect(headers['x-ratelimit-limit-requests']).toBe('500')
    expect(headers['x-ratelimit-reset-requests']).toBe('120ms')
    // 287,991 were held, of which five minutes at 1,041.67 a minute have drained.
    expect(headers['x-ratelimit-remaining-tokens']).toBe('1217217')
    expect(headers['x-ratelimit-reset-tokens']).toBe('4h31m28.282s')
  })
})

describe('a bucket', () => {
  it('is shared by a model, its snapshots and what is tuned of them, and by nothing else', () => {
    const { chat } = open('free')
    expect(chat('gpt-3.5-turbo').refusal).toBeNull()
    expect(chat('gpt-3.5-turbo-1106').refusal).toBeNull()
    expect(chat('ft:gpt-3.5-turbo-0613:acme::x').refusal).toBeNull()
    expect(chat('gpt-3.5-turbo').refusal?.message).toContain(
      'Limit 3, Used 3, Requested 1. Please try again in 20s.',
    )
    expect(chat('gpt-4').refusal).toBeNull()
  })

  it('counts what it lets in, whole, and nothing of what it refuses', () => {
    const { chat } = open()
    chat('gpt-4-vision-preview', { messages: [], max_tokens: 15_000 })
    for (const { refusal } of times(30, () =>
      chat('gpt-4-vision-preview', { messages: [], max_tokens: 9000 }),
    )) {
      expect(refusal?.type).toBe('tokens')
    }
    const { headers } = chat('gpt-4-vision-preview', { messages: [], max_tokens: 5000 })
    expect(headers).toEqual({
      'x-ratelimit-limit-requests': '100',
      'x-ratelimit-remaining-requests': '98',
      'x-ratelimit-reset-requests': '28m48s',
      'x-ratelimit-limit-tokens': '20000',
      'x-ratelimit-remaining-tokens': '0',
      'x-ratelimit-reset-tokens': '1m0s',
    })
  })

  it('does not fill when the clock is set back', () => {
    let at = noon
    const clock = { now: () => at }
    const { admit } = openRateLimits({ limits, clock, organization: 'o', tier: () => 'free' })
    const ask = () => admit({ path: '/v1/audio/speech', body: { model: 'tts-1' } }).refusal
    for (const refusal of times(3, ask)) expect(refusal).toBeNull()
    at -= minute
    expect(ask()?.message).toContain('Used 3')
  })
})

it('never lets in more than the limit and what has drained since, and always as much', () => {
  const pauses = fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 60 })
  fc.assert(
    fc.property(pauses, (waits) => {
      const { clock, chat } = open('free')
      let admitted = 0
      let passed = 0
      for (const wait of waits) {
        clock.advance(wait)
        passed += wait
        if (chat('gpt-3.5-turbo').refusal === null) admitted += 1
        expect(admitted).toBeLessThanOrEqual(3 + (3 * passed) / minute)
      }
      clock.advance(minute)
      for (const { refusal } of times(3, () => chat('gpt-3.5-turbo'))) expect(refusal).toBeNull()
    }),
  )
})

it.each([
  ['/v1/models', { model: 'gpt-4' }],
  ['/v1/chat/completions', {}],
  ['/v1/chat/completions', { model: 7 }],
  ['/v1/chat/completions', { model: 'gpt-4-32k', messages: [] }],
  ['toString', { model: 'gpt-4' }],
])('limits nothing on %s with %j: nothing is known of it', (path, body) => {
  const { admit } = openRateLimits({ limits, clock: manualClock(noon), organization: 'o', tier: () => '1' })
  for (const rated of times(200, () => admit({ path, body })))
    expect(rated).toEqual({ headers: {}, refusal: null })
})

it.each([
  [0, '0s'],
  [174, '174ms'],
  [1000, '1s'],
  [8640, '8.64s'],
  [15_702, '15.702s'],
  [86_400, '1m26.4s'],
  [360_000, '6m0s'],
  [16_588_200, '4h36m28.2s'],
  [83_909_144, '23h18m29.144s'],
])('writes %i milliseconds as %s', (milliseconds, text) => {
  expect(durationText(milliseconds)).toBe(text)
})
