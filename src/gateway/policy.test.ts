import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { startWorld, type TestWorld } from '../../test/support/world.ts'

const month = { name: 'month', measure: 'cost', cap: '10', window: { calendar: 'month' } }
const hello = { model: 'gpt-4-1106-preview', messages: [{ role: 'user' as const, content: 'Hello' }] }

let world: TestWorld
beforeEach(async () => {
  await world?.close()
  world = await startWorld({ config: { limits: [month] }, gateway: { controlPort: 0 } })
})
afterAll(() => world.close())

const policyUrl = (): string => `${world.gateway.controlUrl}/octroi/v1/policy`

type Policy = {
  readonly version: string
  readonly error: { readonly message: string; readonly code: string }
}

const read = async (): Promise<Policy> => (await (await fetch(policyUrl())).json()) as Policy

const put = async (body: unknown, headers: Record<string, string> = {}) => {
  const reply = await fetch(policyUrl(), {
    method: 'PUT',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  return { status: reply.status, etag: reply.headers.get('etag'), json: (await reply.json()) as Policy }
}

const ask = async (): Promise<number> => {
  const client = await world.client('search')
  return client.chat.completions.create({ ...hello, max_tokens: 10 }).then(
    () => 200,
    (error: { status?: number }) => error.status ?? 0,
  )
}

const standing = (name: string) => {
  const found = world.gateway.limits().find(({ limit }) => limit === name)
  if (found === undefined) return null
  const { cap, settled, held, unresolved, free, over } = found
  expect(cap + over).toBe(settled + held + unresolved + free)
  return found
}

describe('the rules of a gateway', () => {
  it('are told as they were written, with a version that is the same for the same', async () => {
    const first = await read()
    expect(first).toEqual({
      version: expect.stringMatching(/^[0-9a-f]{32}$/),
      limits: [month],
      historyCaps: [],
      unmetered: { paths: {} },
    })
    const { json, etag } = await put({
      limits: [{ window: month.window, cap: '10', measure: 'cost', name: 'month' }],
    })
    expect([json.version, etag]).toEqual([first.version, `"${first.version}"`])
  })

  it('hold for the next call, with what was spent before', async () => {
    expect(await ask()).toBe(200)
    const spent = standing('month')?.settled ?? 0n
    expect(spent).toBeGreaterThan(0n)
    expect((await put({ limits: [{ ...month, cap: '0.000001' }] })).status).toBe(200)
    expect(standing('month')).toMatchObject({ settled: spent, free: 0n, over: spent - 1_000_000n })
    expect(await ask()).toBe(402)
    await put({ limits: [{ ...month, cap: '20' }] })
    expect(await ask()).toBe(200)
  })

  it('forget nothing of a limit that is removed and comes back', async () => {
    expect(await ask()).toBe(200)
    const spent = standing('month')?.settled ?? 0n
    await put({ limits: [] })
    expect(await ask()).toBe(200)
    await put({ limits: [month] })
    expect(standing('month')?.settled).toBe(spent)
    await put({ limits: [{ ...month, name: 'another' }] })
    expect([standing('month'), standing('another')?.settled]).toEqual([null, 0n])
  })

  it('leave what they do not name as it is', async () => {
    await put({ unmetered: { default: 'refuse', paths: {} } })
    const { json } = await put({ historyCaps: [{ promptTokens: 1_000 }] })
    expect(json).toMatchObject({
      limits: [month],
      historyCaps: [{ promptTokens: 1_000 }],
      unmetered: { default: 'refuse' },
    })
  })

  it('end what is in flight in the limit that it was held by, also while the cap changes', async () => {
    const calls = Array.from({ length: 40 }, () => ask())
    const changes = Array.from({ length: 20 }, (_, at) =>
      put({
        limits: [
          { ...month, cap: String(10 + at) },
          ...(at % 2 === 0 ? [{ ...month, name: 'now and then' }] : []),
        ],
      }),
    )
    expect(new Set(await Promise.all(calls))).toEqual(new Set([200]))
    expect((await Promise.all(changes)).map(({ status }) => status)).toEqual(changes.map(() => 200))
    await put({ limits: [month, { ...month, name: 'now and then' }] })
    const total = world.till.reduce((sum, { cost }) => sum + cost, 0n)
    expect(standing('month')).toMatchObject({ held: 0n, settled: total })
    expect(standing('now and then')?.held).toBe(0n)
    const now = world.gateway.limits().map(({ limit, settled }) => [limit, settled])
    await put({ limits: [] })
    await put({ limits: [month, { ...month, name: 'now and then' }] })
    // Counted from the ledger alone they come to the same.
    expect(world.gateway.limits().map(({ limit, settled }) => [limit, settled])).toEqual(now)
  })

  it('are refused whole where one of them cannot be read, or they are based on others than those that hold', async () => {
    const before = await read()
    const wrong = [
      [{ limits: [month, { ...month, name: 'b', cap: '-1' }] }, 400, 'cap'],
      [{ limits: [month, month] }, 400, 'month'],
      [{ colour: 'red' }, 400, 'colour'],
      ['{', 400, 'not JSON'],
      [
        { limits: Array.from({ length: 1_001 }, (_, at) => ({ ...month, name: `${at}` })) },
        400,
        'at most 1,000',
      ],
    ] as const
    for (const [body, status, said] of wrong) {
      const { status: found, json } = await put(body)
      expect([found, json.error.message]).toEqual([status, expect.stringContaining(said)])
    }
    const large = await put(JSON.stringify({ limits: 'x'.repeat(4_000_001) }))
    expect([large.status, large.json.error.code]).toEqual([413, 'body_too_large'])
    const { status, json } = await put({ limits: [] }, { 'if-match': '"0123"' })
    expect([status, json.error.code]).toEqual([412, 'policy_outdated'])
    expect(await read()).toEqual(before)
    const based = await put({ limits: [] }, { 'if-match': `"${before.version}"` })
    expect(based.status).toBe(200)
  })

  it('let in who waits once a cap is raised', async () => {
    const soon = { name: 'at once', measure: 'requests', cap: '1', window: { bucket: '1d' }, action: 'wait' }
    await put({ limits: [soon] })
    expect(await ask()).toBe(200)
    const waits = ask()
    await new Promise((resolve) => setTimeout(resolve, 50))
    await put({ limits: [{ ...soon, cap: '5' }] })
    expect(await waits).toBe(200)
  })
})
