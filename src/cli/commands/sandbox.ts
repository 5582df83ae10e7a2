import { OctroiError } from '../../errors.ts'
import type { CliCommand, Io } from '../command.ts'

/** `octroi sandbox`: the vendor's offline double, until Ctrl-C. */
export const command: CliCommand = {
  name: 'sandbox',
  summary: 'Start an offline double of OpenAI that keeps its own books',
  configure: (parser) => {
    parser
      .option('--port <port>', 'port to listen on, 0 for any', '8790')
      .option('--profile <name>', 'which vendor at which time', '2023-11')
      .option('--clock <instant>', 'INSTANT[,fixed|running]', '2023-11-15T12:00:00Z,running')
      .option('--seed <text>', 'the same seed gives the same ids, lengths and texts')
      .option('--hidden-tokens', 'bill, as real vendors do, some tokens that nobody can see')
      .option('--output-tokens <range>', 'length of replies: N or A..B', '20..200')
      .option('--latency <milliseconds>', 'wait before each reply', '0')
      .option('--stream-usage', 'report usage in streams when asked, as since May 2024')
      .option('--state <file>', 'keep objects and books in this file; without it, in memory')
      .option('--reset', 'forget what the state file holds')
  },
  run: async ({ options }, io) => {
    const { createSandbox } = await import('../../sandbox/sandbox.ts')
    const { bundledPrices } = await import('../bundled.ts')
    const { clockFrom } = await import('../clock.ts')
    if (options['profile'] !== '2023-11') {
      throw new OctroiError(
        'bad_input',
        `There is no profile "${shown(options['profile'])}". There is 2023-11.`,
      )
    }
    const { seed, state } = options
    const sandbox = await createSandbox({
      profile: '2023-11',
      clock: clockFrom(String(options['clock'])),
      prices: await bundledPrices(),
      port: whole('--port', options['port'], 65_535),
      outputTokens: range(options['outputTokens']),
      latencyMs: whole('--latency', options['latency'], 600_000),
      hiddenTokens: options['hiddenTokens'] === true,
      features: { streamUsage: options['streamUsage'] === true },
      reset: options['reset'] === true,
      ...(typeof seed === 'string' && { seed }),
      ...(typeof state === 'string' && { stateFile: state }),
    })
    io.err(`OpenAI of November 2023, offline, at ${sandbox.url}. Its books: ${sandbox.url}/sandbox/books\n`)
    io.err('Any key will do. Ctrl-C ends it.\n')
    io.out(`export OPENAI_BASE_URL=${sandbox.baseUrl}\n`)
    await ended(io)
    const { calls, amount, unpriced } = sandbox.total()
    await sandbox.close()
    const missing = unpriced.length === 0 ? '' : ` Without a price: ${unpriced.join(', ')}.`
    io.err(`${calls} calls billed, ${amount} USD.${missing}\n`)
    return 0
  },
}

const ended = ({ signal }: Io): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })

const whole = (name: string, value: unknown, most: number): number => {
  const text = String(value)
  if (/^\d{1,9}$/.test(text) && Number(text) <= most) return Number(text)
  throw new OctroiError(
    'bad_input',
    `${name} must be a whole number from 0 to ${most}, not "${shown(value)}".`,
  )
}

const range = (value: unknown): { least: number; most: number } => {
  const [, least, most = least] = /^(\d{1,9})(?:\.\.(\d{1,9}))?$/.exec(String(value)) ?? []
  if (least !== undefined) return { least: Number(least), most: Number(most) }
  throw new OctroiError(
    'bad_input',
    `--output-tokens must be N or A..B, such as 20..200, not "${shown(value)}".`,
  )
}

const shown = (value: unknown): string => String(value).slice(0, 60)
