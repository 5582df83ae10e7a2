import { loadavg } from 'node:os'
import { type Column, formatTable } from '../src/cli/table.ts'
import { added, cpuRatio, figuresOf } from './gateway/figures.ts'
import { openTarget, type Scenario, type Stretch, type Target } from './gateway/load.ts'
import { machine } from './gateway/machine.ts'
import { type ServerProcess, startServer } from './gateway/process.ts'

/** Measures what the gateway adds to a direct call, beside the least that a proxy of the same parts adds, and beside
 * the best known gateway on Node: `node bench/gateway.ts`, about three minutes; `--short`, less than one. The five are
 * measured in turn, in rounds, each in a process of its own, before one vendor that costs next to nothing. */

const short = process.argv.includes('--short')
const [rounds, stretchMs, warmMs] = short ? [2, 300, 1_500] : [5, 600, 6_000]
const events = 60

const system = { role: 'system', content: 'You are brief.' }
const sentence = 'How much does it cost, and who pays for it? '
const textOf = (bytes: number): string => sentence.repeat(bytes / sentence.length + 1).slice(0, bytes)

/** A request of so many bytes whose last message begins with a number of its own. */
const bodies = (bytes: number, { history = false, stream = false } = {}): Scenario['body'] => {
  const more = stream ? { stream, stream_options: { include_usage: true } } : {}
  const turn = [
    { role: 'user', content: textOf(600) },
    { role: 'assistant', content: textOf(1_400) },
  ]
  const before = history ? Array.from({ length: Math.floor(bytes / 2_100) }, () => turn).flat() : []
  const request = (content: string) =>
    JSON.stringify({
      model: 'gpt-4o-mini',
      messages: [system, ...before, { role: 'user', content }],
      max_tokens: 200,
      ...more,
    })
  const [head = '', tail = ''] = request('?').split('?"')
  const rest = textOf(Math.max(50, bytes - head.length - tail.length))
  return (number) => `${head}${number} ${rest}"${tail}`
}

const kinds = [
  { name: 'fresh prompt, 1 KB', body: bodies(1_024) },
  { name: 'fresh prompt, 8 KB', body: bodies(8_192) },
  { name: 'history, 100 KB', body: bodies(102_400, { history: true }) },
]

/** The peer, 1.15.2, answers every stream with 500 on Node 24: it writes into headers that cannot be changed. */
type Measured = Scenario & { readonly withoutPeer?: true }

const scenarios: readonly Measured[] = [
  ...kinds.map((kind) => ({ ...kind, connections: 1 })),
  ...kinds.map((kind) => ({ ...kind, connections: 64 })),
  { name: 'fresh prompt, 1 KB', body: bodies(1_024), connections: 256 },
  {
    name: `stream of ${events} events, 1 KB`,
    body: bodies(1_024, { stream: true }),
    connections: 32,
    withoutPeer: true,
  },
]

const names = ['direct', 'raw proxy', 'peer', 'before-send', 'before-reply'] as const
const proxies = ['raw proxy', 'peer', 'before-send', 'before-reply'] as const
type Name = (typeof names)[number]

const isIn = (scenario: Measured | undefined, name: Name): boolean =>
  name !== 'peer' || scenario?.withoutPeer !== true
type Cell = Record<Name, Stretch[]>

/** All rounds: in each, every scenario, and in each scenario the five one after another. */
const measure = async (targets: Readonly<Record<Name, Target>>): Promise<readonly Cell[]> => {
  const cells = scenarios.map(
    (): Cell => ({ direct: [], 'raw proxy': [], peer: [], 'before-send': [], 'before-reply': [] }),
  )
  const [first] = kinds
  for (const name of names) {
    if (first !== undefined) await targets[name].run({ ...first, connections: 64 }, warmMs)
  }
  for (let round = -1; round < rounds; round += 1) {
    for (const [index, scenario] of scenarios.entries()) {
      for (let turn = 0; turn < names.length; turn += 1) {
        const name = names[(turn + Math.max(0, round)) % names.length] ?? 'direct'
        if (!isIn(scenario, name)) continue
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

const shown = (name: Name): string =>
  name === 'direct'
    ? 'direct (the vendor itself)'
    : name === 'raw proxy'
      ? name
      : name === 'peer'
        ? '@portkey-ai/gateway'
        : `octroi, journal "${name}"`

const throughput = (cells: readonly Cell[]): string =>
  formatTable(
    [
      ...['scenario', 'connections', 'through'].map((title) => ({ title })),
      ...[
        'requests/s',
        'CPU ms a request',
        'of the raw proxy',
        'of the peer',
        'p50 ms',
        'p99 ms',
        'RSS MB',
      ].map(right),
    ],
    cells.flatMap((cell, index) =>
      names
        .filter((name) => isIn(scenarios[index], name))
        .map((name, line) => {
          const figures = figuresOf(cell[name])
          const { name: title, connections } = scenarios[index] ?? { name: '', connections: 0 }
          return [
            ...(line === 0 ? [title, `${connections}`] : ['', '']),
            shown(name),
            figures.requestsPerSecond.toFixed(0),
            figures.cpuMsPerRequest.toFixed(3),
            name === 'direct' ? '' : cpuRatio(cell[name], cell['raw proxy']).toFixed(2),
            name === 'direct' || cell.peer.length === 0 ? '' : cpuRatio(cell[name], cell.peer).toFixed(2),
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
    [
      ...['added to a direct call', 'connections', 'through'].map((title) => ({ title })),
      ...['p50 ms', 'p99 ms'].map(right),
    ],
    cells.flatMap((cell, index) => {
      const { name: title = '', connections = 0 } = scenarios[index] ?? {}
      if (connections !== 1 && connections !== 64) return []
      return proxies.map((name, line) => [
        ...(line === 0 ? [title, `${connections}`] : ['', '']),
        shown(name),
        added(cell[name], cell.direct, 0.5).toFixed(2),
        added(cell[name], cell.direct, 0.99).toFixed(2),
      ])
    }),
    look,
  )

/** What kept the event loop of each proxy, in stretches of their own: watching it takes processor time. */
const loops = async (
  targets: Readonly<Record<Name, Target>>,
  servers: Readonly<Record<Name, ServerProcess>>,
): Promise<string> => {
  const rows: string[][] = []
  for (const kind of kinds) {
    for (const name of proxies) {
      const told = servers[name].watch()
      await targets[name].run({ ...kind, connections: 64 }, 2 * stretchMs)
      const { late, worked } = await told()
      const times = [late.p50Ms, late.p99Ms, worked.p99Ms, worked.mostMs].map((time) => time.toFixed(2))
      rows.push([name === 'raw proxy' ? kind.name : '', shown(name), ...times])
    }
  }
  return formatTable(
    [
      ...['event loop, 64 connections', 'through'].map((title) => ({ title })),
      ...['late, p50 ms', 'p99 ms', 'worked, p99 ms', 'most ms'].map(right),
    ],
    rows,
    look,
  )
}

const load = (): string => (loadavg()[0] ?? 0).toFixed(1)
const megabytes = (bytes: number): string => (bytes / 1_048_576).toFixed(0)

const begun = performance.now()
const loadBefore = load()
const upstream = await startServer(new URL('./gateway/upstream.ts', import.meta.url), `${events}`)
const octroi = (journal: 'before-send' | 'before-reply'): Promise<ServerProcess> =>
  startServer(new URL('./gateway/octroi.ts', import.meta.url), upstream.url, journal)
const servers: Readonly<Record<Name, ServerProcess>> = {
  direct: upstream,
  'raw proxy': await startServer(new URL('./gateway/raw-proxy.ts', import.meta.url), upstream.url),
  peer: await startServer(new URL('./gateway/peer.ts', import.meta.url), upstream.url),
  'before-send': await octroi('before-send'),
  'before-reply': await octroi('before-reply'),
}
const peerHeaders = { 'x-portkey-provider': 'openai', 'x-portkey-custom-host': `${upstream.url}/v1` }
const key = (name: Name): string => servers[name].key ?? servers['before-send'].key ?? ''
const target = (name: Name): Target =>
  openTarget(servers[name], { key: key(name), ...(name === 'peer' && { headers: peerHeaders }) })
const targets: Readonly<Record<Name, Target>> = {
  direct: target('direct'),
  'raw proxy': target('raw proxy'),
  peer: target('peer'),
  'before-send': target('before-send'),
  'before-reply': target('before-reply'),
}

console.log(
  `${machine()}\n${rounds} rounds of ${stretchMs} ms each, in turn; the load comes from this process\n`,
)
const atRest: string[] = []
for (const name of names) atRest.push(`${name} ${megabytes((await servers[name].used()).rssBytes)} MB`)
const cells = await measure(targets)
console.log(throughput(cells))
console.log(latency(cells))
console.log(await loops(targets, servers))
console.log(`RSS before the first call: ${atRest.join(', ')}`)
await Promise.all(names.map((name) => targets[name].close()))
const told = [await servers['before-send'].end(), await servers['before-reply'].end()]
await servers['raw proxy'].end()
await servers.peer.end()
await upstream.end()
console.log(told.join('\n'))
console.log(
  `load of the machine: ${loadBefore} before, ${load()} after; ${((performance.now() - begun) / 1_000).toFixed(0)} s`,
)
if (told.some((each) => each?.endsWith('DIFFERS') === true)) process.exitCode = 1
