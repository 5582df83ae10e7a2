import { APIError } from 'openai'
import { afterEach, describe, expect, it } from 'vitest'
import { startWorld, type TestWorld } from '../../test/support/world.ts'

const hello = (more: object = {}) => ({
  model: 'gpt-4-1106-preview',
  messages: [{ role: 'user' as const, content: 'Hello' }],
  max_tokens: 50,
  ...more,
})

let world: TestWorld
afterEach(() => world.close())

const start = async (...limits: readonly object[]) => {
  world = await startWorld({ config: { limits }, sandbox: { outputTokens: 20 } })
  return world.client('search')
}
const stands = () =>
  world.gateway.limits().map(({ settled, held, unresolved }) => [settled, held, unresolved])

const refusalOf = async (call: Promise<unknown>): Promise<APIError> => {
  const error = await call.then(
    () => new Error('admitted'),
    (thrown: unknown) => thrown,
  )
  if (error instanceof APIError) return error
  throw error
}

describe('a limit on requests', () => {
  it('refuses with 429 and says when to try again', async () => {
    const client = await start({ name: 'two', measure: 'requests', cap: '2', window: { bucket: '1h' } })
    for (let call = 0; call < 2; call += 1) await client.chat.completions.create(hello())
    const refused = await refusalOf(client.chat.completions.create(hello(), { maxRetries: 0 }))
    expect([refused.status, refused.code, refused.type]).toEqual([429, 'rate_limit_exceeded', 'requests'])
    expect(refused.message).toMatch(
      /Rate limit reached for the limit "two": of 2 requests, 2 requests are used/,
    )
    const retryAfterMs = Number(refused.headers?.get('retry-after-ms'))
    expect(retryAfterMs).toBeGreaterThan(1_700_000)
    expect(retryAfterMs).toBeLessThanOrEqual(1_800_000)
    expect(refused.headers?.get('x-ratelimit-limit-requests')).toBe('2')
    expect(refused.headers?.get('x-ratelimit-remaining-requests')).toBe('0')
    expect((refused.error as { octroi: object }).octroi).toMatchObject({ measure: 'requests', cap: '2' })
  })
})

describe('a limit on tokens', () => {
  it('counts what was used, and agrees with the ledger', async () => {
    const day = { calendar: 'day' }
    const client = await start(
      { name: 'tokens', measure: 'tokens', cap: '1000', window: day },
      { name: 'users', each: ['tag:feature'], measure: 'output_tokens', cap: '100', window: day },
      { name: 'at once', measure: 'concurrent', cap: '3' },
    )
    const reply = await client.chat.completions.create(hello({ max_tokens: 50 }), {
      headers: { 'octroi-tags': 'feature=rerank' },
    })
    const total = BigInt(reply.usage?.total_tokens ?? 0)
    expect(stands()).toEqual([
      [total, 0n, 0n],
      [20n, 0n, 0n],
      [0n, 0n, 0n],
    ])
    expect(world.gateway.limits()[1]?.counter).toEqual({ 'tag:feature': 'rerank' })
    const refused = await refusalOf(
      client.chat.completions.create(hello({ max_tokens: 1_001 }), { maxRetries: 0 }),
    )
    expect(refused.status).toBe(429)
    expect(refused.headers?.get('x-should-retry')).toBe('false')
  })
})

describe('a limit that waits', () => {
  it('keeps calls until there is room, and admits all that fit one after another', async () => {
    const client = await start({ name: 'one', measure: 'concurrent', cap: '1', action: 'wait' })
    const calls = Array.from({ length: 5 }, () => client.chat.completions.create(hello(), { maxRetries: 0 }))
    const replies = await Promise.all(calls)
    expect(replies).toHaveLength(5)
    expect(stands()).toEqual([[0n, 0n, 0n]])
  })

  it('refuses at once what no waiting helps', async () => {
    const client = await start({
      name: 'small',
      measure: 'tokens',
      cap: '5',
      window: { bucket: '1m' },
      action: 'wait',
    })
    const began = performance.now()
    const refused = await refusalOf(client.chat.completions.create(hello(), { maxRetries: 0 }))
    expect(refused.status).toBe(429)
    expect(performance.now() - began).toBeLessThan(5_000)
  })
})
