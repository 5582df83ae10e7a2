import OpenAI from 'openai'
import { afterEach, describe, expect, it } from 'vitest'
import { bundledLimits } from '../../src/cli/bundled.ts'
import { readConfig } from '../../src/gateway/config.ts'
import { openVendorLimits } from '../../src/limits/vendor-limits.ts'
import { startWorld } from '../support/world.ts'
import {
  closeAll,
  hundred,
  model,
  quiet,
  request,
  settled,
  start,
  statusOf,
} from './vendor-limits.fixture.ts'

afterEach(closeAll)

describe('1,022 calls at 100 a minute', () => {
  it('reach the vendor as a burst and its refill, and none is refused', { timeout: 90_000 }, async () => {
    const { world, watched, client } = await start(
      { tier: '1' },
      { gateway: { bounds: { waitMsMax: 900_000, waitersMax: 2_000 } } },
    )
    const calls = Array.from({ length: 1_022 }, () => statusOf(client))
    await settled(watched, 99)
    for (let step = 0; step < 40 && watched.seen.length < 1_022; step += 1) {
      world.clock.advance(20_000)
      await quiet(watched)
    }
    expect((await Promise.all(calls)).filter((status) => status !== 200)).toEqual([])
    const { seen } = watched
    expect(seen).toHaveLength(1_022)
    // In no stretch of time more than a hundred and a hundred a minute.
    const over = seen.flatMap((from, first) =>
      seen.flatMap((to, last) =>
        last >= first && last - first + 1 > 100 + ((to - from) * 100) / 60_000 ? [[first, last]] : [],
      ),
    )
    expect(over).toEqual([])
    // 923 after the burst, at 99 a minute.
    expect((seen.at(-1) ?? 0) - (seen[0] ?? 0)).toBeGreaterThan(550_000)
    expect(world.faults).toEqual([])
  })
})

describe('a vendor account that others use too', () => {
  it('leaves what they leave: fifty of a hundred', async () => {
    const { world, watched, client } = await start({ tier: '1' })
    const other = new OpenAI({ apiKey: 'sk-vendor', baseURL: world.sandbox.baseUrl, maxRetries: 0 })
    await Promise.all(Array.from({ length: 50 }, () => statusOf(other)))
    expect(await statusOf(client)).toBe(200)
    const calls = Array.from({ length: 60 }, () => statusOf(client))
    await settled(watched, 49)
    world.clock.advance(12_000)
    await quiet(watched)
    expect((await Promise.all(calls)).filter((status) => status !== 200)).toEqual([])
  })

  it('is learned without a tier: what the first reply says holds for the next call', async () => {
    const { world, watched, client } = await start({ rateLimits: 'learn' })
    expect(await statusOf(client)).toBe(200)
    const calls = Array.from({ length: 110 }, () => statusOf(client))
    await settled(watched, 99)
    world.clock.advance(60_000)
    expect((await Promise.all(calls)).filter((status) => status !== 200)).toEqual([])
  })
})

describe('a call that cannot come to its turn in time', () => {
  it('is told at once when to come again, as soon as the vendor has said what holds', async () => {
    const { watched, client } = await start({ tier: '1' }, { gateway: { bounds: { waitMsMax: 3_000 } } })
    expect(await statusOf(client)).toBe(200)
    const calls = Array.from({ length: 110 }, () => statusOf(client))
    const refused = await Promise.race([
      client.chat.completions.create(request()).catch((thrown: unknown) => thrown),
      new Promise((resolve) => setTimeout(resolve, 2_500)),
    ])
    expect(String(refused)).toContain(
      `its own limit "openai requests per minute of ${model} (tier 1)" is used up. This one was not sent.`,
    )
    const statuses = await Promise.all(calls)
    expect(statuses.filter((status) => status === 200)).toHaveLength(98)
    expect(watched.seen).toHaveLength(99)
  })
})

describe('a tier that is configured wrongly', () => {
  it('is set right by the first reply: a hundred and not twenty', async () => {
    const twenty = { ...hundred, limits: [{ ...hundred.limits[0], requestsPerMinute: 20 }] }
    const { watched, client } = await start(
      { tier: '1' },
      { gateway: { vendorLimits: openVendorLimits([twenty]) } },
    )
    const calls = Array.from({ length: 90 }, () => statusOf(client))
    expect((await Promise.all(calls)).filter((status) => status !== 200)).toEqual([])
    expect(watched.seen).toHaveLength(90)
  })

  it.each([
    [{ openai: { tier: 'tier-9' } }, /providers\.openai\.tier: .*"1"\|"2"\|"3"\|"4"\|"5"\|"free"/],
    [{ openai: { rateLimits: 'off' } }, /providers\.openai\.rateLimits/],
  ])('is refused: %j', (providers, message) => {
    expect(() => readConfig({ providers }, {})).toThrow(message)
  })

  it('is refused for a vendor of whose tiers nothing is known', async () => {
    const files = await bundledLimits()
    const config = { providers: { anthropic: { tier: '2' } } }
    const started = startWorld({ config, gateway: { vendorLimits: openVendorLimits(files) } })
    await expect(started).rejects.toThrow(/providers\.anthropic\.tier.*openai only/)
  })
})

describe('the limits of vendors', () => {
  it('are listed as theirs, and counted in the metrics', async () => {
    const { world, client } = await start({ tier: '1' }, { gateway: { controlPort: 0 } })
    expect(await statusOf(client)).toBe(200)
    const get = (path: string) =>
      fetch(`${world.gateway.controlUrl}${path}`, {
        headers: { authorization: `Bearer ${world.gateway.controlToken ?? ''}` },
      })
    expect(await (await get('/octroi/v1/limits')).json()).toMatchObject({
      limits: [
        {
          setBy: 'vendor',
          limit: `openai requests per minute of ${model} (tier 1)`,
          measure: 'requests',
          ...{ cap: '99', settled: '1', held: '0', free: '98' },
        },
      ],
    })
    const metrics = await (await get('/metrics')).text()
    expect(metrics).toContain('octroi_vendor_waiting_calls{provider="openai"} 0')
    expect(metrics).toContain(
      `octroi_vendor_limit_amount{limit="openai requests per minute of ${model} (tier 1)",measure="requests",part="settled"} 1`,
    )
  })
})
