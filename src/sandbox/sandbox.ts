import { randomUUID } from 'node:crypto'
import { OctroiError } from '../errors.ts'
import type { Clock } from '../time.ts'
import { loadEncoding } from '../tokens/text.ts'
import { assistants } from './assistants.ts'
import { type BilledCall, type BookRow, type BookTotal, openBooks, type RawPriceRow } from './books.ts'
import { chatCompletions } from './chat-completions.ts'
import { type Faults, openFaults } from './faults.ts'
import { models } from './models.ts'
import { november2023 } from './profiles/2023-11.ts'
import { openRunEngine } from './run-engine.ts'
import { runs } from './runs.ts'
import { vendorServer } from './server.ts'
import { openState, type State } from './state.ts'
import { threads } from './threads.ts'
import { idMaker, type World } from './world.ts'

/** How a sandbox is set up. Only the profile, the clock and the prices must be said. */
export type SandboxOptions = {
  readonly profile: '2023-11'
  /** Tells every time that a reply shows, and when each call is priced. */
  readonly clock: Clock
  /** Price files, raw, for the books. */
  readonly prices: readonly { readonly prices: readonly RawPriceRow[] }[]
  readonly host?: '127.0.0.1'
  /** 0, and unless said, takes any free port. */
  readonly port?: number
  /** The same seed gives the same ids, lengths and texts. Unless said, no two sandboxes are alike. */
  readonly seed?: number | string
  /** Bills, as real vendors do, tokens that nobody can see: a few on each prompt and each completion. Chat
   * completions report them in their usage; runs of 2023 do not. */
  readonly hiddenTokens?: boolean
  /** Length of replies in tokens; 20 to 200 unless said. */
  readonly outputTokens?: number | { readonly least: number; readonly most: number }
  /** Real milliseconds before the first byte of each reply; 0 unless said. */
  readonly latencyMs?: number
  /** Real milliseconds from a run's creation to its end; 20 unless said. */
  readonly runMs?: number
  /** A SQLite file that keeps objects and books; in memory unless said. */
  readonly stateFile?: string
  /** Forgets what the state file holds. */
  readonly reset?: boolean
  /** Keys that are accepted; any unless said. */
  readonly apiKeys?: 'any' | readonly string[]
  readonly features?: {
    /** Streams report their usage when asked, as since May 2024. */
    readonly streamUsage?: boolean
  }
}

/** A running sandbox. */
export type Sandbox = {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string
  /** What an OpenAI client takes as its base URL: `url` and `/v1`. */
  readonly baseUrl: string
  readonly port: number
  /** One line a model and meter. */
  readonly books: () => readonly BookRow[]
  readonly total: () => BookTotal
  readonly calls: () => readonly BilledCall[]
  readonly faults: Faults
  readonly close: () => Promise<void>
}

/** Starts an offline double of OpenAI. Throws `bad_input` when an option cannot be used, the port is taken or
 * the state file cannot be opened. */
export const createSandbox = async (options: SandboxOptions): Promise<Sandbox> => {
  const books = openBooks(options.prices.flatMap((file) => file.prices))
  const seed = String(options.seed ?? randomUUID())
  const settings = {
    profile: november2023({ streamUsage: options.features?.streamUsage === true }),
    clock: options.clock,
    books,
    counter: await loadEncoding('cl100k_base'),
    seed,
    hiddenTokens: options.hiddenTokens === true,
    outputTokens: rangeOf(options.outputTokens ?? { least: 20, most: 200 }),
    runMs: milliseconds('runMs', options.runMs ?? 20),
  }
  const latencyMs = milliseconds('latencyMs', options.latencyMs ?? 0)
  const state = stateOf(options)
  for (const call of state.calls()) books.add(call)
  const world: World = { ...settings, state, newId: idMaker({ seed, opening: state.opening }) }
  const engine = openRunEngine(world)
  const { take, ...faults } = openFaults()
  const told = { books: books.rows, total: books.total, calls: state.calls, faults }
  const server = vendorServer({
    world,
    routes: [
      ...chatCompletions(world),
      ...assistants(world),
      ...runs(world, engine),
      ...threads(world, engine),
      ...models(world),
    ],
    control: told,
    take,
    keys: options.apiKeys === undefined || options.apiKeys === 'any' ? null : new Set(options.apiKeys),
    latencyMs,
  })
  const stop = (): void => {
    engine.stop()
    state.close()
  }
  const host = options.host ?? '127.0.0.1'
  const port = await listen(server, { host, port: options.port ?? 0 }).catch((error: unknown) => {
    stop()
    throw error
  })
  const close = once(async (): Promise<void> => {
    const closed = new Promise((done) => server.close(done))
    server.closeAllConnections()
    await closed
    stop()
  })
  const url = `http://${host}:${port}`
  return { url, baseUrl: `${url}/v1`, port, ...told, close }
}

/** Closing twice is closing once. */
const once = (work: () => Promise<void>): (() => Promise<void>) => {
  let begun: Promise<void> | null = null
  return () => {
    begun ??= work()
    return begun
  }
}

const stateOf = ({ stateFile: file, reset = false }: SandboxOptions): State => {
  try {
    return openState({ file: file ?? null, reset })
  } catch (error) {
    throw new OctroiError('bad_input', `The state file ${file} cannot be opened: ${messageOf(error)}.`)
  }
}

const listen = (
  server: ReturnType<typeof vendorServer>,
  { host, port }: { host: string; port: number },
): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const where = `${host}:${port}`
      const message = `The sandbox cannot listen on ${where}: ${error.message}. Choose another port.`
      reject(new OctroiError('bad_input', message))
    })
    server.listen(port, host, () => {
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : port)
    })
  })

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const outputTokensMax = 100_000

const rangeOf = (length: NonNullable<SandboxOptions['outputTokens']>): { least: number; most: number } => {
  const { least, most } = typeof length === 'number' ? { least: length, most: length } : length
  const whole = Number.isInteger(least) && Number.isInteger(most)
  if (whole && least >= 1 && least <= most && most <= outputTokensMax) return { least, most }
  throw new OctroiError(
    'bad_input',
    `Replies of ${least} to ${most} tokens cannot be made: say whole numbers from 1 to ${outputTokensMax}.`,
  )
}

const milliseconds = (name: string, value: number): number => {
  if (Number.isInteger(value) && value >= 0 && value <= 3_600_000) return value
  throw new OctroiError(
    'bad_input',
    `${name} must be a whole number of milliseconds, up to an hour, not ${value}.`,
  )
}
