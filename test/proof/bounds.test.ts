import type OpenAI from 'openai'
import { afterEach, describe, expect, it } from 'vitest'
import { formatPicos, parsePicos } from '../../src/money/money.ts'
import { textOfTokens } from '../../src/sandbox/replies.ts'
import { startWorld, type TestWorld } from '../support/world.ts'
import { beta, completed, doAll, longForm, seeded } from './work.ts'

/** A budget is never passed as long as no call costs more than it was held to. What a run bills depends on what
 * is in its thread, so the gateway must know of everything that came into it, however it came. Replies here are
 * as long as they can be: nothing else leaves room for a mistake. */

let world: TestWorld
afterEach(async () => {
  await world.close()
})

const headers = { headers: beta }
const limits = [{ name: 'all', measure: 'cost', cap: '1000', window: { calendar: 'month' } }]

const begin = async (latencyMs = 0): Promise<{ client: OpenAI; thread: string; assistant: string }> => {
  world = await startWorld({ config: { limits }, sandbox: { outputTokens: 4_096, latencyMs } })
  const client = await world.client('support')
  const assistant = await client.beta.assistants.create({ model: 'gpt-4-1106-preview' }, headers)
  const thread = await client.beta.threads.create({}, headers)
  return { client, thread: thread.id, assistant: assistant.id }
}

/** Runs the thread; tells what it cost, and by how much that is over the most it was quoted. */
const run = async ({ client, thread, assistant }: Awaited<ReturnType<typeof begin>>) => {
  const { data, response } = await client.beta.threads.runs
    .create(thread, { assistant_id: assistant }, headers)
    .withResponse()
  await completed(client, data)
  const most = parsePicos(response.headers.get('octroi-quote-usd') ?? '0')
  const cost = world.till.at(-1)?.cost ?? 0n
  return { cost: formatPicos(cost), over: formatPicos(cost > most ? cost - most : 0n) }
}

const say = ({ client, thread }: Awaited<ReturnType<typeof begin>>, tokens: number, seed: string) =>
  client.beta.threads.messages.create(thread, { role: 'user', content: textOfTokens(tokens, seed) }, headers)

describe('a run costs no more than it was quoted', () => {
  it('when its messages came one after another', async () => {
    const place = await begin()
    for (let each = 0; each < 20; each += 1) await say(place, 500, `${each}`)
    expect(await run(place)).toEqual({ cost: '0.22288', over: '0' })
  })

  it('when its messages came at the same time', async () => {
    const place = await begin(150)
    await Promise.all(Array.from({ length: 20 }, (_, each) => say(place, 500, `${each}`)))
    expect(await run(place)).toEqual({ cost: '0.22288', over: '0' })
  })

  it('when the reply to a message broke off, and the message is in the thread all the same', async () => {
    const place = await begin()
    world.sandbox.faults.add({ kind: 'cut', endpoint: 'messages', method: 'POST' })
    await expect(say(place, 5_000, 'lost')).rejects.toMatchObject({ status: 502 })
    expect(await run(place)).toEqual({ cost: '0.17288', over: '0' })
  })

  it('when the reply to new instructions broke off, and they hold all the same', async () => {
    const place = await begin()
    world.sandbox.faults.add({ kind: 'cut', endpoint: 'assistants', method: 'POST' })
    const instructions = textOfTokens(5_000, 'lost')
    const asked = place.client.beta.assistants.update(place.assistant, { instructions }, headers)
    await expect(asked).rejects.toMatchObject({ status: 502 })
    await say(place, 10, 'hello')
    expect(await run(place)).toEqual({ cost: '0.17298', over: '0' })
  })

  it('when the run before it was never asked after, only the messages were read', async () => {
    const place = await begin()
    const { client, thread, assistant } = place
    await say(place, 10, 'first')
    await client.beta.threads.runs.create(thread, { assistant_id: assistant }, headers)
    await expect
      .poll(async () => (await client.beta.threads.messages.list(thread, {}, headers)).data.length)
      .toBe(2)
    expect(await run(place)).toEqual({ cost: '0.16394', over: '0' })
  })
})

it('is not quoted more for what never reached the vendor, however often it was tried', async () => {
  const place = await begin()
  const object = () => world.gateway.registry.object({ upstream: 'openai', kind: 'thread', id: place.thread })
  await say(place, 10, 'first')
  const before = (await object())?.facts.tokensMost
  await world.sandbox.close()
  for (let each = 0; each < 3; each += 1) {
    await expect(say(place, 500, 'lost')).rejects.toMatchObject({ status: 502 })
    await expect(
      place.client.beta.threads.runs.create(place.thread, { assistant_id: place.assistant }, headers),
    ).rejects.toMatchObject({ status: 502 })
  }
  expect((await object())?.facts.tokensMost).toBe(before)
  expect(world.gateway.limits()[0]).toMatchObject({ held: 0n, unresolved: 0n })
})

/** What gpt-4-1106-preview cost: $0.01 and $0.03 for 1,000 tokens. */
const priceOf = ({ input_text_tokens, output_text_tokens }: Readonly<Record<string, number>>): bigint =>
  BigInt(input_text_tokens ?? 0) * 10_000_000n + BigInt(output_text_tokens ?? 0) * 30_000_000n

describe('a chat costs no more than it was quoted', () => {
  it.each([
    { limit: undefined, length: 4_096 },
    { limit: 40, length: 200 },
    { limit: 1, length: 200 },
  ])('with tokens that nobody sees, and replies as long as may be (%o)', async ({ limit, length }) => {
    world = await startWorld({ sandbox: { outputTokens: length, hiddenTokens: true } })
    const client = await world.client('search')
    for (const n of [1, 2, 3]) {
      for (const tokens of [1, 30, 300]) {
        const { response } = await client.chat.completions
          .create({
            model: 'gpt-4-1106-preview',
            messages: [{ role: 'user', content: textOfTokens(tokens, `${n} ${tokens}`) }],
            n,
            ...(limit !== undefined && { max_tokens: limit }),
          })
          .withResponse()
        const billed = priceOf(world.sandbox.calls().at(-1)?.usage ?? {})
        expect(billed).toBeLessThanOrEqual(parsePicos(response.headers.get('octroi-quote-usd') ?? '0'))
      }
    }
  })

  it('where only an exact count of its prompt fits into the budget', async () => {
    const tight = [{ name: 'all', measure: 'cost', cap: '0.13', window: { calendar: 'month' } }]
    world = await startWorld({ config: { limits: tight }, sandbox: { outputTokens: 20, hiddenTokens: true } })
    const client = await world.client('search')
    const content = textOfTokens(500, 'a question')
    expect(Buffer.byteLength(content)).toBeGreaterThan(2_000)
    const { response } = await client.chat.completions
      .create({ model: 'gpt-4-1106-preview', messages: [{ role: 'user', content }] })
      .withResponse()
    expect(response.headers.get('octroi-quote-usd')).toBe('0.12923')
    expect(priceOf(world.sandbox.calls().at(-1)?.usage ?? {})).toBeLessThanOrEqual(parsePicos('0.12923'))
  })
})

/** Whatever is asked for and however long the answers are, a vendor that adds tokens nobody sees bills no more
 * than was quoted: seeded calls of every kind that the sandbox bills by tokens. */
describe('no call of the sandbox costs more than it was quoted, with tokens that nobody sees', () => {
  const model = 'gpt-4-1106-preview'
  const chatCount = longForm ? 2_000 : 400
  const most = ({ headers: given }: Response) => parsePicos(given.get('octroi-quote-usd') ?? '0')

  /** The calls that cost more than their quote, by the sandbox's own books. */
  const overs = (quotes: ReadonlyMap<string, bigint>) => {
    const calls = world.sandbox.calls()
    expect(new Set(calls.map(({ id }) => id))).toEqual(new Set(quotes.keys()))
    return calls.filter(({ id, usage }) => priceOf(usage) > (quotes.get(id) ?? 0n))
  }

  it(`among ${chatCount} chats, whole and streamed`, { timeout: 120_000 }, async () => {
    world = await startWorld({ sandbox: { outputTokens: 60, hiddenTokens: true } })
    const client = await world.client('search')
    const random = seeded('bounds', 'chats')
    const upTo = (max: number) => random.whole({ least: 1, most: max })
    const quotes = new Map<string, bigint>()
    const chats = Array.from({ length: chatCount }, (_, each) => {
      const messages = Array.from({ length: upTo(4) }, (__, index) => ({
        role: index % 2 === 0 ? ('user' as const) : ('assistant' as const),
        content: textOfTokens(upTo(80), `${each} ${index}`),
      }))
      const limit = upTo(90)
      const asked = { model, messages, n: upTo(4), ...(limit <= 60 && { max_tokens: limit }) }
      const isStreamed = random.pick([true, false])
      return async () => {
        if (isStreamed) {
          const { data, response } = await client.chat.completions
            .create({ ...asked, stream: true })
            .withResponse()
          for await (const { id } of data) quotes.set(id, most(response))
        } else {
          const { data, response } = await client.chat.completions.create(asked).withResponse()
          quotes.set(data.id, most(response))
        }
      }
    })
    await doAll(chats, 8)
    expect(quotes.size).toBe(chatCount)
    expect(overs(quotes)).toEqual([])
  })

  it('among 100 runs of 20 threads', { timeout: 120_000 }, async () => {
    world = await startWorld({ sandbox: { outputTokens: 60, hiddenTokens: true } })
    const client = await world.client('support')
    const random = seeded('bounds', 'runs')
    const upTo = (max: number) => random.whole({ least: 1, most: max })
    const assistant = await client.beta.assistants.create({ model, instructions: 'Be short.' }, headers)
    const quotes = new Map<string, bigint>()
    const threads = Array.from({ length: 20 }, (_, each) => {
      const sizes = Array.from({ length: 5 }, () => upTo(200))
      return async () => {
        const thread = await client.beta.threads.create({}, headers)
        const place = { client, thread: thread.id, assistant: assistant.id }
        for (const size of sizes) {
          await say(place, size, `${each} ${size}`)
          const { data, response } = await client.beta.threads.runs
            .create(thread.id, { assistant_id: assistant.id }, headers)
            .withResponse()
          quotes.set(data.id, most(response))
          await completed(client, data)
        }
      }
    })
    await doAll(threads, 8)
    expect(quotes.size).toBe(100)
    expect(overs(quotes)).toEqual([])
  })
})
