import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundledPrices } from '../../src/cli/bundled.ts'
import { openDataFolder } from '../../src/gateway/data-folder.ts'
import { openRegistry } from '../../src/gateway/registry/registry.ts'
import { openSqlite } from '../../src/ledger/databases/sqlite.ts'
import { ledgerStore, type Verification, verify } from '../../src/ledger/ledger.ts'
import { createSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts'
import { manualClock, parseInstant } from '../../src/time.ts'
import { until } from './work.ts'

const launcher = fileURLToPath(new URL('../../bin/octroi.mjs', import.meta.url))
const at = '2023-11-15T12:00:00Z'

/** What became of one attempt. `id`: of the vendor's reply; `spooled`: as the header says. */
export type Attempt = {
  readonly name: string
  readonly status: number
  readonly code: string | null
  readonly id: string | null
  readonly spooled: string | null
  readonly callId: string | null
}

/** `octroi serve` as a process, its data in a folder of its own, before a sandbox; with a key that refuses and one that
 * has a spool of 100 USD while the ledger cannot be written. */
export type DiskGateway = {
  readonly pid: number
  readonly url: string
  readonly folder: string
  readonly spoolFolder: string
  readonly sandbox: Sandbox
  /** Where the vendor takes connections. */
  readonly vendorPort: number
  readonly attempts: readonly Attempt[]
  readonly call: (key: 'refuses' | 'spools') => Promise<Attempt>
  /** What it said, one object a line. */
  readonly log: readonly Readonly<Record<string, unknown>>[]
  /** Ends the process in good order, or by `kill -9`. */
  readonly end: (signal: 'SIGTERM' | 'SIGKILL') => Promise<void>
  readonly start: () => Promise<void>
  readonly verified: () => Promise<Verification>
  readonly waiting: () => Promise<readonly string[]>
  readonly close: () => Promise<void>
}

/** Makes a world and starts its gateway. `folder` is made where none is given; `arrives` is told of all that comes to
 * the vendor, before the vendor is. */
export const startDiskGateway = async (
  options: { readonly folder?: string; readonly arrives?: (bytes: Buffer) => void } = {},
): Promise<DiskGateway> => {
  const clock = manualClock(parseInstant(at))
  const sandbox = await createSandbox({
    ...{ profile: '2023-11', clock, prices: await bundledPrices(), seed: 7, outputTokens: 20 },
  })
  const front = await startFront(sandbox.port, options.arrives ?? (() => {}))
  const place = await mkdtemp(join(tmpdir(), 'octroi-disk-'))
  const folder = options.folder ?? join(place, 'data')
  const spoolFolder = join(place, 'spool')
  await mkdir(spoolFolder)
  const secrets = await createKeys(folder, clock.now())
  const log: Record<string, unknown>[] = []
  const attempts: Attempt[] = []
  let asked = 0
  let child: ChildProcess
  let url = ''

  const start = async (): Promise<void> => {
    const heard = log.length
    const words = ['serve', '--upstream', front.baseUrl, '--data', folder, '--spool', spoolFolder]
    const ports = ['--port', '0', '--control-port', '0', '--clock', `${at},fixed`, '--log', 'json', '--quiet']
    child = spawn(process.execPath, [launcher, ...words, ...ports], { stdio: ['ignore', 'ignore', 'pipe'] })
    hearLines(child, (line) => log.push(line))
    const listening = () => log.slice(heard).find(({ event }) => event === 'listening')
    await until(() => listening() !== undefined || child.exitCode !== null)
    if (listening() === undefined)
      throw new Error(`The gateway ended (${child.exitCode}) before it listened.`)
    url = String(listening()?.['url'])
  }

  const end = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
  }

  await start()
  return {
    get pid() {
      return child.pid ?? -1
    },
    get url() {
      return url
    },
    folder,
    spoolFolder,
    sandbox,
    vendorPort: front.port,
    attempts,
    log,
    call: async (key) => {
      asked += 1
      const name = `a${asked}-${key}`
      const attempt = await ask(url, { secret: secrets[key], name })
      attempts.push(attempt)
      return attempt
    },
    start,
    end,
    verified: async () => {
      const file = join(folder, 'ledger.sqlite')
      const ledger = await openSqlite({ file, stores: [ledgerStore], readOnly: true })
      return verify(ledger).finally(ledger.close)
    },
    waiting: () => readdir(spoolFolder),
    close: async () => {
      await end('SIGKILL')
      front.close()
      await sandbox.close()
      await rm(place, { recursive: true })
    },
  }
}

/** Passes bytes to a port of this machine and back. */
const startFront = async (port: number, arrives: (bytes: Buffer) => void) => {
  const open = new Set<Socket>()
  const server = createServer((from) => {
    const to = connect(port, '127.0.0.1')
    for (const [one, other] of [
      [from, to],
      [to, from],
    ] as const) {
      open.add(one)
      one.on('error', () => other.destroy())
      one.on('close', () => other.destroy())
    }
    from.on('data', (bytes) => {
      arrives(bytes)
      to.write(bytes)
    })
    to.pipe(from)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port: own } = server.address() as AddressInfo
  return {
    baseUrl: `http://127.0.0.1:${own}/v1`,
    port: own,
    close: () => {
      for (const socket of open) socket.destroy()
      server.close()
    },
  }
}

const createKeys = async (folder: string, now: number) => {
  const data = await openDataFolder(folder)
  const registry = await openRegistry(data.database, data.pepper)
  const owner = { name: null, organization: null, team: 'search', project: null, environment: null }
  const refuses = await registry.createKey(owner, now)
  const spools = await registry.createKey({ ...owner, onLedgerFailure: { spool: '100' } }, now)
  await data.database.close()
  return { refuses: refuses.secret, spools: spools.secret }
}

/** Calls without a credential pass through the key; the attempt's name is a tag, and stands in the ledger. */
const ask = async (url: string, { secret, name }: { secret: string; name: string }): Promise<Attempt> => {
  const reply = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'octroi-key': secret,
      'octroi-tags': `attempt=${name}`,
      authorization: 'Bearer sk-vendor',
    },
    body: JSON.stringify({
      model: 'gpt-4-1106-preview',
      messages: [{ role: 'user', content: `Hello from ${name}` }],
    }),
  })
  const body = (await reply.json()) as { id?: string; error?: { octroi?: { code?: string } } }
  return {
    name,
    status: reply.status,
    code: body.error?.octroi?.code ?? null,
    id: body.id ?? null,
    spooled: reply.headers.get('octroi-spooled'),
    callId: reply.headers.get('octroi-call-id'),
  }
}

const hearLines = (child: ChildProcess, heard: (line: Record<string, unknown>) => void): void => {
  let rest = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString('utf8')).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) heard(JSON.parse(line) as Record<string, unknown>)
  })
}
