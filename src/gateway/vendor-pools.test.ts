import { afterEach, describe, expect, it } from 'vitest'
import { startWorld, type TestWorld } from '../../test/support/world.ts'
import { bundledLimits } from '../cli/bundled.ts'
import { openVendorLimits } from '../limits/vendor-limits.ts'
import { manualClock } from '../time.ts'
import { createVendorPools, type Entered } from './vendor-pools.ts'

const model = 'gpt-4-1106-preview'
const at = Date.parse('2023-11-15T12:00:00Z')
const limits = openVendorLimits(await bundledLimits())

const call = (id: string, named = model) =>
  ({ id, at, provider: 'openai', model: named, endpoint: 'chat-completions' }) as never
const asked = (clock: { now: () => number }, tokens = 100) =>
  ({
    subject: call('x'),
    at: clock.now(),
    most: 1n,
    currency: 'USD',
    quote: {
      usage: [{ meters: ['input_text_tokens'], least: 0, most: tokens }],
      unpriced: [],
      pricedMost: 1n,
    },
  }) as never

const enters = (entered: Entered): boolean => {
  if (entered.refused !== null) return false
  entered.keep()
  return true
}

describe('the pool of a model in tier 1: 20 requests and 20,000 tokens a minute', () => {
  const open = (tier: '1' | '2' = '1') => {
    const clock = manualClock(at)
    return {
      clock,
      pools: createVendorPools(new Map([['openai', { provider: 'openai', tier }]]), limits, clock),
    }
  }

  it('takes all but one of twenty calls at once, and one more at the pace of nineteen a minute', () => {
    const { clock, pools } = open()
    const take = (id: number) => enters(pools.enter(call(`${id}`), asked(clock)))
    expect(Array.from({ length: 25 }, (_, id) => take(id)).filter(Boolean)).toHaveLength(19)
    const entered = pools.enter(call('next'), asked(clock))
    expect(entered.refused).toMatchObject({ action: 'wait', fitsAt: at + 3_158 })
    clock.advance(3_158)
    expect([take(30), take(31)]).toEqual([true, false])
  })

  it('gives back the tokens that a call did not use', () => {
    const { clock, pools } = open()
    for (let id = 0; id < 2; id += 1)
      expect(enters(pools.enter(call(`${id}`), asked(clock, 10_000)))).toBe(true)
    expect(enters(pools.enter(call('full'), asked(clock, 10_000)))).toBe(false)
    pools.ended('0', { requests: 1n, tokens: 50n })
    expect(enters(pools.enter(call('fits'), asked(clock, 9_000)))).toBe(true)
  })

  it('closes for as long as the vendor says, and counts no call that it refused', () => {
    const { clock, pools } = open()
    expect(enters(pools.enter(call('1'), asked(clock)))).toBe(true)
    pools.heard(call('1'), { status: 429, headers: { 'retry-after': '7' } })
    expect(pools.enter(call('2'), asked(clock)).refused).toMatchObject({ fitsAt: at + 7_000 })
    clock.advance(7_000)
    expect(
      Array.from({ length: 21 }, (_, id) => enters(pools.enter(call(`a${id}`), asked(clock)))).filter(
        Boolean,
      ),
    ).toHaveLength(19)
  })

  it('is another for each model, and none for one whose limits nobody knows', () => {
    const { clock, pools } = open()
    pools.heard(call('1'), { status: 429, headers: { 'retry-after-ms': '60000' } })
    expect(enters(pools.enter(call('2', 'gpt-4-vision-preview'), asked(clock)))).toBe(true)
    expect(enters(pools.enter(call('3', 'a-model-of-nobody'), asked(clock)))).toBe(true)
    expect(pools.enter(call('4'), asked(clock)).refused).not.toBeNull()
  })

  it('leaves room for others who use the account', () => {
    const { clock, pools } = open()
    pools.heard(call('1'), {
      status: 200,
      headers: { 'x-ratelimit-limit-tokens': '20000', 'x-ratelimit-remaining-tokens': '500' },
    })
    expect(enters(pools.enter(call('2'), asked(clock, 600)))).toBe(false)
    expect(enters(pools.enter(call('3'), asked(clock, 400)))).toBe(true)
  })

  it('takes the cap that the vendor tells, where there is no doubt which it is', () => {
    const { clock, pools } = open()
    pools.heard(call('1'), { status: 200, headers: { 'x-ratelimit-limit-tokens': '40000' } })
    expect(enters(pools.enter(call('2'), asked(clock, 35_000)))).toBe(true)
  })

  it.each(['-1', 'NaN', '1e308', '', '99999999999999999999', 'soon', '0x10'])(
    'is not moved by nonsense: %j',
    (nonsense) => {
      const { clock, pools } = open()
      const headers = {
        'retry-after': nonsense,
        'retry-after-ms': nonsense,
        'x-ratelimit-limit-tokens': nonsense,
        'x-ratelimit-remaining-tokens': nonsense,
      }
      pools.heard(call('1'), { status: 429, headers })
      expect(enters(pools.enter(call('2'), asked(clock, 20_000)))).toBe(true)
    },
  )
})

describe('a gateway that knows the tier of its account', () => {
  let world: TestWorld
  let moving: NodeJS.Timeout
  afterEach(async () => {
    clearInterval(moving)
    await world.close()
  })

  const start = async (tier: object, name = 'openai') => {
    const files = await bundledLimits()
    world = await startWorld({
      config: (sandbox) => ({
        providers: {
          [name]: { kind: 'openai', baseUrl: sandbox.baseUrl, keyVariable: 'VENDOR_KEY', ...tier },
        },
      }),
      sandbox: { limits: { files, tier: '1' }, outputTokens: 5 },
      gateway: { vendorLimits: limits },
    })
    // Twenty times as fast as time goes.
    moving = setInterval(() => world.clock.advance(200), 10)
    return world.client('search')
  }

  const ask = (client: Awaited<ReturnType<typeof start>>): Promise<number> =>
    client.chat.completions
      .create({ model, messages: [{ role: 'user', content: 'Hello' }], max_tokens: 5 })
      .then(
        () => 200,
        (error: { status?: number }) => error.status ?? 0,
      )

  it('lets calls wait for what the vendor would refuse', async () => {
    // The provider goes by the operator's own name for it.
    const client = await start({ tier: '1', pricesFrom: 'openai' }, 'mine')
    const statuses = await Promise.all(Array.from({ length: 40 }, () => ask(client)))
    expect(statuses.filter((status) => status !== 200)).toEqual([])
    // A burst of nineteen, and twenty-one more at nineteen a minute.
    expect(world.clock.now() - at).toBeGreaterThanOrEqual(60_000)
  })

  it('passes on what the vendor says where no tier is known', async () => {
    const client = await start({})
    const statuses = await Promise.all(Array.from({ length: 40 }, () => ask(client)))
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThan(5)
  })
})
