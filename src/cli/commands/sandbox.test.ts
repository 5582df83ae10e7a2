import { Readable } from 'node:stream'
import OpenAI from 'openai'
import { describe, expect, it, onTestFinished } from 'vitest'
import { main } from '../main.ts'
import { command } from './sandbox.ts'

/** Runs `octroi sandbox` until the test has seen enough. */
const start = (...args: string[]) => {
  const [stop, told] = [new AbortController(), { out: '', err: '' }]
  const started = Promise.withResolvers<string>()
  const io = {
    stdin: Readable.from([]),
    out: (text: string) => {
      told.out += text
      started.resolve(told.out)
    },
    err: (text: string) => {
      told.err += text
    },
    color: false,
    environment: {},
    signal: stop.signal,
  }
  const entries = [{ name: command.name, summary: command.summary, load: async () => command }]
  const exit = main(['sandbox', ...args], io, entries)
  onTestFinished(async () => {
    stop.abort()
    await exit
  })
  return { told, exit, started: started.promise, stop: () => stop.abort() }
}

describe('octroi sandbox', () => {
  it('prints the line that points an application at it, and serves until Ctrl-C', async () => {
    const running = start('--port', '0', '--output-tokens', '10', '--clock', '2023-11-15T12:00:00Z,fixed')
    const line = await running.started
    expect(line).toMatch(/^export OPENAI_BASE_URL=http:\/\/127\.0\.0\.1:\d+\/v1\n$/)
    const client = new OpenAI({ apiKey: 'any', baseURL: line.trim().split('=')[1] ?? '', maxRetries: 0 })
    const reply = await client.chat.completions.create({
      model: 'gpt-4',
      messages: [{ role: 'user', content: 'Hello' }],
    })
    expect(reply).toMatchObject({ created: 1_700_049_600, usage: { completion_tokens: 10 } })
    running.stop()
    expect(await running.exit).toBe(0)
    // 8 tokens in at 30 dollars a million, 10 out at 60.
    expect(running.told.err).toContain('1 calls billed, 0.00084 USD.')
  })

  it('plays the vendors of today at an address each', async () => {
    const running = start('--port', '0', '--profile', 'now', '--output-tokens', '10')
    const [openai = '', anthropic = '', google = ''] = (await running.started).split('\n')
    expect(anthropic).toMatch(/^export ANTHROPIC_BASE_URL=http:\/\/127\.0\.0\.1:\d+\/anthropic$/)
    expect(google).toMatch(/^export GOOGLE_GEMINI_BASE_URL=http:\/\/127\.0\.0\.1:\d+\/google$/)
    const client = new OpenAI({ apiKey: 'any', baseURL: openai.split('=')[1] ?? '', maxRetries: 0 })
    const messages = [{ role: 'user', content: 'Hello' } as const]
    const reply = await client.chat.completions.create({ model: 'gpt-4o', messages })
    expect(reply.model).toBe('gpt-4o')
    // The first minute after noon of 2026-11-25.
    expect(Math.floor((reply.created - 1_795_608_000) / 60)).toBe(0)
    running.stop()
    expect(await running.exit).toBe(0)
    // 8 tokens in at 2.5 dollars a million, 10 out at 10.
    expect(running.told.err).toContain('1 calls billed, 0.00012 USD.')
  })

  it('speaks Assistants v2 when it is told to, in November 2024', async () => {
    const running = start('--port', '0', '--assistants', 'v2', '--output-tokens', '10')
    const baseURL = (await running.started).trim().split('=')[1] ?? ''
    const client = new OpenAI({ apiKey: 'any', baseURL, maxRetries: 0 })
    const assistant = await client.beta.assistants.create({ model: 'gpt-4o-mini', instructions: 'Hello' })
    const run = await client.beta.threads.createAndRunStream({ assistant_id: assistant.id }).finalRun()
    expect(run.usage).toEqual({ prompt_tokens: 1, completion_tokens: 10, total_tokens: 11 })
    running.stop()
    expect(await running.exit).toBe(0)
    // 1 token in at 0.15 dollars a million, 10 out at 0.60.
    expect(running.told.err).toContain('1 calls billed, 0.00000615 USD.')
  })

  it.each([
    [['--profile', '2022-01'], 'There is no profile "2022-01". There are 2023-11 and now.'],
    [['--port', 'high'], '--port must be a whole number from 0 to 65535, not "high".'],
    [['--output-tokens', 'many'], '--output-tokens must be N or A..B, such as 20..200, not "many".'],
    [['--output-tokens', '9..5'], 'Replies of 9 to 5 tokens cannot be made'],
    [['--clock', 'yesterday'], 'yesterday'],
    [['--assistants', 'v3'], '--assistants must be v1 or v2, not "v3".'],
  ])('says what is wrong with %j', async (args, message) => {
    const running = start('--port', '0', ...args)
    expect(await running.exit).toBe(2)
    expect(running.told.err).toContain(message)
  })
})
