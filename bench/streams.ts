import { Pool } from 'undici'
import { type Column, formatTable } from '../src/cli/table.ts'
import { quantile } from './gateway/figures.ts'
import { machine } from './gateway/machine.ts'
import { type ServerProcess, startServer } from './gateway/process.ts'

/** How many live streams of 50 events a second the gateway carries: `node bench/streams.ts`, about a minute. For each
 * number of streams a stretch before the vendor itself, the raw proxy and the gateway: how long an event takes from
 * the vendor to the client, how uneven the gaps are, and how much later than direct the first byte comes. Asked are a
 * first byte at most 25 ms later and gaps off by at most 10 ms, both at p99. */

const everyMs = 20
const beginMs = 1_000
const settleMs = 500
const stretchMs = process.argv.includes('--short') ? 1_500 : 4_000
const numbers = process.argv.includes('--short') ? [10, 50] : [25, 50, 100, 200, 400, 700, 1_000]
const names = ['direct', 'raw proxy', 'octroi'] as const
type Name = (typeof names)[number]

type Measured = {
  readonly firstMs: readonly number[]
  readonly lateMs: readonly number[]
  readonly unevenMs: readonly number[]
  readonly events: number
  readonly cpuMicroseconds: number
}

const body = (number: number): string =>
  JSON.stringify({
    model: 'gpt-4o-mini',
    messages: [{ role: 'user', content: `Count on from ${number}.` }],
    stream: true,
    stream_options: { include_usage: true },
  })

/** So many streams at once, begun evenly within a second and then watched for a stretch. All of them end by themselves:
 * the gateway would read on what a client has left. */
const watch = async (server: ServerProcess, key: string, streams: number): Promise<Measured> => {
  const pool = new Pool(server.url, { connections: streams, pipelining: 1 })
  const [firstMs, lateMs, unevenMs]: [number[], number[], number[]] = [[], [], []]
  let [events, watching] = [0, false]
  const one = async (number: number): Promise<void> => {
    await sleep((number * beginMs) / streams)
    const asked = performance.now()
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` }
    const reply = await pool.request({
      ...{ method: 'POST', path: '/v1/chat/completions', headers, body: body(number) },
    })
    if (reply.statusCode !== 200)
      throw new Error(`${server.url} answered ${reply.statusCode}: ${await reply.body.text()}`)
    let before = 0
    for await (const chunk of reply.body) {
      const now = performance.now()
      const clock = process.hrtime.bigint()
      if (before === 0) firstMs.push(now - asked)
      const sent = [...(chunk as Buffer).toString('latin1').matchAll(/"content":" (\d+)"/g)]
      if (watching) {
        events += sent.length
        for (const [, at = '0'] of sent) lateMs.push(Number(clock - BigInt(at)) / 1_000_000)
        // Several events at once are gaps of nothing between them.
        for (let more = 1; more < sent.length; more += 1) unevenMs.push(everyMs)
        if (before > 0) unevenMs.push(Math.abs(now - before - everyMs))
      }
      before = now
    }
  }
  const all = Promise.all(Array.from({ length: streams }, (_, number) => one(number)))
  await Promise.race([sleep(beginMs + settleMs), all])
  const before = await server.used()
  watching = true
  await Promise.race([sleep(stretchMs), all])
  watching = false
  const after = await server.used()
  await all
  await pool.close()
  return {
    firstMs,
    lateMs,
    unevenMs,
    events,
    cpuMicroseconds: after.cpuMicroseconds - before.cpuMicroseconds,
  }
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

const right = (title: string): Column => ({ title, align: 'right' })
const p99 = (values: readonly number[]): number => quantile(values, 0.99)

const lastsMs = beginMs + stretchMs + 2 * settleMs
const vendor = await startServer(
  new URL('./gateway/paced-upstream.ts', import.meta.url),
  ...[`${everyMs}`, `${Math.ceil(lastsMs / everyMs)}`],
)
const servers: Readonly<Record<Name, ServerProcess>> = {
  direct: vendor,
  'raw proxy': await startServer(new URL('./gateway/raw-proxy.ts', import.meta.url), vendor.url),
  octroi: await startServer(new URL('./gateway/octroi.ts', import.meta.url), vendor.url, 'before-send'),
}
const key = servers.octroi.key ?? ''
console.log(`${machine()}\nstreams of ${1_000 / everyMs} events a second, ${stretchMs} ms each\n`)
for (const name of names) await watch(servers[name], key, 10)

const nothing: Measured = { firstMs: [], lateMs: [], unevenMs: [], events: 0, cpuMicroseconds: 0 }
const rows: string[][] = []
let largest = 0
for (const streams of numbers) {
  const measured: Partial<Record<Name, Measured>> = {}
  for (const name of names) measured[name] = await watch(servers[name], key, streams)
  const direct = measured.direct
  for (const name of names) {
    const { firstMs, lateMs, unevenMs, events, cpuMicroseconds } = measured[name] ?? direct ?? nothing
    const firstAdded = p99(firstMs) - p99(direct?.firstMs ?? [])
    const meets = firstAdded <= 25 && p99(unevenMs) <= 10
    if (name === 'octroi' && meets) largest = streams
    rows.push([
      name === 'direct' ? `${streams}` : '',
      name,
      ((events * 1_000) / stretchMs).toFixed(0),
      (cpuMicroseconds / events).toFixed(0),
      firstAdded.toFixed(1),
      quantile(lateMs, 0.5).toFixed(2),
      p99(lateMs).toFixed(1),
      p99(unevenMs).toFixed(1),
      meets ? 'yes' : 'no',
    ])
  }
}
console.log(
  formatTable(
    [
      ...['streams', 'through'].map((title) => ({ title })),
      ...['events/s', 'CPU us an event', 'first byte added, p99 ms', 'late p50 ms', 'late p99 ms'].map(right),
      ...['gap off by, p99 ms', 'as asked'].map(right),
    ],
    rows,
    { color: false },
  ),
)
console.log(`The most streams at which the gateway is as asked: ${largest}`)
for (const server of [servers.octroi, servers['raw proxy'], vendor]) await server.end()
process.exit(0)
