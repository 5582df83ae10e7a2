import { createOpenAI } from '@ai-sdk/openai'
import { ChatOpenAI } from '@langchain/openai'
import { generateText } from 'ai'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { parsePicos } from '../../src/money/money.ts'
import { type Doorkeeper, startDoorkeeper } from '../support/doorkeeper.ts'
import { gathered } from './gathered.ts'
import { type NowWorld, officialClients, startNow } from './now-world.ts'

/** Official clients whose calls are refused, by a vendor or by a budget: how often they come, and what is billed. */

let world: NowWorld
let door: Doorkeeper
let keys: Readonly<Record<'search' | 'poor', string>>
/** The key that calls are made with. */
let secret: string

beforeAll(async () => {
  const window = { calendar: 'month' }
  const limits = [{ name: 'poor', measure: 'cost', cap: '0.000000001', window, match: { team: 'poor' } }]
  world = await startNow({ limits, sandbox: { outputTokens: 60 } })
  door = await startDoorkeeper(world.gateway.url)
  const [search, poor] = await Promise.all([world.access('search'), world.access('poor')])
  keys = { search: search.secret, poor: poor.secret }
})
beforeEach(() => {
  secret = keys.search
  world.sandbox.faults.clear()
  door.came()
})
afterAll(async () => {
  door.close()
  await world.close()
})

const clients = (maxRetries: number) => officialClients({ url: door.url, secret }, { maxRetries })
const vercel = () => createOpenAI({ apiKey: secret, baseURL: `${door.url}/v1` })
const langchain = (model: string, maxRetries: number) =>
  new ChatOpenAI({ model, apiKey: secret, configuration: { baseURL: `${door.url}/v1` }, maxRetries })

const amount = (): bigint => parsePicos(world.sandbox.total().amount)
const question = 'How many moons has Mars?'
const asked = [{ role: 'user' as const, content: question }]

/** One call of each client, which may try again. */
const calls: Readonly<Record<string, (maxRetries: number) => Promise<unknown>>> = {
  openai: (maxRetries) =>
    clients(maxRetries).openai.chat.completions.create({ model: 'gpt-4o', messages: asked }),
  'openai, streamed': async (maxRetries) =>
    gathered(
      await clients(maxRetries).openai.chat.completions.create({
        model: 'gpt-4o',
        messages: asked,
        stream: true,
      }),
    ),
  'openai, responses': (maxRetries) =>
    clients(maxRetries).openai.responses.create({ model: 'gpt-4o', input: question }),
  '@anthropic-ai/sdk': (maxRetries) =>
    clients(maxRetries).anthropic.messages.create({
      model: 'claude-haiku-4-5',
      max_tokens: 200,
      messages: asked,
    }),
  '@google/genai': (maxRetries) =>
    clients(maxRetries).google.models.generateContent({ model: 'gemini-2.5-flash', contents: question }),
  ai: (maxRetries) => generateText({ model: vercel().chat('gpt-4o'), prompt: question, maxRetries }),
  'ai, responses': (maxRetries) =>
    generateText({ model: vercel().responses('gpt-4o'), prompt: question, maxRetries }),
  LangChain: (maxRetries) => langchain('gpt-4o', maxRetries).invoke(question),
}

describe.each(Object.keys(calls))('a call of %s', (name) => {
  const call = (maxRetries: number): Promise<unknown> => calls[name]?.(maxRetries) ?? Promise.resolve()

  it.each([429, 500])(
    'that the vendor refuses with %d is tried again, and is billed once',
    async (status) => {
      const [lines, before] = [world.till.length, amount()]
      const headers = { 'retry-after': '1', 'retry-after-ms': '5' }
      world.sandbox.faults.add({ kind: 'status', status, headers })
      await call(2)
      expect(door.came()).toBe(2)
      expect(world.sandbox.faults.list()).toEqual([])
      const [refused, answered] = world.till.slice(lines)
      expect(world.till.length - lines).toBe(2)
      expect(refused).toMatchObject({ cost: 0n, settlement: { status, charges: [] } })
      expect(answered).toMatchObject({ cost: amount() - before, settlement: { status: 200 } })
      expect(answered?.cost).toBeGreaterThan(0n)
    },
  )

  it('that a budget refuses is one attempt, of which the vendor hears nothing', async () => {
    secret = keys.poor
    const [lines, before] = [world.till.length, amount()]
    // Whoever came to the vendor would use one of these up.
    world.sandbox.faults.add({ kind: 'status', status: 500, times: 100 })
    await expect(call(2)).rejects.toThrow(/quota exceeded/)
    expect(door.came()).toBe(1)
    expect(world.sandbox.faults.list()).toMatchObject([{ times: 100 }])
    expect([world.till.length, amount()]).toEqual([lines, before])
    expect(world.gateway.limits()[0]).toMatchObject({ settled: 0n, held: 0n, unresolved: 0n })
  })
})
