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
  readonly close: () => Promise<void>
}

/** Every connection asks again as soon as it has its answer. A reply that is not 200 ends the benchmark. */
export const openTarget = (url: string, server: ServerProcess, key: string): Target => {
  const pools = new Map<number, Pool>()
  const poolOf = (connections: number): Pool => {
    const pool = pools.get(connections) ?? new Pool(url, { connections, pipelining: 1 })
    pools.set(connections, pool)
    return pool
  }
  let requests = 0
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` }
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
    close: async () => {
      await Promise.all([...pools.values()].map((pool) => pool.close()))
    },
  }
}
