import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Fault, RouteFamily } from '../../src/sandbox/faults.ts'
import { type RawReply, requestOf, sendRaw } from '../support/raw-client.ts'
import { conserved } from './conservation.ts'
import { costOf, readEntries } from './entries.ts'
import { type Access, type NowWorld, startNow } from './now-world.ts'
import { longForm, until } from './work.ts'

/** Streams that somebody leaves: the client before, during and after, the vendor at every event and inside each. What
 * the client receives is read from the socket itself. */

const stream = true
const content = 'How many moons has Mars?'
const wires = {
  'chat-completions': {
    path: '/v1/chat/completions',
    body: { model: 'gpt-4o', stream, messages: [{ role: 'user', content }] },
  },
  responses: { path: '/v1/responses', body: { model: 'gpt-4o', stream, input: content } },
  messages: {
    path: '/anthropic/v1/messages',
    body: { model: 'claude-haiku-4-5', max_tokens: 300, stream, messages: [{ role: 'user', content }] },
  },
  'generate-content': {
    path: '/google/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse',
    body: { contents: [{ parts: [{ text: content }] }] },
  },
} as const satisfies Partial<Record<RouteFamily, { path: string; body: object }>>
const families = Object.keys(wires) as (keyof typeof wires)[]

/** How the error event of each wire begins, which a broken stream ends with. */
const broken: Readonly<Record<keyof typeof wires, RegExp>> = {
  'chat-completions': /data: \{"error":\{"message":"The provider /,
  responses: /event: error\ndata: \{.*"type":"error"/,
  messages: /event: error\ndata: \{"type":"error"/,
  'generate-content': /data: \{"error":\{"code":502/,
}

let world: NowWorld
let access: Access

beforeAll(async () => {
  world = await startNow({
    limits: [{ name: 'all', measure: 'cost', cap: '1000', window: { calendar: 'month' } }],
    sandbox: { outputTokens: longForm ? 120 : 24 },
    gateway: { bounds: { drainMsMax: 300 } },
  })
  access = await world.access('search')
})
afterAll(async () => {
  await conserved(world)
  await world.close()
})

type Leave = (body: string) => boolean

/** Sends one call, waits until it is settled, and gives what the client and the ledger have of it. */
const call = async (wire: keyof typeof wires, fault: Fault | null, leave: Leave = () => false) => {
  const [lines, calls] = [world.till.length, world.sandbox.calls().length]
  if (fault !== null) world.sandbox.faults.add({ ...fault, endpoint: wire })
  const { path, body } = wires[wire]
  const headers = { 'octroi-key': access.secret, 'anthropic-version': '2023-06-01' }
  const reply = await sendRaw(access.url, requestOf(path, headers, JSON.stringify(body)), { leave })
  await until(() => world.till.length > lines)
  // A second settlement would follow at once.
  await sleep(1)
  expect(world.till.length - lines).toBe(1)
  const [line] = world.till.slice(lines)
  const [billed] = world.sandbox.calls().slice(calls)
  if (line === undefined || billed === undefined) throw new Error('There is no such call.')
  expect(world.sandbox.calls().length - calls).toBe(1)
  const { basis, charges, note } = line.settlement
  const usage = Object.fromEntries(charges.map(({ meter, quantity }) => [meter, quantity]))
  return { reply, basis, note, usage, billed: billed.usage }
}

const eventsIn = ({ body }: RawReply): readonly string[] =>
  body.split(/\r?\n\r?\n/).filter((event) => event !== '')

describe.each(families)('a stream of %s', (wire) => {
  let usual: RawReply

  beforeAll(async () => {
    const { reply, basis, usage, billed } = await call(wire, null)
    expect([reply.status, reply.clean, basis]).toEqual([200, true, 'measured'])
    expect(usage).toEqual(billed)
    usual = reply
  })

  it.each([false, true])(
    'that the vendor cuts anywhere (inside an event: %s) is settled once as estimated, and never ends cleanly',
    async (inside) => {
      const events = eventsIn(usual).length
      expect(events).toBeGreaterThan(2)
      // One further than the last: all has come, and the connection breaks all the same.
      for (let chunks = 0; chunks <= events + 1; chunks += 1) {
        const { reply, basis, note } = await call(wire, { kind: 'cut', chunks, inside })
        expect({ chunks, clean: reply.clean, basis }).toEqual({ chunks, clean: false, basis: 'estimated' })
        expect(reply.body).toMatch(broken[wire])
        expect(note).toContain('The provider broke off')
      }
    },
  )

  it('whose client leaves before the first byte is drained, and measured', async () => {
    const slow = { kind: 'slow', delayMs: 200 } as const
    const lines = world.till.length
    world.sandbox.faults.add({ ...slow, endpoint: wire })
    const { path, body } = wires[wire]
    const headers = { 'octroi-key': access.secret, 'anthropic-version': '2023-06-01' }
    const request = requestOf(path, headers, JSON.stringify(body))
    const gone = until(() => world.sandbox.faults.list().length === 0)
    const reply = await sendRaw(access.url, request, { gone })
    expect(reply).toMatchObject({ status: null, clean: false })
    await until(() => world.till.length > lines)
    expect(world.till.at(-1)?.settlement.basis).toBe('measured')
  })

  it('whose client leaves during any event is drained, and measured to the last unit', async () => {
    const { length } = usual.body
    const steps = longForm ? 40 : 6
    for (let step = 0; step <= steps; step += 1) {
      const bytes = Math.floor((length * step) / steps)
      const { basis, usage, billed } = await call(wire, null, (body) => body.length >= bytes)
      expect({ bytes, basis, usage }).toEqual({ bytes, basis: 'measured', usage: billed })
    }
  })

  it('without usage is estimated: the reply is whole, and the ledger says so', async () => {
    const { reply, basis, note, usage, billed } = await call(wire, { kind: 'missing-usage' })
    expect([reply.clean, basis]).toEqual([true, 'estimated'])
    expect(note).toContain('no usage in the reply')
    expect(Object.keys(usage)).toContain('output_text_tokens')
    expect(billed['output_text_tokens']).toBeGreaterThan(0)
  })

  it('that says its usage twice is measured once', async () => {
    const { reply, basis, usage, billed } = await call(wire, { kind: 'usage-twice' })
    expect({ clean: reply.clean, basis, usage }).toEqual({ clean: true, basis: 'measured', usage: billed })
  })

  it('with an event that is no JSON, wherever it comes, passes as it is and is measured', async () => {
    const events = eventsIn(usual).length
    for (let chunks = 0; chunks <= events; chunks += 1) {
      const { reply, basis, usage, billed } = await call(wire, { kind: 'malformed-event', chunks })
      expect({ chunks, clean: reply.clean, basis, usage }).toEqual({
        ...{ chunks, clean: true, basis: 'measured' },
        usage: billed,
      })
      expect(reply.body).toContain('data: {"broken": \n\n')
    }
  })

  it('without an end is read for a while when its client has gone, and then settled as estimated', async () => {
    const enough = usual.body.length + 2_000
    const { reply, basis } = await call(wire, { kind: 'endless' }, (body) => body.length > enough)
    expect([reply.clean, basis]).toEqual([false, 'estimated'])
  })
})

it('leaves every call ended once, nothing held, and what was settled as the limit has it', () => {
  const entries = readEntries(world.folder)
  const begun = entries.flatMap((entry) => (entry.kind === 'reserved' ? [entry.call.id] : []))
  const settled = entries.filter((entry) => entry.kind === 'settled')
  expect(settled.map(({ callId }) => callId).sort()).toEqual(begun.sort())
  const [limit] = world.gateway.limits()
  const sum = settled.reduce((total, entry) => total + costOf(entry), 0n)
  expect(limit).toMatchObject({ settled: sum, held: 0n, unresolved: 0n })
  expect(world.faults).toEqual([])
})
