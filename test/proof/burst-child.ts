import { Pool } from 'undici'
import type { Burst } from './burst.ts'

/** Sends one call many times at once, each over a connection of its own, and tells its parent how many were answered with
 * which status. */
process.once('message', async ({ url, headers, body, calls }: Burst) => {
  const pool = new Pool(url, {
    connections: calls,
    pipelining: 1,
    connectTimeout: 120_000,
    headersTimeout: 120_000,
  })
  const path = '/v1/completions'
  const statuses = await Promise.all(
    Array.from({ length: calls }, async () => {
      const reply = await pool.request({ method: 'POST', path, headers, body })
      await reply.body.text()
      return reply.statusCode
    }),
  )
  await pool.destroy()
  const counts: Record<string, number> = {}
  for (const status of statuses) counts[status] = (counts[status] ?? 0) + 1
  process.send?.(counts)
  process.disconnect()
})
