import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { formatTable } from '../src/cli/table.ts'
import { cpuRatio, figuresOf, quantile } from './gateway/figures.ts'
import { openTarget, type Stretch } from './gateway/load.ts'
import { machine } from './gateway/machine.ts'
import { type ServerProcess, startServer } from './gateway/process.ts'

/** What the gateway takes beside time: `node bench/footprint.ts`, about a minute; `--short`, half of it. How long
 * `octroi serve` takes from its start to its first answer, what a request of 10 MB costs in memory, what eight limits
 * cost in throughput, and how late replies are in open loop at 30 % of what the gateway can do. Linux only: memory is
 * read from /proc. */

const short = process.argv.includes('--short')
const rounds = short ? 3 : 7
const upstream = await startServer(new URL('./gateway/upstream.ts', import.meta.url), '60')

const body = (number: number): string =>
  JSON.stringify({
    model: 'gpt-4o-mini',
    messages: [{ role: 'user', content: `${number} ${'Who pays for it? '.repeat(55)}` }],
    max_tokens: 200,
  })

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })

/** From the start of the command to the last byte of its first answer, in milliseconds. */
const firstAnswer = async (): Promise<number> => {
  const folder = await mkdtemp(join(tmpdir(), 'octroi-bench-'))
  const port = await freePort()
  const command = fileURLToPath(new URL('../bin/octroi.mjs', import.meta.url))
  const options = [
    '--data',
    folder,
    '--port',
    `${port}`,
    '--control-port',
    '0',
    '--upstream',
    `${upstream.url}/v1`,
  ]
  const begun = performance.now()
  const served = spawn(process.execPath, [command, 'serve', ...options, '--quiet'], { stdio: 'ignore' })
  const headers = { 'content-type': 'application/json', authorization: 'Bearer sk-vendor' }
  for (;;) {
    const status = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
      ...{ method: 'POST', headers, body: body(0) },
    }).then(
      async (reply) => {
        await reply.text()
        return reply.status
      },
      () => null,
    )
    if (status === 200) break
    if (status !== null) throw new Error(`octroi serve answered ${status}.`)
    await sleep(5)
  }
  const taken = performance.now() - begun
  served.kill('SIGTERM')
  await new Promise((resolve) => served.once('exit', resolve))
  await rm(folder, { recursive: true, force: true })
  return taken
}

/** The most memory that was seen while some requests of a size were answered one after another, above what was there
 * before. */
const memoryOf = async (server: ServerProcess, pid: number, bytes: number): Promise<number> => {
  const before = await residentBytes(pid)
  let most = before
  const timer = setInterval(() => {
    void residentBytes(pid).then((now) => {
      most = Math.max(most, now)
    })
  }, 2)
  const content = 'Who pays for it? '.repeat(bytes / 17)
  const messages = [{ role: 'user', content }]
  const text = JSON.stringify({ model: 'gpt-4o-mini', messages, max_tokens: 200 })
  const reply = await fetch(`${server.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${server.key ?? ''}` },
    body: text,
  })
  await reply.text()
  if (reply.status !== 200) throw new Error(`A body of ${bytes} bytes was answered with ${reply.status}.`)
  await sleep(50)
  clearInterval(timer)
  return most - before
}

const residentBytes = async (pid: number): Promise<number> => {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1_024
}

/** Requests that begin at even instants whatever became of those before: how long each takes, in milliseconds. */
const openLoop = async (
  server: ServerProcess,
  perSecond: number,
  milliseconds: number,
): Promise<readonly number[]> => {
  const target = openTarget(server, { key: server.key ?? upstreamKey })
  const taken = await target.open({ name: 'open loop', body, connections: 256 }, { perSecond, milliseconds })
  await target.close()
  return taken
}

const upstreamKey = 'sk-vendor'
const octroi = (...args: readonly string[]): Promise<ServerProcess> =>
  startServer(new URL('./gateway/octroi.ts', import.meta.url), upstream.url, ...args)
const ms = (value: number): string => value.toFixed(2)

console.log(`${machine()}\n`)

const starts: number[] = []
for (let round = 0; round < rounds; round += 1) starts.push(await firstAnswer())
console.log(
  `octroi serve, from start to first answer: median ${quantile(starts, 0.5).toFixed(0)} ms, most ${Math.max(...starts).toFixed(0)} ms (asked: 1,000)\n`,
)

const raw = await startServer(new URL('./gateway/raw-proxy.ts', import.meta.url), upstream.url)
const one = await octroi('before-send', '1')
const eight = await octroi('before-send', '8')

const large = 10_000_000
const grown: number[] = []
for (let round = 0; round < rounds; round += 1) grown.push(await memoryOf(one, one.pid, large))
console.log(
  `a body of 10 MB: ${grown.map((bytes) => (bytes / large).toFixed(1)).join(', ')} times its size, one after another (asked: 3)\n`,
)

const targets = [one, eight].map((server) => openTarget(server, { key: server.key ?? '' }))
const stretches: [Stretch[], Stretch[]] = [[], []]
const scenario = { name: 'fresh prompt, 1 KB', body, connections: 64 }
for (const target of targets) await target.run(scenario, short ? 1_500 : 5_000)
for (let round = 0; round < rounds; round += 1) {
  for (const turn of [round % 2, (round + 1) % 2]) {
    const stretch = await targets[turn]?.run(scenario, 600)
    if (stretch !== undefined) stretches[turn === 0 ? 0 : 1].push(stretch)
  }
}
const [few, many] = stretches
const rate = (some: readonly Stretch[]): number => figuresOf(some).requestsPerSecond
console.log(
  `with 8 limits on: ${rate(many).toFixed(0)} requests/s of ${rate(few).toFixed(0)} with one, ${(rate(many) / rate(few)).toFixed(2)} times (asked: 0.85); ${cpuRatio(many, few).toFixed(2)} times the processor time\n`,
)

const perSecond = Math.round(rate(few) * 0.3)
const rows: string[][] = []
for (const [name, server] of [
  ['direct', upstream],
  ['raw proxy', raw],
  ['octroi, before-send', one],
] as const) {
  const medians: number[] = []
  const nines: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    const taken = await openLoop(server, perSecond, short ? 500 : 1_500)
    medians.push(quantile(taken, 0.5))
    nines.push(quantile(taken, 0.99))
  }
  rows.push([name, ms(quantile(medians, 0.5)), ms(quantile(nines, 0.5))])
}
console.log(
  formatTable(
    [
      { title: `open loop, ${perSecond} requests/s` },
      { title: 'p50 ms', align: 'right' },
      { title: 'p99 ms', align: 'right' },
    ],
    rows,
    { color: false },
  ),
)

for (const target of targets) await target.close()
const told = [await one.end(), await eight.end()]
await raw.end()
await upstream.end()
console.log(told.join('\n'))
if (told.some((each) => each?.endsWith('DIFFERS') === true)) process.exitCode = 1
process.exit()
