import { Pool } from 'undici'
import type { ServerProcess } from './process.ts'

/** What is asked, how, and over how many connections. */
export type Scenario = {
  readonly name: string
  /** The body of the so-manieth request: no two are alike. */
  readonly body: (request: number) => string
  readonly connections: number
}

/** What one stretch of load showed. */
export type Stretch = {
  readonly requests: number
  readonly seconds: number
  readonly cpuMicroseconds: number
  readonly rssBytes: number
  /** Of each request, from asking to its last byte. */
  readonly milliseconds: readonly number[]
}

/** A server under measurement, with its kept connections. */
export type Target = {
  readonly run: (scenario: Scenario, milliseconds: number) => Promise<Stretch>
  /** Asks at even instants, whatever became of what was asked before; gives how long each took from that instant on, in
   * milliseconds. */
  readonly open: (
    scenario: Scenario,
    rhythm: { readonly perSecond: number; readonly milliseconds: number },
  ) => Promise<readonly number[]>
  readonly close: () => Promise<void>
}

/** How a server is asked: with this key, and what else it wants to be told in headers. */
export type Manner = { readonly key: string; readonly headers?: Readonly<Record<string, string>> }

/** Every connection asks again as soon as it has its answer. A reply that is not 200 ends the benchmark. */
export const openTarget = (server: ServerProcess, { key, headers: more = {} }: Manner): Target => {
  const { url } = server
  const pools = new Map<number, Pool>()
  const poolOf = (connections: number): Pool => {
    const pool = pools.get(connections) ?? new Pool(url, { connections, pipelining: 1 })
    pools.set(connections, pool)
    return pool
  }
  let requests = 0
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}`, ...more }
  const ask = async (pool: Pool, body: string): Promise<number> => {
    const asked = performance.now()
    const reply = await pool.request({ method: 'POST', path: '/v1/chat/completions', headers, body })
    const text = await reply.body.text()
    if (reply.statusCode !== 200) throw new Error(`${url} answered ${reply.statusCode}: ${text}`)
    return performance.now() - asked
  }
  return {
    run: async ({ body, connections }, milliseconds) => {
      const pool = poolOf(connections)
      const taken: number[] = []
      const before = await server.used()
      const begun = performance.now()
      const work = async (): Promise<void> => {
        while (performance.now() - begun < milliseconds) taken.push(await ask(pool, body(requests++)))
      }
      await Promise.all(Array.from({ length: connections }, work))
      const seconds = (performance.now() - begun) / 1_000
      const after = await server.used()
      return {
        requests: taken.length,
        seconds,
        cpuMicroseconds: after.cpuMicroseconds - before.cpuMicroseconds,
        rssBytes: after.rssBytes,
        milliseconds: taken,
      }
    },
    open: async ({ body, connections }, { perSecond, milliseconds }) => {
      const pool = poolOf(connections)
      const begun = performance.now()
      const asked: Promise<number>[] = []
      while (performance.now() - begun < milliseconds) {
        const due = ((performance.now() - begun) * perSecond) / 1_000
        while (asked.length < due) {
          const late = performance.now() - begun - (asked.length * 1_000) / perSecond
          asked.push(ask(pool, body(requests++)).then((taken) => taken + late))
        }
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
      return Promise.all(asked)
    },
    close: async () => {
      await Promise.all([...pools.values()].map((pool) => pool.close()))
    },
  }
}
