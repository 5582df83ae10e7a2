import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toFile } from 'openai'
import { describe, expect, it, onTestFinished } from 'vitest'
import { manualClock } from '../time.ts'
import { noon, openSandbox } from './sandbox.fixture.ts'

const limits = {
  files: [JSON.parse(readFileSync(new URL('../../prices/limits/openai.json', import.meta.url), 'utf8'))],
}
const day = 86_400_000
const messages = [{ role: 'user' as const, content: 'What is this?' }]

const control = async (
  url: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; told: unknown }> => {
  const reply = await fetch(`${url}/sandbox/${path}`, {
    ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
  })
  return { status: reply.status, told: await reply.json() }
}

describe('the limits, over HTTP', () => {
  it('refuse the 21st Vision request of a minute to the official client, with what is left of the day', async () => {
    const clock = manualClock(noon)
    const { client } = await openSandbox({ clock, limits: { ...limits, tier: '1' } })
    const ask = () =>
      client.chat.completions
        .create({ model: 'gpt-4-vision-preview', messages, max_tokens: 20 })
        .withResponse()
    for (let made = 0; made < 20; made += 1) await ask()
    await expect(ask()).rejects.toMatchObject({
      status: 429,
      type: 'requests',
      code: 'rate_limit_exceeded',
      message: expect.stringContaining('Limit 20, Used 20, Requested 1. Please try again in 3s.'),
    })
    clock.advance(3000)
    const { response } = await ask()
    expect(response.headers.get('x-ratelimit-limit-requests')).toBe('100')
    expect(response.headers.get('x-ratelimit-remaining-requests')).toBe('79')
    expect(response.headers.get('x-ratelimit-limit-tokens')).toBe('20000')
  })

  it('refuse the 101st Vision request of a day', async () => {
    const clock = manualClock(noon)
    const { client, sandbox } = await openSandbox({ clock, limits: { ...limits, tier: '5' } })
    const ask = () =>
      client.chat.completions.create({ model: 'gpt-4-vision-preview', messages, max_tokens: 1 })
    for (let made = 0; made < 100; made += 1) {
      clock.advance(3000)
      await ask()
    }
    await expect(ask()).rejects.toThrow(
      '(RPD): Limit 100, Used 100, Requested 1. Please try again in 14m24s.',
    )
    expect(sandbox.calls()).toHaveLength(100)
  })

  it('refuse the 7th image of DALL-E 3 in a minute, and bill six', async () => {
    const { client, sandbox } = await openSandbox({ limits: { ...limits, tier: '1' } })
    const draw = () => client.images.generate({ model: 'dall-e-3', prompt: 'A gate' })
    for (let drawn = 0; drawn < 6; drawn += 1) await draw()
    await expect(draw()).rejects.toThrow('Limit: 6/1min. Current: 7/1min.')
    expect(sandbox.total()).toMatchObject({ calls: 6, amount: '0.24' })
  })

  it('refuse the 51st transcription of a minute', async () => {
    const { client } = await openSandbox({ limits: { ...limits, tier: '1' } })
    const speech = await client.audio.speech.create({ model: 'tts-1', voice: 'alloy', input: 'A gate.' })
    const bytes = Buffer.from(await speech.arrayBuffer())
    const transcribe = async () =>
      client.audio.transcriptions.create({ model: 'whisper-1', file: await toFile(bytes, 'gate.mp3') })
    for (let heard = 0; heard < 50; heard += 1) await transcribe()
    await expect(transcribe()).rejects.toThrow(
      '(RPM): Limit 50, Used 50, Requested 1. Please try again in 1.2s.',
    )
  })

  it('are off unless they are asked for', async () => {
    const { client } = await openSandbox()
    for (let made = 0; made < 25; made += 1) {
      const { response } = await client.chat.completions
        .create({ model: 'gpt-4-1106-preview', messages, max_tokens: 1 })
        .withResponse()
      expect(response.headers.get('x-ratelimit-limit-requests')).toBeNull()
    }
  })
})

describe('the account', () => {
  it('rises a tier with what it pays and the days since it first paid', async () => {
    const clock = manualClock(noon)
    const { client, sandbox } = await openSandbox({ clock, limits })
    const left = async () => {
      const { response } = await client.chat.completions.create({ model: 'gpt-4', messages }).withResponse()
      return response.headers.get('x-ratelimit-limit-tokens')
    }
    expect((await control(sandbox.url, 'account')).told).toMatchObject({
      tier: 'free',
      paid_usd: '0',
      credit_usd: null,
      first_payment_at: null,
      next_tier: { tier: '1', paid_usd: '5', days_since_first_payment: 0 },
    })
    expect(await left()).toBe('10000')
    expect((await control(sandbox.url, 'payments', { usd: '5' })).told).toMatchObject({
      tier: '1',
      paid_usd: '5',
    })
    expect(await left()).toBe('20000')
    await control(sandbox.url, 'payments', { usd: 45.5 })
    clock.advance(7 * day - 1)
    expect(sandbox.account.tier()).toBe('1')
    clock.advance(1)
    expect((await control(sandbox.url, 'account')).told).toMatchObject({
      tier: '2',
      paid_usd: '50.5',
      first_payment_at: '2023-11-15T12:00:00Z',
      next_tier: { tier: '3', paid_usd: '100', days_since_first_payment: 7 },
      limits: expect.arrayContaining([
        expect.objectContaining({ model: 'gpt-4', requests_per_minute: 5000, tokens_per_minute: 40_000 }),
      ]),
    })
    expect(await left()).toBe('40000')
  })

  it('stays in the tier it is held in', async () => {
    const { sandbox } = await openSandbox({ limits: { ...limits, tier: '4' } })
    sandbox.account.pay('5')
    expect(sandbox.account.shown()).toMatchObject({ tier: '4', paid_usd: '5', next_tier: null })
  })

  it('is refused with insufficient_quota once its credit is spent, and no longer after it pays', async () => {
    const payments = [{ at: noon, usd: '0.01' }]
    const { client, sandbox } = await openSandbox({ account: { payments, prepaid: true }, outputTokens: 170 })
    const ask = () => client.chat.completions.create({ model: 'gpt-4', messages })
    await ask()
    expect(sandbox.account.shown()).toMatchObject({ spent_usd: '0.01053', credit_usd: '-0.00053' })
    await expect(ask()).rejects.toMatchObject({
      status: 429,
      code: 'insufficient_quota',
      type: 'insufficient_quota',
    })
    expect(sandbox.calls()).toHaveLength(1)
    sandbox.account.pay(1)
    await ask()
    expect(sandbox.calls()).toHaveLength(2)
  })

  it('keeps its payments, and makes those it began with once', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'octroi-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const options = {
      stateFile: join(folder, 'state.db'),
      limits,
      account: { payments: [{ at: noon - 8 * day, usd: '30' }] },
    }
    const { sandbox } = await openSandbox(options)
    sandbox.account.pay('20')
    await sandbox.close()
    const { sandbox: again } = await openSandbox(options)
    expect(again.account.shown()).toMatchObject({ tier: '2', paid_usd: '50' })
  })

  it.each([
    {},
    { usd: '0' },
    { usd: -5 },
    { usd: '1.234' },
    { usd: 'much' },
    { usd: 1e21 },
    { usd: null },
    'five',
  ])('cannot be paid with %j', async (body) => {
    const { sandbox } = await openSandbox()
    expect(await control(sandbox.url, 'payments', body)).toMatchObject({
      status: 400,
      told: {
        error: { code: 'bad_input', message: expect.stringContaining('A payment must be some dollars') },
      },
    })
    expect(sandbox.account.shown()).toMatchObject({ paid_usd: '0' })
  })
})
