import { access, constants, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, resolve } from 'node:path'
import { OctroiError } from '../errors.ts'
import { refuseOpenControl } from '../gateway/admin.ts'
import { refuseOpenDoor } from '../gateway/app.ts'
import { findControl, ledgerFile } from '../gateway/data-folder.ts'
import { unmatchedLines, unmatchedOf } from '../gateway/unmatched.ts'
import type { Upstream } from '../gateway/upstream.ts'
import type { PriceBook } from '../pricing/price-book.ts'
import type { Io } from './command.ts'
import { secondsOf } from './key-options.ts'
import { readKeys } from './keys.ts'
import { openBook } from './overlays.ts'
import { formatCount } from './reports.ts'
import { adminTokenOf, portOf } from './serve.ts'
import { configOf } from './serve-settings.ts'
import { workersOf } from './serve-workers.ts'

type Options = Readonly<Record<string, unknown>>

/** One thing that was looked at. `bad`: the gateway would not start, or not run as it is meant to. */
type Finding = { readonly mark: 'ok' | 'note' | 'bad'; readonly text: string }

/** Says what `octroi serve` with these options would run, and what is wrong with it. Starts nothing, writes nothing,
 * and tells of an environment variable whether it is set, never its value. Exit code 1 when something is bad; throws
 * what a bad configuration or price file deserves. */
export const checkServe = async (options: Options, io: Io): Promise<number> => {
  const folder = String(options['data'])
  const place = await folderFinding(folder)
  const findings = place.mark === 'bad' ? [place] : [place, ...(await findAll(options, folder, io))]
  for (const { mark, text } of findings) io.out(`${mark.padEnd(4)}  ${text}\n`)
  const bad = findings.filter(({ mark }) => mark === 'bad').length
  io.err(bad === 0 ? 'octroi: ready to serve\n' : `octroi: ${count(bad, 'thing')} to put right\n`)
  return bad === 0 ? 0 : 1
}

const findAll = async (options: Options, folder: string, io: Io): Promise<readonly Finding[]> => {
  const config = await configOf(options, io)
  secondsOf(String(options['drain']))
  const workers = workersOf(options)
  const book = await openBook(options['prices'] === undefined ? undefined : String(options['prices']), folder)
  const [host, controlHost] = [String(options['host']), String(options['controlHost'])]
  const { adminToken = null } = adminTokenOf(io)
  const { anonymous } = config
  const keys = await readKeys(folder)
  return [
    ...(await controlFindings(folder)),
    ...config.upstreams.flatMap((upstream) => providerFindings(upstream, book)),
    ...(workers === null
      ? []
      : [found(`${count(workers, 'worker')} beside the process that keeps the ledger`)]),
    found(`${count(config.limits.length, 'limit')}, ${formatCount(book.prices.length)} prices`),
    ...(keys === null ? [] : unmatchedLines(unmatchedOf(config, { ...config, keys, book }))).map(
      (text): Finding => ({ mark: 'note', text }),
    ),
    ...config.alerts.webhooks.map(({ url, allowPrivate }) =>
      found(`alerts go to ${url.host}, ${allowPrivate ? 'which may be on a private network' : 'over https'}`),
    ),
    ...asked(
      `calls ${anonymous ? "without an Octroi key pass with the client's own" : 'need an Octroi key'}`,
      () => refuseOpenDoor(config, host),
    ),
    ...asked(
      `control plane on ${controlHost}, ${adminToken === null ? 'without a token' : 'with OCTROI_ADMIN_TOKEN'}`,
      () => refuseOpenControl(controlHost, adminToken),
    ),
    await portFinding(host, portOf(options['port'], '--port')),
    await portFinding(controlHost, portOf(options['controlPort'], '--control-port')),
  ]
}

const found = (text: string): Finding => ({ mark: 'ok', text })

const count = (number: number, what: string): string =>
  `${formatCount(number)} ${what}${number === 1 ? '' : 's'}`

const providerFindings = (upstream: Upstream, book: PriceBook): readonly Finding[] => {
  const { name, baseUrl, keyVariable, credential, pricesFrom } = upstream
  const key: Finding =
    keyVariable === null || keyVariable === undefined
      ? found(`${name}: wants no key`)
      : credential() === null
        ? {
            mark: 'note',
            text: `${name}: ${keyVariable} is not set, so calls need a stored key (octroi provider-keys list), or the client's own beside octroi-key`,
          }
        : found(`${name}: its key is in ${keyVariable}`)
  const prices: Finding = book.prices.some(({ provider }) => provider === pricesFrom)
    ? found(`${name}: prices of ${pricesFrom}`)
    : { mark: 'note', text: `${name}: there are no prices of ${pricesFrom}, so its calls are unpriced` }
  return [found(`${name}: calls go to ${baseUrl.origin}${baseUrl.pathname}`), key, prices]
}

/** What a check says, as a finding. */
const asked = (text: string, check: () => void): readonly Finding[] => {
  try {
    check()
    return [found(text)]
  } catch (error) {
    if (!(error instanceof OctroiError)) throw error
    return [{ mark: 'bad', text: error.message }]
  }
}

/** A folder is made by `serve` when it is missing; then the one above it must be there and writable. */
const folderFinding = async (folder: string): Promise<Finding> => {
  const place = resolve(folder)
  const mode = await stat(place).then(
    (facts) => (facts.isDirectory() ? facts.mode : null),
    (error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? undefined : null),
  )
  if (mode === null) return { mark: 'bad', text: `${folder} is no folder that can be used` }
  if (mode === undefined) {
    const above = dirname(place)
    return (await isWritable(above))
      ? found(`ledger in ${folder}, which is made at the start`)
      : { mark: 'bad', text: `${folder} is not there and cannot be made in ${above}` }
  }
  if (!(await isWritable(place))) return { mark: 'bad', text: `${folder} cannot be written` }
  if ((await isThere(ledgerFile(folder))) && !(await isWritable(ledgerFile(folder)))) {
    return { mark: 'bad', text: `${ledgerFile(folder)} cannot be written` }
  }
  return (mode & 0o077) === 0
    ? found(`ledger in ${folder}`)
    : {
        mark: 'note',
        text: `ledger in ${folder}, which others of this machine may enter: chmod 700 ${folder}`,
      }
}

const isWritable = (path: string): Promise<boolean> =>
  access(path, constants.R_OK | constants.W_OK).then(
    () => true,
    () => false,
  )

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )

const controlFindings = async (folder: string): Promise<readonly Finding[]> => {
  const control = await findControl(folder)
  if (control === null) return []
  return [{ mark: 'note', text: `a gateway has said it holds ${folder}: ${control.url}` }]
}

const portFinding = (host: string, port: number): Promise<Finding> =>
  new Promise((done) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) =>
      done({ mark: 'bad', text: `cannot listen on ${host}:${port} (${error.code})` }),
    )
    server.listen(port, host, () => server.close(() => done(found(`can listen on ${host}:${port}`))))
  })
