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

  it.each([
    [['--profile', '2022-01'], 'There is no profile "2022-01". There is 2023-11.'],
    [['--port', 'high'], '--port must be a whole number from 0 to 65535, not "high".'],
    [['--output-tokens', 'many'], '--output-tokens must be N or A..B, such as 20..200, not "many".'],
    [['--output-tokens', '9..5'], 'Replies of 9 to 5 tokens cannot be made'],
    [['--clock', 'yesterday'], 'yesterday'],
  ])('says what is wrong with %j', async (args, message) => {
    const running = start('--port', '0', ...args)
    expect(await running.exit).toBe(2)
    expect(running.told.err).toContain(message)
  })
})
