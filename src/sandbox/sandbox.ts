import { randomUUID } from 'node:crypto'
import { OctroiError } from '../errors.ts'
import type { Clock } from '../time.ts'
import { loadEncoding } from '../tokens/text.ts'
import type { Account, AccountOptions } from './account.ts'
import { type LimitsOption, openAdmission } from './admission.ts'
import { assistants } from './assistants.ts'
import { withAssistantsV2 } from './assistants-v2/profile-v2.ts'
import { assistantsV2Routes } from './assistants-v2/routes-v2.ts'
import { type BilledCall, type BookRow, type BookTotal, openBooks, type RawPriceRow } from './books.ts'
import { chatCompletions } from './chat-completions.ts'
import { completions } from './completions.ts'
import { embeddings } from './embeddings.ts'
import { type Faults, openFaults } from './faults.ts'
import { files } from './files.ts'
import { fineTuning } from './fine-tuning.ts'
import { openFineTuningEngine } from './fine-tuning-engine.ts'
import { images } from './images.ts'
import { models } from './models.ts'
import { moderations } from './moderations.ts'
import { type Bill, noBill, openBill } from './now/bill.ts'
import { type BillFault, openBillFaults } from './now/bill-faults.ts'
import { openVendorBooks } from './now/books.ts'
import { openCallers } from './now/callers.ts'
import { profileNow } from './now/openai-models.ts'
import { vendorsNow } from './now/vendors.ts'
import { organization } from './organization.ts'
import { november2023 } from './profiles/2023-11.ts'
import type { Profile } from './profiles/profile.ts'
import { openRunEngine } from './run-engine.ts'
import { runs } from './runs.ts'
import { vendorServer } from './server.ts'
import { speech } from './speech.ts'
import { booksWithStorage, type Standing } from './standing.ts'
import { openState, type State } from './state.ts'
import { threads } from './threads.ts'
import { transcriptions } from './transcriptions.ts'
import { withTunedModels } from './tuned-models.ts'
import { idMaker, type World } from './world.ts'

/** How a sandbox is set up. Only the profile, the clock and the prices must be said. */
export type SandboxOptions = {
  /** OpenAI of November 2023, or OpenAI, Anthropic and Google of today. */
  readonly profile: '2023-11' | 'now'
  /** Tells every time that a reply shows, and when each call is priced. */
  readonly clock: Clock
  /** Price files, raw, for the books. */
  readonly prices: readonly { readonly prices: readonly RawPriceRow[] }[]
  /** Model facts (`prices/models/*.json`), raw: what the vendors of `now` serve. */
  readonly models?: readonly unknown[]
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
  /** Real milliseconds from a fine-tuning job's creation to its end; 40 unless said. */
  readonly jobMs?: number
  /** A SQLite file that keeps objects and books; in memory unless said. */
  readonly stateFile?: string
  /** Forgets what the state file holds. */
  readonly reset?: boolean
  /** Keys that are accepted; any unless said. */
  readonly apiKeys?: 'any' | readonly string[]
  /** Admin keys that are accepted, by the routes that ask for one; any that begins with `sk-admin` unless said. */
  readonly adminKeys?: readonly string[]
  /** Of the profile `now`: which key belongs to which project of OpenAI or workspace of Anthropic. A key that is not
   * here belongs to `proj_sandbox`, or to the default workspace, which has no id. */
  readonly projects?: Readonly<Record<string, string>>
  /** Of the profile `now`: what the usage and cost reports say otherwise than it was. */
  readonly bill?: readonly BillFault[]
  /** The vendor's rate limits; off unless said. */
  readonly limits?: LimitsOption
  /** What the account has paid: nothing unless said. */
  readonly account?: AccountOptions
  readonly features?: {
    /** Streams report their usage when asked, as since May 2024. */
    readonly streamUsage?: boolean
    /** Which Assistants are spoken, with the header `OpenAI-Beta`: those of the profile unless said. `v2` is as of
     * November 2024, with the models that came with it, and takes no other header. */
    readonly assistants?: 'v1' | 'v2'
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
  /** Open code interpreter sessions, and what is stored for each assistant. */
  readonly standing: () => Standing
  readonly faults: Faults
  readonly account: Account
  /** What the vendors' usage and cost reports say, of the profile `now`; that of 2023 throws `bad_input`. */
  readonly bill: Bill
  readonly close: () => Promise<void>
}

/** Starts an offline double of OpenAI. Throws `bad_input` when an option cannot be used, the port is taken or
 * the state file cannot be opened. */
export const createSandbox = async (options: SandboxOptions): Promise<Sandbox> => {
  const rows = options.prices.flatMap((file) => file.prices)
  const isNow = options.profile === 'now'
  if (isNow) checkNow(options)
  else if (options.bill !== undefined || options.projects !== undefined) {
    throw new OctroiError('bad_input', 'Only the profile "now" has a bill: leave out `bill` and `projects`.')
  }
  const books = isNow ? openVendorBooks(rows) : openBooks(rows)
  const seed = String(options.seed ?? randomUUID())
  const settings = {
    profile: isNow ? profileNow : profileOf(options),
    assistants: options.features?.assistants ?? 'v1',
    clock: options.clock,
    books,
    counter: await loadEncoding('cl100k_base'),
    seed,
    hiddenTokens: options.hiddenTokens === true,
    outputTokens: rangeOf(options.outputTokens ?? { least: 20, most: 200 }),
    runMs: milliseconds('runMs', options.runMs ?? 20),
  }
  const latencyMs = milliseconds('latencyMs', options.latencyMs ?? 0)
  const jobMs = milliseconds('jobMs', options.jobMs ?? 40)
  const state = stateOf(options)
  for (const call of state.calls()) books.add(call)
  const world: World = {
    ...settings,
    profile: withTunedModels(settings.profile, state),
    state,
    newId: idMaker({ seed, opening: state.opening }),
  }
  const engine = openRunEngine(world)
  const jobs = openFineTuningEngine(world, jobMs)
  const { take, ...faults } = openFaults()
  const whole = booksWithStorage(world, rows)
  /** A run that is late ends, and is billed, before anybody reads. */
  const settled =
    <T>(read: () => T) =>
    (): T => {
      engine.expireAll()
      return read()
    }
  const total = settled(whole.total)
  const { account, admit } = openAdmission(world, { ...options, total })
  const bill = isNow
    ? openBill({ calls: state.calls, prices: rows, faults: openBillFaults(options.bill ?? []) })
    : null
  const callers = openCallers(options.projects ?? {})
  const told = {
    bill: bill ?? noBill,
    books: settled(whole.rows),
    total,
    calls: settled(state.calls),
    standing: whole.standing,
    faults,
    account,
  }
  const keys = options.apiKeys === undefined || options.apiKeys === 'any' ? null : new Set(options.apiKeys)
  const adminKeys = options.adminKeys === undefined ? null : new Set(options.adminKeys)
  const served =
    bill !== null
      ? await vendorsNow(world, { facts: options.models ?? [], prices: rows, keys, adminKeys, callers, bill })
      : {
          routes: [
            ...chatCompletions(world),
            ...completions(world),
            ...(world.assistants === 'v2'
              ? assistantsV2Routes(world, engine)
              : [...assistants(world), ...runs(world, engine), ...threads(world, engine)]),
            ...models(world),
            ...files(world),
            ...images(world),
            ...speech(world),
            ...transcriptions(world),
            ...embeddings(world),
            ...moderations(world),
            ...organization(world, { calls: told.calls, prices: rows }),
            ...fineTuning(world, jobs),
          ],
        }
  const server = vendorServer({
    world,
    ...served,
    control: told,
    take,
    keys,
    adminKeys,
    ...(isNow && { callers }),
    admit,
    latencyMs,
  })
  const stop = (): void => {
    engine.stop()
    jobs.stop()
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

const profileOf = ({ features = {} }: SandboxOptions): Profile => {
  const profile = november2023({ streamUsage: features.streamUsage === true })
  return features.assistants === 'v2' ? withAssistantsV2(profile) : profile
}

/** What the vendors of today need, and what they do not play. */
const checkNow = ({ models, limits = 'off', account }: SandboxOptions): void => {
  if (models === undefined || models.length === 0) {
    throw new OctroiError('bad_input', 'The profile "now" needs `models`: the facts of prices/models/*.json.')
  }
  if (limits !== 'off' || account !== undefined) {
    throw new OctroiError(
      'bad_input',
      'The profile "now" plays no rate limits and no account: leave them out.',
    )
  }
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
