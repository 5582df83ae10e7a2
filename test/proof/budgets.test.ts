import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { formatPicos, parsePicos } from '../../src/money/money.ts'
import { startWorld, type TestWorld } from '../support/world.ts'
import { sendBurst } from './burst.ts'
import { settledWhole } from './conservation.ts'
import { tell } from './told.ts'
import { longForm } from './work.ts'

/** Budgets that cannot be passed and can be used up. Prompts here are ids of tokens, so that a quote's most is no more than
 * the vendor bills for the longest answer: gpt-3.5-turbo-instruct costs 1.50 and 2 USD for a million tokens. */

let world: TestWorld
afterEach(() => world.close())

const month = { calendar: 'month' }
const completion = (outputMost: number): string =>
  JSON.stringify({ model: 'gpt-3.5-turbo-instruct', prompt: [9906, 1917], max_tokens: outputMost })

const headersOf = async (team: string) => {
  const none = { name: null, organization: null, project: null, environment: null }
  const { secret } = await world.gateway.registry.createKey({ ...none, team }, world.clock.now())
  return {
    'content-type': 'application/json',
    authorization: `Bearer ${secret}`,
    'octroi-tags': `from=${team}`,
  }
}

describe('identical calls at once, each of which costs exactly what was reserved for it', () => {
  const sizes = longForm ? [1_000, 10_000] : [300]
  it.for(sizes)(
    '%i: as many are admitted as the cap holds, and none over',
    { timeout: 300_000 },
    async (calls, context) => {
      const admitted = calls / 5
      // 2 x 1.5 + 20 x 2 = 43 millionths of a dollar.
      const cap = formatPicos(43_000_000n * BigInt(admitted))
      world = await startWorld({
        config: { limits: [{ name: 'k calls', measure: 'cost', cap, window: month }] },
        sandbox: { outputTokens: 20, latencyMs: 5 },
      })
      const headers = await headersOf('burst')
      const { url } = world.gateway
      const counts = await sendBurst({ url, headers, body: completion(20), calls })
      expect(counts).toEqual({ 200: admitted, 402: calls - admitted })
      expect(world.sandbox.calls()).toHaveLength(admitted)
      expect(await settledWhole(world)).toBe(parsePicos(cap))
      expect(world.gateway.limits()[0]?.free).toBe(0n)
      const found = `${counts[200]} admitted, ${counts[402]} refused, 0 over`
      tell(context, { asked: `${calls} identical calls at once, cap = ${admitted} calls`, found })
    },
  )
})

describe('20 calls at once that fit by what they cost, and not by their most, at a limit that waits', () => {
  const caps = longForm ? ['0.0036', '0.0025'] : ['0.0036']
  it.for(caps)(
    'are served within 30 seconds under a cap of %s USD',
    { timeout: 60_000 },
    async (cap, context) => {
      // Most 3 + 500 x 2 = 1,003 millionths each: three fit into 0.0036, two into 0.0025; in truth 3 + 60 x 2 = 123 each.
      world = await startWorld({
        config: { limits: [{ name: 'waits', measure: 'cost', cap, window: month, action: 'wait' }] },
        sandbox: { outputTokens: 60, latencyMs: 20 },
      })
      const headers = await headersOf('waits')
      const began = performance.now()
      const { url } = world.gateway
      const counts = await sendBurst({ url, headers, body: completion(500), calls: 20 })
      const seconds = (performance.now() - began) / 1_000
      const fits = cap === '0.0036' ? 20 : 13
      expect(counts[200]).toBeGreaterThanOrEqual(Math.min(18, fits))
      expect(seconds).toBeLessThan(32)
      expect(await settledWhole(world)).toBe(123_000_000n * BigInt(counts[200] ?? 0))
      tell(context, {
        asked: `20 calls at once, most 0.001003 USD, real 0.000123, cap ${cap}, wait`,
        found: `${counts[200]} served in ${seconds.toFixed(1)} s, 0 over`,
      })
    },
  )
})

describe('clients whose answers are short, and who retry what is refused, use the cap up', () => {
  // Outputs so long that the most is 1, 10 and 50 thousandths of the cap: 3 + 2 x tokens millionths of a dollar.
  const shares = [
    { percent: '0.1', cap: '1.003', outputMost: 500 },
    { percent: '1', cap: '0.1003', outputMost: 500 },
    { percent: '5', cap: '0.02006', outputMost: 500 },
  ]
  it.for(shares)(
    'where one call may cost $percent % of it',
    { timeout: 300_000 },
    async ({ cap, percent, outputMost }, context) => {
      const seeds = longForm && percent !== '0.1' ? 5 : 1
      const found: string[] = []
      for (let seed = 0; seed < seeds; seed += 1) {
        if (seed > 0) await world.close()
        // In the short form the cheapest share has longer answers, so that fewer calls reach its cap.
        const outputTokens = { least: 20, most: longForm || percent !== '0.1' ? 120 : 480 }
        world = await startWorld({
          config: { limits: [{ name: 'cap', measure: 'cost', cap, window: month }] },
          sandbox: { outputTokens, latencyMs: 2, seed },
        })
        const headers = await headersOf('retries')
        const refused = await Promise.all(
          Array.from({ length: 16 }, () => askUntilFull(headers, completion(outputMost))),
        )
        const settled = await settledWhole(world)
        const [whole, most] = [parsePicos(cap), parsePicos('0.001003')]
        expect(settled).toBeGreaterThan(whole - most)
        expect(settled * 10n).toBeGreaterThanOrEqual(whole * 9n)
        expect(settled).toBeLessThanOrEqual(whole)
        expect(Math.min(...refused)).toBeGreaterThan(0)
        found.push(`${Number((settled * 10_000n) / whole) / 100} %`)
      }
      tell(context, {
        asked: `most = ${percent} % of the cap, 16 clients retry`,
        found: `${found.join(', ')} used, 0 over`,
      })
    },
  )
})

/** One client: asks until it is refused while nobody holds anything that could still be freed. Gives how often it was
 * refused. */
const askUntilFull = async (headers: Readonly<Record<string, string>>, body: string): Promise<number> => {
  for (let refused = 0; ; ) {
    const reply = await fetch(`${world.gateway.url}/v1/completions`, { method: 'POST', headers, body })
    const said = (await reply.json()) as { readonly error?: { readonly octroi: { readonly held: string } } }
    if (reply.status === 200) continue
    expect(reply.status).toBe(402)
    refused += 1
    if (said.error?.octroi.held === '0') return refused
    await sleep(5)
  }
}
