import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Pool } from 'undici'
import { type Column, formatTable } from '../src/cli/table.ts'
import { machine } from './gateway/machine.ts'
import { startServer } from './gateway/process.ts'

/** Measures one process against several workers before one ledger: `node bench/workers.ts`, about a minute; `--short`, a
 * quarter. All run at once and are loaded in turn, in rounds, before one vendor that costs next to nothing. The processor
 * time of each process is what Linux counts of it. */

const short = process.argv.includes('--short')
const [rounds, stretchMs, warmMs] = short ? [3, 1_000, 1_500] : [6, 2_000, 4_000]
const connections = 64
const ways = [
  { name: 'one process', words: [] },
  { name: '--workers 1', words: ['--workers', '1'] },
  { name: '--workers 2', words: ['--workers', '2'] },
  { name: '--workers 4', words: ['--workers', '4'] },
] as const
const journals = ['before-send', 'before-reply'] as const

const launcher = fileURLToPath(new URL('../bin/octroi.mjs', import.meta.url))
const sentence = 'How much does it cost, and who pays for it? '.repeat(22)
/** Clock ticks of `/proc` are hundredths of a second on every Linux that Node runs on. */
const tickMs = 10

type Served = {
  readonly keeper: ChildProcess
  readonly pool: Pool
  readonly secret: string
  readonly folder: string
  /** The processes: the keeper first. */
  readonly pids: readonly number[]
}

type Line = Readonly<Record<string, unknown>>

const serve = async (words: readonly string[], config: object): Promise<Served> => {
  const folder = await mkdtemp(join(tmpdir(), 'octroi-bench-'))
  const file = join(folder, 'config.json')
  await writeFile(file, JSON.stringify(config))
  const data = ['--config', file, '--data', join(folder, 'data'), '--port', '0', '--control-port', '0']
  const log = ['--log', 'json', '--log-level', 'info', '--quiet', '--clock', '2025-06-01T12:00:00Z,fixed']
  const keeper = spawn(process.execPath, [launcher, 'serve', ...words, ...data, ...log], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, VENDOR_KEY: 'sk-vendor' },
  })
  const pids = [keeper.pid ?? 0]
  const said = await new Promise<Line>((resolve, reject) => {
    let rest = ''
    keeper.once('exit', () => reject(new Error('The gateway did not start.')))
    keeper.stderr.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString('utf8')).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        const read = line.startsWith('{"') ? (JSON.parse(line) as Line) : {}
        if (read['event'] === 'worker' && read['is'] === 'ready') pids.push(Number(read['pid']))
        if (read['event'] === 'listening') resolve(read)
      }
    })
  })
  const created = await fetch(`${String(said['controlUrl'])}/octroi/v1/keys`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ team: 'bench' }),
  })
  const { secret } = (await created.json()) as { secret: string }
  return { keeper, pool: new Pool(String(said['url']), { connections, pipelining: 1 }), secret, folder, pids }
}

/** Processor time of a process so far, all its threads, in milliseconds. */
const cpuOf = (pid: number): number => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * tickMs
}

type Stretch = { readonly requests: number; readonly seconds: number; readonly cpuMs: readonly number[] }

let requests = 0
const load = async ({ pool, secret, pids }: Served, milliseconds: number): Promise<Stretch> => {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${secret}` }
  const before = pids.map(cpuOf)
  const begun = performance.now()
  let done = 0
  const work = async (): Promise<void> => {
    while (performance.now() - begun < milliseconds) {
      requests += 1
      const content = `${requests} ${sentence}`
      const body = JSON.stringify({
        model: 'gpt-4o-mini',
        max_tokens: 200,
        messages: [{ role: 'user', content }],
      })
      const reply = await pool.request({ method: 'POST', path: '/v1/chat/completions', headers, body })
      const text = await reply.body.text()
      if (reply.statusCode !== 200) throw new Error(`The gateway answered ${reply.statusCode}: ${text}`)
      done += 1
    }
  }
  await Promise.all(Array.from({ length: connections }, work))
  const seconds = (performance.now() - begun) / 1_000
  return { requests: done, seconds, cpuMs: pids.map((pid, index) => cpuOf(pid) - (before[index] ?? 0)) }
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

const rowOf = (name: string, stretches: readonly Stretch[]): readonly string[] => {
  const all = sum(stretches.map((stretch) => stretch.requests))
  const each = (stretches[0]?.cpuMs ?? []).map(
    (_, process) => sum(stretches.map(({ cpuMs }) => cpuMs[process] ?? 0)) / all,
  )
  const [keeper = 0, ...workers] = each
  return [
    name,
    (all / sum(stretches.map(({ seconds }) => seconds))).toFixed(0),
    sum(each).toFixed(3),
    keeper.toFixed(3),
    workers.map((ms) => ms.toFixed(3)).join(' '),
    (1_000 / Math.max(...each)).toFixed(0),
  ]
}

const right = (title: string): Column => ({ title, align: 'right' })
const columns = [
  { title: '' },
  ...['requests/s', 'CPU ms a request', 'of the keeper', 'of each worker', 'the busiest allows/s'].map(right),
]

console.log(
  `${machine()}\n${connections} connections, fresh prompts of 1 KB, ${rounds} rounds of ${stretchMs} ms in turn; load and vendor are on the same machine\n`,
)
const upstream = await startServer(new URL('./gateway/upstream.ts', import.meta.url), '60')
for (const journal of journals) {
  const config = {
    journal,
    providers: { openai: { baseUrl: `${upstream.url}/v1`, keyVariable: 'VENDOR_KEY' } },
    limits: [{ name: 'bench', measure: 'cost', cap: '1000000', window: { calendar: 'month' } }],
  }
  const served: Served[] = []
  for (const { words } of ways) served.push(await serve(words, config))
  for (const each of served) await load(each, warmMs)
  const stretches: Stretch[][] = ways.map(() => [])
  for (let round = 0; round < rounds; round += 1) {
    for (let turn = 0; turn < ways.length; turn += 1) {
      const index = (turn + round) % ways.length
      const target = served[index]
      if (target !== undefined) stretches[index]?.push(await load(target, stretchMs))
    }
  }
  const rows = ways.map(({ name }, index) => rowOf(name, stretches[index] ?? []))
  console.log(`journal "${journal}"\n${formatTable(columns, rows, { color: false })}`)
  for (const { keeper, pool, folder } of served) {
    await pool.close()
    const exited = once(keeper, 'exit')
    keeper.kill('SIGTERM')
    await exited
    await rm(folder, { recursive: true, force: true })
  }
}
await upstream.end()
