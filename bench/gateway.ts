import { cpus, totalmem } from 'node:os'
import { type Column, formatTable } from '../src/cli/table.ts'
import { added, figuresOf } from './gateway/figures.ts'
import { openTarget, type Scenario, type Stretch, type Target } from './gateway/load.ts'
import { type ServerProcess, startServer } from './gateway/process.ts'

/** Measures what the gateway adds to a direct call, beside the least that a proxy of the same parts adds:
 * `node bench/gateway.ts`, about a minute; `--short`, about 15 seconds. The three are measured in turn, in
 * rounds, each in a process of its own, before one vendor that costs next to nothing. */

const short = process.argv.includes('--short')
const [rounds, stretchMs] = short ? [2, 350] : [6, 600]
const events = 60

const body = (bytes: number, stream: boolean): string => {
  const request = (content: string) =>
    JSON.stringify({
      model: 'gpt-4o-mini',
      messages: [
        { role: 'system', content: 'You are brief.' },
        { role: 'user', content },
      ],
      max_tokens: 200,
      ...(stream && { stream, stream_options: { include_usage: true } }),
    })
  const text = 'How much does it cost, and who pays for it? '
  return request(text.repeat(bytes / text.length).slice(0, bytes - request('').length))
}

const scenarios: readonly Scenario[] = [
  { name: 'whole, 1 KB', body: body(1_024, false), connections: 1 },
  { name: 'whole, 8 KB', body: body(8_192, false), connections: 1 },
  { name: 'whole, 1 KB', body: body(1_024, false), connections: 32 },
  { name: 'whole, 8 KB', body: body(8_192, false), connections: 32 },
  { name: `stream of ${events} events, 1 KB`, body: body(1_024, true), connections: 32 },
]

const names = ['direct', 'raw proxy', 'octroi'] as const
type Name = (typeof names)[number]
type Cell = Record<Name, Stretch[]>

/** All rounds: in each, every scenario, and in each scenario the three one after another. */
const measure = async (targets: Readonly<Record<Name, Target>>): Promise<readonly Cell[]> => {
  const cells = scenarios.map((): Cell => ({ direct: [], 'raw proxy': [], octroi: [] }))
  for (let round = -1; round < rounds; round += 1) {
    for (const [index, scenario] of scenarios.entries()) {
      for (let turn = 0; turn < names.length; turn += 1) {
        const name = names[(turn + Math.max(0, round)) % names.length] ?? 'direct'
        const stretch = await targets[name].run(scenario, round < 0 ? 150 : stretchMs)
        // The first round warms up.
        if (round >= 0) cells[index]?.[name].push(stretch)
      }
    }
  }
  return cells
}

const right = (title: string): Column => ({ title, align: 'right' })
const look = { color: false }

const throughput = (cells: readonly Cell[]): string =>
  formatTable(
    [
      ...['scenario', 'connections', 'through'].map((title) => ({ title })),
      ...['requests/s', 'CPU ms a request', 'p50 ms', 'p99 ms', 'RSS MB, most'].map(right),
    ],
    cells.flatMap((cell, index) =>
      names.map((name, line) => {
        const figures = figuresOf(cell[name])
        const { name: title, connections } = scenarios[index] ?? { name: '', connections: 0 }
        return [
          ...(line === 0 ? [title, `${connections}`] : ['', '']),
          name === 'direct' ? 'direct (the vendor itself)' : name,
          figures.requestsPerSecond.toFixed(0),
          figures.cpuMsPerRequest.toFixed(3),
          figures.p50.toFixed(2),
          figures.p99.toFixed(2),
          megabytes(figures.rssBytes),
        ]
      }),
    ),
    look,
  )

const latency = (cells: readonly Cell[]): string =>
  formatTable(
    [{ title: 'added to a direct call, 1 connection' }, ...['p50 ms', 'p99 ms'].map(right)],
    cells.flatMap((cell, index) => {
      const scenario = scenarios[index]
      if (scenario?.connections !== 1) return []
      return (['raw proxy', 'octroi'] as const).map((name) => [
        `${scenario.name}, ${name}`,
        added(cell[name], cell.direct, 0.5).toFixed(2),
        added(cell[name], cell.direct, 0.99).toFixed(2),
      ])
    }),
    look,
  )

const machine = (): string => {
  const [first] = cpus()
  const gigabytes = Math.round(totalmem() / 1_073_741_824)
  return `${cpus().length} x ${first?.model ?? 'unknown'}, ${gigabytes} GB, ${process.platform} ${process.arch}, Node ${process.version}`
}

const megabytes = (bytes: number): string => (bytes / 1_048_576).toFixed(0)

const begun = performance.now()
const upstream = await startServer(new URL('./gateway/upstream.ts', import.meta.url), `${events}`)
const raw = await startServer(new URL('./gateway/raw-proxy.ts', import.meta.url), upstream.url)
const octroi = await startServer(new URL('./gateway/octroi.ts', import.meta.url), upstream.url)
const target = (server: ServerProcess): Target => openTarget(server.url, server, octroi.key ?? '')
const targets = { direct: target(upstream), 'raw proxy': target(raw), octroi: target(octroi) }

console.log(
  `${machine()}\n${rounds} rounds of ${stretchMs} ms each, in turn; the load comes from this process\n`,
)
const atRest = await Promise.all(
  [upstream, raw, octroi].map(async (server) => (await server.used()).rssBytes),
)
const cells = await measure(targets)
console.log(throughput(cells))
console.log(latency(cells))
console.log(
  `RSS before the first call: ${names.map((name, index) => `${name} ${megabytes(atRest[index] ?? 0)} MB`).join(', ')}`,
)
await Promise.all(Object.values(targets).map(({ close }) => close()))
const told = await octroi.end()
await raw.end()
await upstream.end()
console.log(`${told}\n${((performance.now() - begun) / 1_000).toFixed(0)} s`)
if (told?.endsWith('DIFFERS') === true) process.exitCode = 1
