import { Buffer } from 'node:buffer'
import { setTimeout as wait } from 'node:timers/promises'
import { afterEach, expect, it } from 'vitest'
import type { ReplyWire } from '../endpoints/endpoint.ts'
import { openai } from '../providers/openai.ts'
import { parseInstant } from '../time.ts'
import { type Counting, createCounting } from './counting.ts'

let counting: Counting
afterEach(() => counting.close())

/** What is counted here is counted on a busy machine too. */
const patient = { workMsMax: 20_000, waitMsMax: 20_000 }

const at = parseInstant('2024-06-01')
const as = { provider: 'openai', model: 'gpt-4o', at }
const place = { provider: 'openai', endpoint: 'chat-completions', path: '/chat/completions' }

const chat = (content: unknown) => ({ model: 'gpt-4o', messages: [{ role: 'user', content }] })
const bytes = (request: unknown): Uint8Array => Buffer.from(JSON.stringify(request))

const chatWire = (): ReplyWire => {
  const routes = openai.endpoints.find(({ id }) => id === 'chat-completions')?.routes ?? []
  for (const route of routes) if (route.billing === 'reply') return route.wire
  throw new Error('openai has no chat')
}

const prompt = (request: object, more: object = {}) =>
  counting.prompt({ place, wire: chatWire(), body: bytes(request), request, as, ...more })

const reply = (request: object, produced: readonly string[]) =>
  counting.reply({ place, wire: chatWire(), body: bytes(request), request, produced, as })

it('counts a prompt to the token', async () => {
  counting = createCounting(patient)
  // 3 a message, 1 the role, 2 the text, 3 the reply's beginning.
  expect(await prompt(chat('Hello there'))).toMatchObject({
    tokens: 9,
    class: 'exact',
  })
})

it('counts what a call used whose reply did not say so', async () => {
  counting = createCounting(patient)
  expect((await reply(chat('Hello there'), ['Hello there', 'Hello'])).usage).toEqual({
    input_text_tokens: 9,
    output_text_tokens: 3,
  })
})

it('counts to the token what once was taken at a token a byte: a text of 1 MB', async () => {
  counting = createCounting(patient)
  // "hello" is one token and " hello" another: 166,666 words, and 7 around them.
  const content = 'hello '.repeat(166_666).trimEnd()
  const counted = await reply(chat(content), ['Hello'])
  expect(counted.usage).toEqual({ input_text_tokens: 166_673, output_text_tokens: 1 })
  expect(counted.rule).not.toContain('a token a byte')
})

it('takes a text of more than 2 MB at one token a byte, and says so', async () => {
  counting = createCounting(patient)
  const counted = await reply(chat('hello '.repeat(400_000)), ['Hello'])
  // 2,400,000 bytes, 4 of the role, and 6 around them; "Hello" has 5 bytes.
  expect(counted.usage).toEqual({ input_text_tokens: 2_400_010, output_text_tokens: 5 })
  expect(counted.rule).toContain('one token a byte')
  expect(await prompt(chat('hello '.repeat(400_000)))).toBeNull()
})

it('counts the shortest first, whatever came before it', async () => {
  counting = createCounting(patient)
  const order: string[] = []
  const ask = async (name: string, content: string): Promise<void> => {
    await reply(chat(content), [])
    order.push(name)
  }
  // The first is counted while the others wait.
  await Promise.all([
    ask('first', 'one'),
    ask('long', 'two '.repeat(100_000)),
    ask('short', 'three'),
    ask('middle', 'four '.repeat(1_000)),
  ])
  expect(order).toEqual(['first', 'short', 'middle', 'long'])
})

it('ends a thread that overruns its two seconds, and counts the next in a new one', async () => {
  counting = createCounting()
  // A definition of a tool, 15 MB of one letter: at 5 MB a second.
  const description = 'a'.repeat(15_000_000)
  const tools = [{ type: 'function', function: { name: 'f', description } }]
  const hostile = { ...chat('Hello there'), tools }
  const begun = performance.now()
  expect(await prompt(hostile)).toBeNull()
  expect(performance.now() - begun).toBeGreaterThan(2_000)
  // The new one starts as the machine lets it.
  await expect.poll(() => prompt(chat('Hello there')), { timeout: 15_000 }).toMatchObject({ tokens: 9 })
})

it('does not let more wait than it has room for, nor for longer than it says', async () => {
  counting = createCounting({ ...patient, waitingMax: 1, waitMsMax: 1 })
  const [long, short] = [chat('a b '.repeat(200_000)), chat('Hello there')]
  expect((await prompt(short))?.tokens).toBe(9)
  const [first, second, third] = await Promise.all([prompt(long), prompt(short), prompt(short)])
  expect([first?.tokens, second, third]).toEqual([expect.any(Number), null, null])
})

it('does not count the start of the thread as a wait behind others', async () => {
  // A run on a busy machine was settled at a token a byte, 570 of 111, while the thread was still starting.
  counting = createCounting({ ...patient, waitMsMax: 1 })
  const asked = chat('Hello there')
  const counts = await Promise.all([prompt(asked), prompt(asked)])
  expect(counts.map((count) => count?.tokens)).toEqual([9, 9])
})

it('counts nothing that is no prompt, and survives it', async () => {
  counting = createCounting(patient)
  const unknown = { ...place, endpoint: 'no-such-wire' }
  const asked = chat('Hello there')
  expect(await prompt(asked, { place: unknown })).toBeNull()
  expect(await prompt(asked, { body: Buffer.from([0xff, 0x00, 0x7b]) })).toMatchObject({ class: 'unknown' })
  expect(await prompt(asked)).toMatchObject({ tokens: 9 })
})

it('answers who waits when it is closed', async () => {
  counting = createCounting(patient)
  const asked = prompt(chat('Hello there'))
  await wait(1)
  await counting.close()
  expect(await asked).toBeNull()
  expect(await prompt(chat('Hello there'))).toBeNull()
})
