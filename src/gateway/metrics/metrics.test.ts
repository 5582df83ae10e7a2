import { afterEach, describe, expect, it } from 'vitest'
import { startWorld, type TestWorld } from '../../../test/support/world.ts'
import { createMetrics } from './metrics.ts'

let world: TestWorld

const hello = (more: object = {}) => ({
  model: 'gpt-4-1106-preview',
  messages: [{ role: 'user' as const, content: 'Hello there' }],
  ...more,
})

const read = async (): Promise<readonly string[]> => {
  const reply = await fetch(`${world.gateway.controlUrl}/metrics`)
  expect(reply.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  return (await reply.text()).split('\n')
}

const chat = 'provider="openai",endpoint="chat-completions",model="gpt-4-1106-preview"'

describe('the metrics of a gateway', () => {
  afterEach(() => world.close())

  it('say what calls cost and used, what was refused, and where limits stand', async () => {
    const limits = [
      { name: 'all', measure: 'cost', cap: '1', window: { calendar: 'month', timeZone: 'UTC' } },
    ]
    world = await startWorld({
      config: { limits },
      sandbox: { outputTokens: 20 },
      gateway: { controlPort: 0 },
    })
    const client = await world.client('search')
    for (let call = 0; call < 2; call += 1) await client.chat.completions.create(hello())
    await client.chat.completions.create(hello({ model: 'gpt-unheard-of' })).catch(() => {})
    const lines = await read()
    expect(lines).toContain(`octroi_calls_total{${chat},basis="measured"} 2`)
    expect(lines).toContain(`octroi_cost_total{${chat},currency="USD"} 0.00138`)
    expect(lines).toContain(`octroi_usage_total{${chat},meter="output_text_tokens",unit="token"} 40`)
    expect(lines).toContain(
      'octroi_refusals_total{provider="openai",endpoint="chat-completions",code="unpriced"} 1',
    )
    expect(lines).toContain('octroi_limit_amount{limit="all",currency="USD",part="settled"} 0.00138')
    expect(lines).toContain('octroi_ledger_commit_seconds_count{verb="reserve"} 2')
    expect(lines).toContain('octroi_ledger_commit_seconds_count{verb="settle"} 2')
    expect(lines).toContain('octroi_upstream_first_byte_seconds_count{provider="openai"} 2')
    expect(lines).toContain('octroi_upstream_reply_seconds_count{provider="openai"} 2')
    expect(lines).toContain('octroi_requests_in_flight 0')
    expect(lines).toContain('octroi_calls_open 0')
    expect(lines.some((line) => line.startsWith('octroi_event_loop_delay_seconds{quantile="0.99"} 0.'))).toBe(
      true,
    )
  })

  it('show a call while it is open', async () => {
    world = await startWorld({ gateway: { controlPort: 0 } })
    world.sandbox.faults.add({ kind: 'slow', delayMs: 600 })
    const client = await world.client('search')
    const call = client.chat.completions.create(hello())
    await expect.poll(read).toContain('octroi_calls_open 1')
    expect(await read()).toContain('octroi_requests_in_flight 1')
    await call
  })
})

describe('the models of metrics', () => {
  it('are no more than fifty, and none that was not billed', () => {
    const metrics = createMetrics()
    const charge = { meter: 'input_text_tokens', quantity: 1, amount: 1n }
    for (let model = 0; model < 1_000; model += 1) {
      const call = { provider: 'openai', endpoint: 'chat-completions' }
      const settlement = { model: `m-${model}`, basis: 'measured', currency: 'USD', unpriced: [] }
      const charges = model % 2 === 0 ? [charge] : []
      metrics.called({ call, settlement: { ...settlement, charges }, cost: 1n } as never)
    }
    const lines = metrics
      .text({
        requestsInFlight: 0,
        callsOpen: 0,
        limits: [],
        vendors: { limits: [], waiting: new Map() },
        alerts: {},
        spool: { calls: 3, inMemory: 1, amount: 2_500_000_000_000n },
        ready: true,
      })
      .split('\n')
      .filter((line) => line.startsWith('octroi_calls_total{'))
    metrics.close()
    expect(lines).toHaveLength(51)
    expect(lines.filter((line) => /model="m-\d*[13579]"/.test(line))).toEqual([])
    expect(lines.at(1)).toContain('model="other"')
    expect(lines.find((line) => line.includes('"other"'))).toMatch(/ 950$/)
  })
})

describe('the metrics of the spool', () => {
  it('say how many calls wait where, and their money', () => {
    const metrics = createMetrics()
    const spool = { calls: 3, inMemory: 1, amount: 2_500_000_000_000n }
    const text = metrics.text({
      requestsInFlight: 0,
      callsOpen: 0,
      limits: [],
      vendors: { limits: [], waiting: new Map([['openai', 3]]) },
      alerts: {},
      ready: true,
      spool,
    })
    metrics.close()
    expect(text).toContain('octroi_spooled_calls{place="disk"} 2\n')
    expect(text).toContain('octroi_spooled_calls{place="memory"} 1\n')
    expect(text).toContain('octroi_spool_amount 2.5\n')
  })
})
