import { OctroiError } from '../../errors.ts'
import { tierNames, type VendorTier } from '../../limits/vendor-tier.ts'
import type { CliCommand, Io } from '../command.ts'

/** `octroi sandbox`: the vendor's offline double, until Ctrl-C. */
export const command: CliCommand = {
  name: 'sandbox',
  summary: 'Start an offline double of OpenAI that keeps its own books',
  configure: (parser) => {
    parser
      .option('--port <port>', 'port to listen on, 0 for any', '8790')
      .option('--profile <name>', 'which vendor at which time', '2023-11')
      .option('--assistants <version>', 'v1, or v2 as of November 2024', 'v1')
      .option('--clock <instant>', 'INSTANT[,fixed|running]; noon of a day of its time unless said')
      .option('--seed <text>', 'the same seed gives the same ids, lengths and texts')
      .option('--hidden-tokens', 'bill, as real vendors do, some tokens that nobody can see')
      .option('--output-tokens <range>', 'length of replies: N or A..B', '20..200')
      .option('--latency <milliseconds>', 'wait before each reply', '0')
      .option('--stream-usage', 'report usage in streams when asked, as since May 2024')
      .option('--limits', "hold callers to the vendor's rate limits of the time")
      .option('--tier <tier>', 'the usage tier of the account, free or 1 to 5; implies --limits')
      .option('--state <file>', 'keep objects and books in this file; without it, in memory')
      .option('--reset', 'forget what the state file holds')
  },
  run: async ({ options }, io) => {
    const { createSandbox } = await import('../../sandbox/sandbox.ts')
    const { bundledLimits, bundledModels, bundledPrices } = await import('../bundled.ts')
    const { clockFrom } = await import('../clock.ts')
    const { seed, state } = options
    const profile = profileOf(options['profile'])
    const assistants = assistantsOf(options['assistants'])
    const tier = tierOf(options['tier'])
    const limited = options['limits'] === true || tier !== null
    const sandbox = await createSandbox({
      profile,
      ...(profile === 'now' && { models: await bundledModels() }),
      clock: clockFrom(
        String(options['clock'] ?? `${noons[profile === 'now' ? profile : assistants]},running`),
      ),
      prices: await bundledPrices(),
      port: whole('--port', options['port'], 65_535),
      outputTokens: range(options['outputTokens']),
      latencyMs: whole('--latency', options['latency'], 600_000),
      hiddenTokens: options['hiddenTokens'] === true,
      features: { streamUsage: options['streamUsage'] === true, assistants },
      reset: options['reset'] === true,
      ...(limited && { limits: { files: await bundledLimits(), ...(tier !== null && { tier }) } }),
      ...(typeof seed === 'string' && { seed }),
      ...(typeof state === 'string' && { stateFile: state }),
    })
    io.err(`${names[profile]}, offline, at ${sandbox.url}. Its books: ${sandbox.url}/sandbox/books\n`)
    io.err('Any key will do. Ctrl-C ends it.\n')
    const others = `export ANTHROPIC_BASE_URL=${sandbox.url}/anthropic\nexport GOOGLE_GEMINI_BASE_URL=${sandbox.url}/google\n`
    io.out(`export OPENAI_BASE_URL=${sandbox.baseUrl}\n${profile === 'now' ? others : ''}`)
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

const names = { '2023-11': 'OpenAI of November 2023', now: 'OpenAI, Anthropic and Google of today' } as const

const profileOf = (value: unknown): keyof typeof names => {
  if (value === '2023-11' || value === 'now') return value
  throw new OctroiError('bad_input', `There is no profile "${shown(value)}". There are 2023-11 and now.`)
}

/** A noon at which each version of Assistants was there, with a price for what it bills, and one of today. */
const noons = { v1: '2023-11-15T12:00:00Z', v2: '2024-11-15T12:00:00Z', now: '2026-11-25T12:00:00Z' } as const

const assistantsOf = (value: unknown): 'v1' | 'v2' => {
  if (value === 'v1' || value === 'v2') return value
  throw new OctroiError('bad_input', `--assistants must be v1 or v2, not "${shown(value)}".`)
}

const tierOf = (value: unknown): VendorTier | null => {
  if (value === undefined) return null
  const tier = tierNames.find((name) => name === value)
  if (tier !== undefined) return tier
  throw new OctroiError('bad_input', `--tier must be free or 1 to 5, not "${shown(value)}".`)
}

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
