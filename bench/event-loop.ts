import { Pool } from 'undici'
import { formatTable } from '../src/cli/table.ts'
import type { LoopDelay } from './gateway/child.ts'
import { machine } from './gateway/machine.ts'
import { startServer } from './gateway/process.ts'

/** Measures how long the gateway's event loop is held up while bodies of 1 KB to 1 MB pass: `node
 * bench/event-loop.ts`, about 40 seconds; `--short`, about ten. The gateway and the vendor have a process each,
 * the load comes from this one. */

const stretchMs = process.argv.includes('--short') ? 400 : 3_000
const connections = 8
const p99MsMax = 10

const sizes = [1_000, 20_000, 200_000, 1_000_000] as const

/** What becomes of a call. A budget that its bound fits counts nothing; one that only the exact count fits has
 * every prompt counted before it is sent; a reply without usage has every prompt counted after. */
const kinds = ['the bound fits', 'counting decides', 'no usage reported'] as const
type Kind = (typeof kinds)[number]

const usdPerToken = 0.1 / 1_000_000

/** Each connection has a team of its own, with a budget just below what a token for each byte would cost. */
const capOf = (kind: Kind, bytes: number): string =>
  kind === 'counting decides' ? (bytes * usdPerToken * 0.9).toFixed(12) : '1000000'

const teamOf = (kind: Kind, bytes: number, connection: number): string => `${kind}, ${bytes}, ${connection}`

const bodyOf = (kind: Kind, bytes: number): string => {
  const text = 'How much does it cost, and who pays for it? Who asks at the gate, and when? '
  const request = (content: string) =>
    JSON.stringify({
      model: 'gpt-4.1-nano',
      messages: [{ role: 'user', content }],
      max_tokens: 1,
      ...(kind === 'no usage reported' && { metadata: { usage: 'none' } }),
    })
  return request(text.repeat(bytes / text.length + 1).slice(0, bytes - request('').length))
}

type Measured = { readonly calls: number; readonly delay: LoopDelay }

const caps: Record<string, string> = {}
for (const kind of kinds) {
  for (const bytes of sizes) {
    for (let connection = 0; connection < connections; connection += 1) {
      caps[teamOf(kind, bytes, connection)] = capOf(kind, bytes)
    }
  }
}
const upstream = await startServer(new URL('./event-loop/upstream.ts', import.meta.url))
const octroi = await startServer(
  new URL('./event-loop/octroi.ts', import.meta.url),
  upstream.url,
  JSON.stringify(caps),
)
const keys = JSON.parse(octroi.key ?? '{}') as Readonly<Record<string, string>>
const pool = new Pool(octroi.url, { connections, pipelining: 1 })

const ask = async (body: string, key: string): Promise<void> => {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` }
  const reply = await pool.request({ method: 'POST', path: '/v1/chat/completions', headers, body })
  const text = await reply.body.text()
  if (reply.statusCode !== 200) throw new Error(`octroi answered ${reply.statusCode}: ${text}`)
}

const measure = async (kind: Kind, bytes: number): Promise<Measured> => {
  const body = bodyOf(kind, bytes)
  const load = async (milliseconds: number): Promise<number> => {
    const begun = performance.now()
    let calls = 0
    const work = async (_: unknown, connection: number): Promise<void> => {
      const key = keys[teamOf(kind, bytes, connection)] ?? ''
      while (performance.now() - begun < milliseconds) {
        await ask(body, key)
        calls += 1
      }
    }
    await Promise.all(Array.from({ length: connections }, work))
    return calls
  }
  await load(stretchMs / 4)
  const delay = octroi.watch()
  const calls = await load(stretchMs)
  return { calls, delay: await delay() }
}

console.log(`${machine()}\n${connections} connections, ${stretchMs} ms each\n`)

const rows: string[][] = []
let [late, busy] = [0, 0]
for (const kind of kinds) {
  for (const [index, bytes] of sizes.entries()) {
    const { calls, delay } = await measure(kind, bytes)
    const { late: lateBy, worked } = delay
    const within = lateBy.p99Ms < p99MsMax
    if (!within) late += 1
    if (worked.p99Ms >= p99MsMax) busy += 1
    rows.push([
      index === 0 ? kind : '',
      `${bytes / 1_000} KB`,
      `${calls}`,
      ...[lateBy.p50Ms, lateBy.p99Ms, lateBy.mostMs, worked.p99Ms, worked.mostMs].map((ms) => ms.toFixed(2)),
      within ? 'yes' : 'NO',
    ])
  }
}
await pool.close()
await octroi.end()
await upstream.end()

const right = (title: string) => ({ title, align: 'right' as const })
console.log(
  formatTable(
    [
      { title: 'call' },
      ...['body', 'calls', 'loop late, p50 ms', 'p99 ms', 'most ms', 'worked, p99 ms', 'most ms'].map(right),
      right(`p99 under ${p99MsMax}`),
    ],
    rows,
    { color: false },
  ),
)
console.log(
  `p99 of ${p99MsMax} ms or more: late in ${late} of ${rows.length} rows, whatever else the machine did; ` +
    `by the loop's own work in ${busy}`,
)
