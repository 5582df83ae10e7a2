import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { bundledPrices } from '../../src/cli/bundled.ts'
import { openSqlite } from '../../src/ledger/databases/sqlite.ts'
import { ledgerStore, verify } from '../../src/ledger/ledger.ts'
import { createSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts'
import { manualClock, parseInstant } from '../../src/time.ts'

const launcher = fileURLToPath(new URL('../../bin/octroi.mjs', import.meta.url))

let folder: string
let sandbox: Sandbox
let gateway: ChildProcess
let log: Record<string, unknown>[]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'octroi-signals-'))
  sandbox = await createSandbox({
    profile: '2023-11',
    clock: manualClock(parseInstant('2023-11-15T12:00:00Z')),
    prices: await bundledPrices(),
    seed: 7,
    outputTokens: 20,
  })
  log = []
})
afterEach(async () => {
  gateway.kill('SIGKILL')
  await sandbox.close()
  await rm(folder, { recursive: true })
})

const said = (event: string): Record<string, unknown> | undefined =>
  log.find((line) => line['event'] === event)

const start = async (): Promise<string> => {
  const words = [
    'serve',
    '--upstream',
    sandbox.baseUrl,
    '--data',
    folder,
    '--port',
    '0',
    '--control-port',
    '0',
  ]
  const more = ['--clock', '2023-11-15T12:00:00Z', '--log', 'json', '--quiet', '--drain', '20s']
  gateway = spawn(process.execPath, [launcher, ...words, ...more], { stdio: ['ignore', 'ignore', 'pipe'] })
  let rest = ''
  gateway.stderr?.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString('utf8')).split('\n')
    rest = lines.pop() ?? ''
    log.push(...lines.map((line) => JSON.parse(line) as Record<string, unknown>))
  })
  await expect.poll(() => said('listening'), { timeout: 20_000 }).toBeDefined()
  return String(said('listening')?.['url'])
}

const call = (url: string) =>
  fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer sk-own' },
    body: JSON.stringify({
      model: 'gpt-4-1106-preview',
      messages: [{ role: 'user', content: 'Hello there' }],
    }),
  })

describe('octroi serve', () => {
  it('told to end by SIGTERM settles the call in flight and exits with 0', async () => {
    sandbox.faults.add({ kind: 'slow', delayMs: 1_500 })
    const url = await start()
    const reply = call(url)
    await new Promise((resolve) => setTimeout(resolve, 500))
    gateway.kill('SIGTERM')
    expect((await reply).status).toBe(200)
    const ended = performance.now()
    const [exit] = await once(gateway, 'exit')
    expect(exit).toBe(0)
    // The client keeps its connection; the gateway does not wait for it.
    expect(performance.now() - ended).toBeLessThan(10_000)
    expect(log.map(({ event }) => event)).toEqual(['listening', 'stopping', 'call', 'stopped'])
    const ledger = await openSqlite({
      file: join(folder, 'ledger.sqlite'),
      stores: [ledgerStore],
      readOnly: true,
    })
    expect(await verify(ledger)).toMatchObject({ agrees: true, entries: 2, calls: 1 })
    await ledger.close()
  }, 40_000)

  it('told twice ends at once', async () => {
    sandbox.faults.add({ kind: 'hang' })
    const url = await start()
    const reply = call(url).catch(() => null)
    await new Promise((resolve) => setTimeout(resolve, 500))
    gateway.kill('SIGTERM')
    await new Promise((resolve) => setTimeout(resolve, 1_200))
    gateway.kill('SIGTERM')
    const [exit] = await once(gateway, 'exit')
    expect(exit).toBe(130)
    await reply
  }, 40_000)
})
