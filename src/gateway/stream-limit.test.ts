import { join } from 'node:path'
import Anthropic from '@anthropic-ai/sdk'
import { GoogleGenAI } from '@google/genai'
import OpenAI, { APIError } from 'openai'
import { afterEach, describe, expect, it } from 'vitest'
import { startWorld, type TestWorld } from '../../test/support/world.ts'
import { bundledPrices } from '../cli/bundled.ts'
import { openSqlite } from '../ledger/databases/sqlite.ts'
import { ledgerStore, verify } from '../ledger/ledger.ts'
import { formatPicos } from '../money/money.ts'
import { openPriceBook } from '../pricing/price-book.ts'
import { openNow } from '../sandbox/now/vendors.fixture.ts'

let world: TestWorld
afterEach(async () => {
  await world.close()
})

const month = { name: 'month', measure: 'cost', window: { calendar: 'month' } }

/** A gateway before vendors of today whose next streams never end, and their official clients. */
const openEndless = async (limits: readonly object[], gateway: object = {}) => {
  const { sandbox } = await openNow({ outputTokens: 40 })
  for (const endpoint of ['chat-completions', 'responses', 'messages', 'generate-content'] as const) {
    sandbox.faults.add({ kind: 'endless', endpoint, times: 10 })
  }
  const keyVariable = 'VENDOR_KEY'
  const providers = {
    openai: { baseUrl: `${sandbox.url}/v1`, keyVariable },
    anthropic: { baseUrl: `${sandbox.url}/anthropic/v1`, keyVariable },
    google: { baseUrl: `${sandbox.url}/google`, keyVariable },
  }
  const config = { anonymous: true, providers, limits }
  world = await startWorld({ at: '2026-11-25T12:00:00Z', config, gateway })
  const named = { name: null, organization: null, project: null, environment: null, team: 'search' }
  const { secret } = await world.gateway.registry.createKey(named, world.clock.now())
  const url = world.gateway.url
  return {
    sandbox,
    openai: new OpenAI({ apiKey: secret, baseURL: `${url}/openai/v1`, maxRetries: 2 }),
    anthropic: new Anthropic({ apiKey: secret, baseURL: `${url}/anthropic`, maxRetries: 2 }),
    google: new GoogleGenAI({
      ...{ apiKey: secret, vertexai: false },
      httpOptions: { baseUrl: `${url}/google` },
    }),
  }
}

/** What reading a stream to its end throws. */
const thrownBy = async (stream: PromiseLike<AsyncIterable<unknown>>): Promise<unknown> => {
  try {
    for await (const _ of await stream);
  } catch (error) {
    return error
  }
  return null
}

const messages = [{ role: 'user' as const, content: 'Count on.' }]

const model = 'gpt-4o'
const chat = { model, messages, max_tokens: 100, stream: true } as const

/** The ledger, which agrees with itself, and what it has: each call once. */
const checked = async () => {
  const file = join(world.folder, 'ledger.sqlite')
  const reader = await openSqlite({ file, stores: [ledgerStore], readOnly: true })
  const found = await verify(reader)
  await reader.close()
  return found
}

const state = () => {
  const [first] = world.gateway.limits()
  return first === undefined ? null : { held: first.held, over: formatPicos(first.over) }
}

const lastSettlement = () => world.till.at(-1)?.settlement

describe('a stream that never ends', () => {
  it('ends where its call has used up the limit, and OpenAI’s client is told so', async () => {
    const { openai } = await openEndless([{ ...month, cap: '0.004' }])
    const error = await thrownBy(openai.chat.completions.create(chat))
    expect(error).toBeInstanceOf(APIError)
    expect(error).toMatchObject({
      code: 'insufficient_quota',
      type: 'insufficient_quota',
      error: { octroi: { code: 'budget_exceeded', limit: 'month', cap: '0.004' } },
    })
    await expect.poll(() => world.till.length).toBe(1)
    expect(lastSettlement()).toMatchObject({ basis: 'estimated', status: 200 })
    expect(lastSettlement()?.note).toContain('The reply ended at a limit')
    // 0.004 buys 400 tokens of output, one an event; the stream is looked at every 16 events.
    expect(world.till[0]?.cost).toBeGreaterThan(4_000_000_000n)
    expect(world.till[0]?.cost).toBeLessThan(4_400_000_000n)
    expect(state()?.held).toBe(0n)
    expect(await checked()).toMatchObject({ agrees: true, entries: 2, calls: 1 })
    expect(world.faults).toEqual([])
  })

  it('of Responses ends with its error event', async () => {
    const { openai } = await openEndless([{ ...month, cap: '0.004' }])
    const asked = openai.responses.create({ model, input: 'Count on.', max_output_tokens: 100, stream: true })
    expect(await thrownBy(asked)).toMatchObject({
      error: { code: 'insufficient_quota', octroi: { limit: 'month' } },
    })
    await expect.poll(() => lastSettlement()?.note).toContain('The reply ended at a limit')
    expect(lastSettlement()?.basis).toBe('estimated')
  })

  it('of Messages ends with its error event, its input as the vendor said it', async () => {
    const { anthropic } = await openEndless([{ ...month, cap: '0.004' }])
    const asked = { model: 'claude-sonnet-5', messages, max_tokens: 100, stream: true } as const
    const error = await thrownBy(anthropic.messages.create(asked))
    expect(error).toBeInstanceOf(Anthropic.APIError)
    expect(error).toMatchObject({
      error: { type: 'error', error: { type: 'billing_error', octroi: { code: 'budget_exceeded' } } },
    })
    await expect.poll(() => lastSettlement()?.note).toContain('its input is measured')
    expect(lastSettlement()?.charges.map(({ meter }) => meter)).toEqual([
      'input_text_tokens',
      'output_text_tokens',
    ])
  })

  it('of generateContent ends with its error event', async () => {
    const { google } = await openEndless([
      { name: 'minute', measure: 'output_tokens', cap: '150', window: { bucket: '1m' } },
    ])
    const config = { maxOutputTokens: 100, thinkingConfig: { thinkingBudget: 0 } }
    const asked = google.models.generateContentStream({
      model: 'gemini-2.5-flash',
      contents: 'Count on.',
      config,
    })
    const error = await thrownBy(asked)
    expect(error).toMatchObject({ status: 429, message: expect.stringContaining('RESOURCE_EXHAUSTED') })
    await expect.poll(() => lastSettlement()?.note).toContain('The reply ended at a limit')
    // What the vendor said last is less than what came.
    expect(lastSettlement()).toMatchObject({ basis: 'estimated', used: { output_tokens: 160n } })
  })

  it('ends for a client that has gone as well', async () => {
    const { openai } = await openEndless([{ ...month, cap: '0.003' }])
    for await (const _ of await openai.chat.completions.create(chat)) break
    await expect.poll(() => world.till.length, { timeout: 5_000 }).toBe(1)
    expect(lastSettlement()?.note).toContain('The reply ended at a limit')
    expect(await checked()).toMatchObject({ agrees: true, entries: 2 })
  })

  it('ends at a limit on tokens, which is no budget', async () => {
    const minute = { name: 'minute', measure: 'output_tokens', cap: '300', window: { bucket: '1m' } }
    const { openai } = await openEndless([minute])
    expect(await thrownBy(openai.chat.completions.create(chat))).toMatchObject({
      code: 'rate_limit_exceeded',
      error: { octroi: { code: 'rate_limited', limit: 'minute', measure: 'output_tokens', held: '100' } },
    })
    await expect.poll(() => Number(lastSettlement()?.used?.output_tokens)).toBeGreaterThan(300)
    expect(Number(lastSettlement()?.used?.output_tokens)).toBeLessThan(340)
  })

  it('ends later where the limit has room, and not at a limit that only warns', async () => {
    const { openai } = await openEndless([
      { ...month, name: 'told', cap: '0.001', action: 'warn' },
      { ...month, name: 'month', cap: '0.005' },
    ])
    expect(await thrownBy(openai.chat.completions.create(chat))).toMatchObject({
      error: { octroi: { limit: 'month' } },
    })
    await expect.poll(() => world.till.length).toBe(1)
    expect(world.till[0]?.cost).toBeGreaterThan(5_000_000_000n)
  })

  it('does not take the room that another one has taken', async () => {
    const { openai } = await openEndless([{ ...month, cap: '0.006' }])
    const both = [1, 2].map(() => thrownBy(openai.chat.completions.create(chat)))
    expect(await Promise.all(both)).toMatchObject([
      { error: { octroi: { limit: 'month' } } },
      { error: { octroi: { limit: 'month' } } },
    ])
    await expect.poll(() => world.till.length).toBe(2)
    const spent = world.till.reduce((sum, { cost }) => sum + cost, 0n)
    expect(spent).toBeGreaterThan(6_000_000_000n)
    expect(spent).toBeLessThan(7_200_000_000n)
    expect(await checked()).toMatchObject({ agrees: true, entries: 4, calls: 2 })
  })
})

describe('a stream that goes on after the end of its reply', () => {
  it('is broken off, limits or not', async () => {
    const { google } = await openEndless([])
    // All of the output are thoughts: the first event is the last, and comes again and again.
    const asked = { model: 'gemini-3.8-flash', contents: 'Count on.', config: { maxOutputTokens: 100 } }
    expect(await thrownBy(google.models.generateContentStream(asked))).toMatchObject({ status: 502 })
    await expect.poll(() => lastSettlement()?.note).toContain('after the end of the reply')
    expect(lastSettlement()?.charges.map(({ meter, quantity }) => [meter, quantity])).toEqual([
      ['input_text_tokens', 4],
      ['output_reasoning_tokens', 100],
    ])
  })
})

describe('a stream of which nobody knows the most', () => {
  it('ends where it has used up the limit at its ceiling, and says so', async () => {
    const book = openPriceBook(
      (await bundledPrices()).map((file) => ({
        ...file,
        prices: file.prices.filter((row) => row.model !== model && row.aliases?.includes(model) !== true),
      })),
    )
    const ceiling = { perMillionInputTokens: '10', perMillionOutputTokens: '20', perCall: '0.002' }
    const noFacts = { all: [], byName: new Map(), tuned: new Map() }
    const limits = [{ ...month, cap: '0.005', unpriced: { ceiling } }]
    const { openai } = await openEndless(limits, { book, models: noFacts })
    const { max_tokens: _, ...unbounded } = chat
    const error = await thrownBy(openai.chat.completions.create(unbounded))
    expect(error).toMatchObject({ error: { octroi: { code: 'budget_exceeded', held: '0.00283' } } })
    expect(String(error)).toContain('at the ceiling of what has no price')
    await expect.poll(() => world.till.length).toBe(1)
    expect(lastSettlement()).toMatchObject({ basis: 'estimated', charges: [] })
    // 0.005 buys 250 tokens at the ceiling, of which the stream is looked at every 16.
    const unresolved = lastSettlement()?.unresolved?.[0]?.amount ?? 0n
    expect(unresolved).toBeGreaterThan(5_000_000_000n)
    expect(unresolved).toBeLessThan(5_800_000_000n)
    expect(await checked()).toMatchObject({ agrees: true, entries: 2 })
  })
})

describe('a stream within what its call was held at', () => {
  it('goes on to its end, whatever has become of the limit', async () => {
    const { sandbox, openai } = await openEndless([{ ...month, cap: '0.0013' }])
    sandbox.faults.clear()
    expect(await thrownBy(openai.chat.completions.create(chat))).toBeNull()
    expect(lastSettlement()).toMatchObject({ basis: 'measured', note: null })
  })
})
