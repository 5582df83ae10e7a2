import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { startWorld, type TestWorld } from '../../../test/support/world.ts'
import { formatAmount } from '../../limits/measure.ts'

let world: TestWorld
afterEach(() => world.close())

const model = 'gpt-4-1106-preview'
const request = { model, messages: [{ role: 'user', content: 'Hello there' }], max_tokens: 100 }
const chat = { endpoint: 'chat-completions' }
const total = { calendar: 'total' }
const budget = (cap: string) => ({ name: 'all', measure: 'cost', cap, window: total })

const start = (limits: readonly object[], more: object = {}) => startWorld({ config: { limits, ...more } })

type Told = Readonly<Record<'id' | 'status' | 'most' | 'cost' | 'note' | 'leaseUntil', string>> & {
  readonly error: Readonly<Record<'code' | 'message' | 'limit' | 'free', string>>
  readonly lowered?: { readonly limit: string; readonly outputTokens: number; readonly most: string } | null
}

const asks =
  (key: string | null = null) =>
  async (path: string, body?: object) => {
    const reply = await fetch(`${world.gateway.url}/octroi/v1/${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { 'content-type': 'application/json', ...(key !== null && { 'octroi-key': key }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    return { status: reply.status, body: (await reply.json()) as Told }
  }
const ask = asks()

const keyOf = async (team: string, rights: object = {}) => {
  const owner = { name: null, organization: null, project: null, environment: null, team }
  return world.gateway.registry.createKey({ ...owner, ...rights }, world.clock.now())
}

const standing = () =>
  world.gateway.limits().map((state) => {
    const amount = (units: bigint) => formatAmount(state.measure, units)
    return [
      state.limit,
      amount(state.settled),
      amount(state.held),
      amount(state.unresolved),
      amount(state.over),
    ]
  })

describe('a quote over the data port', () => {
  it('says what a call can cost and which limits bind, and sends nothing', async () => {
    world = await start([budget('1'), { name: 'rate', measure: 'requests', cap: '0', window: total }])
    const { status, body } = await ask('quote', { ...chat, request })
    expect(status).toBe(200)
    expect(body).toMatchObject({
      ...{ provider: 'openai', endpoint: 'chat-completions', model, currency: 'USD', fits: false },
      refusal: { code: 'rate_limited', limit: 'rate' },
      limits: [
        { limit: 'all', asked: body.most, free: '1', fits: true },
        { limit: 'rate', asked: '1', free: '0', fits: false },
      ],
    })
    expect(Number(body.most)).toBeGreaterThan(0.003)
    expect(standing()).toEqual([
      ['all', '0', '0', '0', '0'],
      ['rate', '0', '0', '0', '0'],
    ])
    expect(world.sandbox.total().amount).toBe('0')
  })

  it('says to what a limit would lower its output, and holds no reservation to that', async () => {
    world = await start([{ ...budget('0.002'), action: 'clamp' }])
    const { body } = await ask('quote', { ...chat, request })
    expect(body).toMatchObject({ fits: false, refusal: { code: 'budget_exceeded', limit: 'all' } })
    const { limit, outputTokens, most } = body.lowered ?? {}
    expect(limit).toBe(`max_tokens=${outputTokens}`)
    expect(Number(most)).toBeLessThanOrEqual(0.002)
    expect(Number(most)).toBeGreaterThan(0.00197)
    expect((await ask('reservations', { ...chat, request })).status).toBe(402)
    const less = { ...request, max_tokens: outputTokens }
    expect((await ask('quote', { ...chat, request: less })).body).toMatchObject({ fits: true, lowered: null })
    expect((await ask('reservations', { ...chat, request: less })).status).toBe(201)
  })
})

describe('a reservation over the data port', () => {
  it('holds what a request can cost, and settles what its reply tells', async () => {
    world = await start([budget('1')])
    const { body: quoted } = await ask('quote', { ...chat, request })
    const { status, body } = await ask('reservations', { ...chat, request })
    expect([status, body.status, body.most]).toEqual([201, 'reserved', quoted.most])
    expect(standing()).toEqual([['all', '0', quoted.most, '0', '0']])
    const reply = { model, usage: { prompt_tokens: 9, completion_tokens: 20 } }
    const { body: settled } = await ask(`reservations/${body.id}/settle`, { reply })
    expect(settled).toMatchObject({ status: 'settled', cost: '0.00069', basis: 'measured', repeated: false })
    expect(standing()).toEqual([['all', '0.00069', '0', '0', '0']])
    const { body: again } = await ask(`reservations/${body.id}/settle`, { amount: '5' })
    expect(again).toMatchObject({ status: 'settled', cost: '0.00069', repeated: true })
    expect((await ask(`reservations/${body.id}`)).body).toMatchObject({ status: 'settled', cost: '0.00069' })
    expect(standing()).toEqual([['all', '0.00069', '0', '0', '0']])
  })

  it('is made once under one id, however often and at once it is asked', async () => {
    world = await start([budget('1')])
    const asked = { ...chat, id: 'job-1', model, most: '0.25' }
    const answers = await Promise.all([1, 2, 3].map(() => ask('reservations', asked)))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 201])
    expect(standing()).toEqual([['all', '0', '0.25', '0', '0']])
  })

  it('is refused where it does not fit, in JSON', async () => {
    world = await start([budget('0.5')])
    await ask('reservations', { ...chat, model, most: '0.3' })
    const { status, body } = await ask('reservations', { endpoint: 'batches', model, most: '0.3' })
    expect([status, body.error.code, body.error.limit, body.error.free]).toEqual([
      ...[402, 'budget_exceeded', 'all', '0.2'],
    ])
    expect(standing()).toEqual([['all', '0', '0.3', '0', '0']])
  })

  it('books more than was held, and says by how much', async () => {
    world = await start([budget('1')])
    const { body } = await ask('reservations', { ...chat, model, most: '0.9' })
    const { body: settled } = await ask(`reservations/${body.id}/settle`, { amount: '1.25' })
    expect(settled).toMatchObject({ cost: '1.25', overMost: '0.35', basis: 'imported' })
    expect(settled.note).toContain('over_most: 0.35 USD')
    expect(standing()).toEqual([['all', '1.25', '0', '0', '0.25']])
  })

  it('is given up, and then nothing is held', async () => {
    world = await start([budget('1')])
    const { body } = await ask('reservations', { ...chat, model, usage: { input_text_tokens: 1000 } })
    expect(body.most).toBe('0.01')
    const { body: released } = await ask(`reservations/${body.id}/release`, { reason: 'not sent' })
    expect(released.status).toBe('released')
    expect((await ask(`reservations/${body.id}/settle`, { amount: '1' })).body.status).toBe('released')
    expect(standing()).toEqual([['all', '0', '0', '0', '0']])
  })

  it('stays counted when its lease passes, and is corrected when the truth comes', async () => {
    world = await start([budget('1')])
    const { body } = await ask('reservations', { ...chat, model, most: '0.5', leaseSeconds: 100 })
    world.clock.advance(90_000)
    const { body: renewed } = await ask(`reservations/${body.id}/renew`, { leaseSeconds: 60 })
    expect(renewed.leaseUntil).toBe('2023-11-15T12:02:30Z')
    world.clock.advance(50_000)
    await world.gateway.sweep()
    expect(standing()).toEqual([['all', '0', '0.5', '0', '0']])
    world.clock.advance(10_000)
    await world.gateway.sweep()
    expect(standing()).toEqual([['all', '0', '0', '0.5', '0']])
    expect((await ask(`reservations/${body.id}/renew`, { leaseSeconds: 60 })).status).toBe(400)
    expect((await ask(`reservations/${body.id}/settle`, { amount: '0.2' })).body.cost).toBe('0.2')
    expect(standing()).toEqual([['all', '0.2', '0', '0', '0']])
  })

  it.each(['before-send', 'before-reply'])(
    'outlives the gateway that made it, journal %s',
    async (journal) => {
      const folder = await mkdtemp(join(tmpdir(), 'octroi-beside-'))
      const config = { limits: [budget('1')], journal }
      world = await startWorld({ folder, config })
      const { body } = await ask('reservations', { ...chat, id: 'long', model, most: '0.5' })
      await world.close()
      world = await startWorld({ folder, config })
      expect(standing()).toEqual([['all', '0', '0.5', '0', '0']])
      expect((await ask('reservations', { ...chat, id: 'long', model, most: '9' })).status).toBe(200)
      const { body: settled } = await ask(`reservations/${body.id}/settle`, { amount: '0.5' })
      expect(settled).toMatchObject({ status: 'settled', cost: '0.5', overMost: '0' })
      expect(standing()).toEqual([['all', '0.5', '0', '0', '0']])
      await rm(folder, { recursive: true })
    },
  )

  it('belongs to the key that made it', async () => {
    world = await start([], { anonymous: false })
    const [mine, other] = [await keyOf('search'), await keyOf('ads', { endpoints: ['speech'] })]
    const { body } = await asks(mine.secret)('reservations', { ...chat, id: 'a', model, most: '1' })
    expect(body.id).toContain(mine.key.id)
    const stolen = await asks(other.secret)(`reservations/${body.id}/settle`, { amount: '0' })
    expect([stolen.status, stolen.body.error.code]).toEqual([404, 'unknown_object'])
    expect((await asks(other.secret)('reservations', { ...chat, model, most: '1' })).status).toBe(403)
    expect((await ask('reservations', { ...chat, model, most: '1' })).body.error.code).toBe('missing_key')
  })

  it('counts tokens, which an amount alone does not tell', async () => {
    world = await start([{ name: 'tokens', measure: 'tokens', cap: '500', window: total }])
    const unknown = await ask('reservations', { ...chat, model, most: '1' })
    expect([unknown.status, unknown.body.error.code]).toEqual([400, 'unbounded'])
    const usage = { input_text_tokens: 100, output_text_tokens: 200 }
    const { body } = await ask('reservations', { ...chat, model, usage })
    expect((await ask(`reservations/${body.id}/settle`, { amount: '1' })).body.error.message).toContain(
      'usage',
    )
    await ask(`reservations/${body.id}/settle`, { amount: '1', usage: { output_text_tokens: 30 } })
    expect(standing()).toEqual([['tokens', '30', '0', '0', '0']])
  })
})

describe('usage over the data port', () => {
  it('is booked once, also beyond the cap, and shown as over', async () => {
    world = await start([budget('0.5'), { name: 'rate', measure: 'requests', cap: '0', window: total }])
    const usage = { input_text_tokens: 10_000, output_text_tokens: 20_000 }
    const asked = { endpoint: 'batches', id: 'b-1', model, usage }
    const { status, body } = await ask('usage', asked)
    expect([status, body.status, body.cost]).toEqual([201, 'settled', '0.7'])
    expect(standing()).toEqual([
      ['all', '0.7', '0', '0', '0.2'],
      ['rate', '1', '0', '0', '1'],
    ])
    expect(await ask('usage', asked)).toMatchObject({ status: 200, body: { cost: '0.7', repeated: true } })
    expect(world.till).toHaveLength(1)
    expect((await ask('reservations', { ...chat, model, most: '0.1' })).status).toBe(402)
  })

  it('names what has no price, and never books it as zero', async () => {
    world = await start([])
    const { body } = await ask('usage', { ...chat, model: 'unheard-of', usage: { input_text_tokens: 1 } })
    expect(body).toMatchObject({ cost: null, pricedTotal: '0', unpriced: [{ code: 'unknown_model' }] })
  })
})

describe('bad input on the data port', () => {
  it.each([
    ['reservations', { ...chat }, 400, 'request, usage or most'],
    ['reservations', { ...chat, model, most: '-1' }, 400, 'most'],
    ['reservations', { ...chat, model, most: '0.1', leaseSeconds: 86_401 }, 400, 'leaseSeconds'],
    ['reservations', { ...chat, model, most: '0.1', id: 'a b' }, 400, 'id'],
    ['reservations', { ...chat, model, usage: { tea: 1 } }, 400, 'tea'],
    ['reservations', { ...chat, model, usage: { input_text_tokens: 0.5 } }, 400, 'input_text_tokens'],
    ['reservations', { ...chat, model, most: '1', provider: 'nobody' }, 404, 'openai'],
    ['quote', { endpoint: 'realtime', request: { model } }, 400, 'realtime'],
    ['quote', { ...chat, request: {} }, 400, 'model'],
    ['usage', { ...chat, model, reply: { model } }, 400, 'usage'],
    ['usage', { ...chat, model, usage: {}, extra: 1 }, 400, 'extra'],
    ['reservations/res_none_x/settle', { amount: '1' }, 404, 'res_none_x'],
    ['reservations/call_1/release', { reason: 'x' }, 404, 'call_1'],
    ['reservations/a/b/c', {}, 404, 'reservations/a/b/c'],
  ])('%s with %j is answered %i', async (path, body, status, said) => {
    world = await start([])
    const answer = await ask(path, body)
    expect([answer.status, answer.body.error.message]).toEqual([status, expect.stringContaining(said)])
    expect(world.faults).toEqual([])
  })
})
