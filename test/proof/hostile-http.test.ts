import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bundledModels } from '../../src/cli/bundled.ts'
import { requestOf, sendRaw } from '../support/raw-client.ts'
import { startWorld, type TestWorld } from '../support/world.ts'
import { costOf, readEntries } from './entries.ts'
import { type Told, hostileWires as wires } from './hostile-wires.ts'
import { longForm, until } from './work.ts'

/** Requests and vendors that break the rules of HTTP: each gets a clear error in the wire's own shape, each call is
 * ended once, and others are served on. */

let world: TestWorld
let odd: Server
let secret: string
/** What the odd vendor does next. */
let behave: (request: IncomingMessage, reply: ServerResponse) => void = (_, reply) => reply.end()

beforeAll(async () => {
  odd = createServer((request, reply) => {
    request.resume()
    behave(request, reply)
  })
  await new Promise<void>((resolve) => odd.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(odd.address() as AddressInfo).port}`
  const keyVariable = 'VENDOR_KEY'
  world = await startWorld({
    at: '2026-11-25T12:00:00Z',
    sandbox: { profile: 'now', models: await bundledModels(), outputTokens: 10 },
    gateway: { timeouts: { headersMs: 700, bodyMs: 700 }, bounds: { drainMsMax: 200 } },
    config: (sandbox) => ({
      anonymous: false,
      limits: [{ name: 'all', measure: 'cost', cap: '1000', window: { calendar: 'month' } }],
      providers: {
        openai: { baseUrl: sandbox.baseUrl, keyVariable },
        anthropic: { baseUrl: `${sandbox.url}/anthropic/v1`, keyVariable },
        google: { baseUrl: `${sandbox.url}/google`, keyVariable },
        'odd-openai': { kind: 'openai', baseUrl: url, keyVariable, pricesFrom: 'openai' },
        'odd-anthropic': { kind: 'anthropic', baseUrl: url, keyVariable, pricesFrom: 'anthropic' },
        'odd-google': { kind: 'google', baseUrl: url, keyVariable, pricesFrom: 'google' },
      },
    }),
  })
  secret = await newKey()
})
afterAll(async () => {
  odd.closeAllConnections()
  odd.close()
  await world.close()
})

const none = { name: null, organization: null, project: null, environment: null, team: 'search' }
const newKey = async (): Promise<string> =>
  (await world.gateway.registry.createKey(none, world.clock.now())).secret

const headersOf = (key: string) => ({ 'octroi-key': key, 'anthropic-version': '2023-06-01' })

const post = (path: string, body: string, key = secret): Promise<Response> =>
  fetch(world.gateway.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key !== '' && headersOf(key)) },
    body,
  })

/** Others are served on: a good call of each wire is answered. */
const servedOn = async (): Promise<void> => {
  for (const { name, path, body } of wires) {
    const reply = await post(`/${name}${path}`, JSON.stringify(body))
    expect([name, reply.status, await reply.text()]).toEqual([name, 200, expect.stringMatching(/\w/)])
  }
}

describe.each(wires)('the wire of $name', ({ name, path, missing, body, kindOf, kinds }) => {
  const asked = JSON.stringify(body)
  const refused = async (reply: Response, status: 400 | 401 | 404): Promise<string> => {
    expect([reply.status, reply.headers.get('content-type')]).toEqual([status, 'application/json'])
    const told = (await reply.json()) as Told
    expect(kindOf(told)).toBe(kinds[status])
    return told.error.message
  }

  it('refuses a wrong, a missing and a revoked key', async () => {
    const lines = world.till.length
    const { registry } = world.gateway
    const { secret: revoked, key } = await registry.createKey(none, world.clock.now())
    await registry.revokeKey(key.id, world.clock.now())
    expect(await refused(await post(`/${name}${path}`, asked, 'oct_wrong'), 401)).toMatch(/key/)
    expect(await refused(await post(`/${name}${path}`, asked, ''), 401)).toMatch(/key/)
    expect(await refused(await post(`/${name}${path}`, asked, revoked), 401)).toMatch(/revoked/)
    expect(world.till.length).toBe(lines)
  })

  it('refuses an unknown path as JSON, and says which', async () => {
    expect(await refused(await post(missing, asked), 404)).toContain('/no/such/path')
  })

  it.each(['{"model": "gpt-4o", "messages": [', '[1, 2]', 'no JSON', '"text"', '{"a": 01}'])(
    'refuses the body %s',
    async (broken) => {
      expect(await refused(await post(`/${name}${path}`, broken), 400)).toMatch(/JSON/)
    },
  )

  it('passes a body of 200 levels, or says why not', async () => {
    const deep = JSON.stringify({ ...body, extra: 0 }).replace(
      '"extra":0',
      `"extra":${'{"a":['.repeat(100)}${']}'.repeat(100)}`,
    )
    const reply = await post(`/${name}${path}`, deep)
    expect([200, 400]).toContain(reply.status)
    expect(await reply.json()).toBeInstanceOf(Object)
    await servedOn()
  })
})

describe('a request whose frame is hostile', () => {
  const path = '/v1/chat/completions'
  const asked = JSON.stringify(wires[0].body)
  const chunk = (text: string | Buffer): string => `${text.length.toString(16)}\r\n${text}\r\n`
  const head = (...lines: readonly string[]): string =>
    [`POST ${path} HTTP/1.1`, 'host: gateway', `octroi-key: ${secret}`, ...lines, '', ''].join('\r\n')

  it('of 100 MB by its own account is refused before it is read', async () => {
    const { status, body } = await sendRaw(world.gateway.url, head('content-length: 100000000'))
    expect([status, JSON.parse(body).error.code]).toEqual([413, 'body_too_large'])
    await servedOn()
  })

  it('of 100 MB without a length is refused at its cap', async () => {
    const megabyte = chunk('a'.repeat(1_000_000))
    const parts = [head('transfer-encoding: chunked'), ...Array<string>(100).fill(megabyte), '0\r\n\r\n']
    const { status, body } = await sendRaw(world.gateway.url, parts)
    expect([status, JSON.parse(body).error.code]).toEqual([413, 'body_too_large'])
    await servedOn()
  })

  it('in chunks without a length passes', async () => {
    const halves = [asked.slice(0, 20), asked.slice(20)].map(chunk).join('')
    const { status } = await sendRaw(
      world.gateway.url,
      `${head('transfer-encoding: chunked')}${halves}0\r\n\r\n`,
    )
    expect(status).toBe(200)
  })

  it.each([
    ['both lengths', ['content-length: 5', 'transfer-encoding: chunked']],
    ['two lengths', ['content-length: 5', 'content-length: 6']],
    ['a length that is no number', ['content-length: 5x']],
    ['a coding that is unknown', ['transfer-encoding: chunked, strange']],
    ['a folded header', ['x-a: b', ' c: d', 'content-length: 0']],
    ['a header with a bare line end', ['x-a: b\nc: d', 'content-length: 0']],
  ])('with %s is refused, and what follows on its connection is no request', async (_, lines) => {
    const before = world.till.length
    const smuggled = requestOf(path, { 'octroi-key': secret }, asked)
    const { status, head: answer } = await sendRaw(world.gateway.url, `${head(...lines)}0\r\n\r\n${smuggled}`)
    expect(status).toBe(400)
    expect(answer).toMatch(/connection: close/i)
    await sleep(20)
    expect(world.till.length).toBe(before)
  })

  it('with a flood of headers is refused', async () => {
    const { status } = await sendRaw(
      world.gateway.url,
      head(`x-a: ${'a'.repeat(70_000)}`, 'content-length: 0'),
    )
    expect(status).toBe(431)
    const many = Array.from({ length: 10_000 }, (_, index) => `x-${index}: a`)
    expect((await sendRaw(world.gateway.url, head(...many, 'content-length: 0'))).status).toBe(431)
    await servedOn()
  })

  it('that comes slowly, head or body, holds up nobody else', async () => {
    const sockets: Socket[] = []
    const { hostname, port } = new URL(world.gateway.url)
    for (let each = 0; each < 100; each += 1) {
      const socket = connect({ host: hostname, port: Number(port) }).on('error', () => {})
      const half = `POST ${path} HTTP/1.1\r\nhost: ga`
      const slow = each % 2 === 0 ? half : `${head('content-length: 500')}{"m`
      socket.write(slow)
      sockets.push(socket)
    }
    const before = world.till.length
    await servedOn()
    expect(world.till.length - before).toBe(3)
    if (longForm) {
      // Half a head is waited for half a minute, and looked after every half minute.
      const closed = new Promise((resolve) => sockets[0]?.once('close', resolve))
      await closed
    }
    for (const socket of sockets) socket.destroy()
    await servedOn()
  }, 90_000)
})

describe.each(wires)(
  'a vendor of the wire of $name',
  ({ name, path, body, stream, kindOf, broken, late }) => {
    const asked = JSON.stringify(body)
    const ask = () => post(`/odd-${name}${path}`, asked)
    /** Refused in the wire's shape; the call was sent, so that it is unresolved until the truth is known. */
    const refused = async (reply: Response, status: number): Promise<string> => {
      expect(reply.status).toBe(status)
      const told = (await reply.json()) as Told
      expect(kindOf(told)).toBe(status === 504 ? late : broken)
      return told.error.message
    }

    it('that redirects is not followed', async () => {
      behave = (_, reply) => reply.writeHead(302, { location: `${world.sandbox.baseUrl}/models` }).end()
      expect(await refused(await ask(), 502)).toContain('redirects')
      await servedOn()
    })

    it('that sends HTML is passed on; as an error it costs nothing, as a reply it is estimated', async () => {
      const page = '<html><body>Bad Gateway</body></html>'
      const type = { 'content-type': 'text/html' }
      for (const [status, basis] of [
        [502, 'measured'],
        [200, 'estimated'],
      ] as const) {
        behave = (_, reply) => reply.writeHead(status, type).end(page)
        const reply = await ask()
        expect([reply.status, await reply.text()]).toEqual([status, page])
        expect(world.till.at(-1)).toMatchObject({ settlement: { status, basis } })
      }
      expect(world.till.at(-2)?.cost).toBe(0n)
      await servedOn()
    })

    it('that announces more than it sends is broken', async () => {
      behave = (_, reply) => {
        reply.writeHead(200, { 'content-type': 'application/json', 'content-length': 500 })
        reply.write('{"half":', () => reply.destroy())
      }
      expect(await refused(await ask(), 502)).toContain('broke off')
      await servedOn()
    })

    it('that sends more than it announces is read as far as it announced', async () => {
      behave = (_, reply) => {
        reply.socket?.write(
          'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 5\r\n\r\n{"a":1}',
        )
        reply.socket?.end()
      }
      const reply = await ask()
      // As undici has it: what does not fit its length is no reply.
      expect([200, 502]).toContain(reply.status)
      await reply.text()
      await servedOn()
    })

    it('that is no HTTP at all is broken', async () => {
      behave = (_, reply) => reply.socket?.end('\u0000\u0001 this is not HTTP\r\n\r\n')
      expect(await refused(await ask(), 502)).toContain('broke off')
      await servedOn()
    })

    it('that never answers is given up', async () => {
      behave = () => {}
      expect(await refused(await ask(), 504)).toContain('did not answer in time')
      await servedOn()
    })

    it('that stops in the middle is given up, whole and streamed, and no client takes it for an end', async () => {
      behave = (_, reply) => {
        reply.writeHead(200, { 'content-type': 'application/json' })
        reply.write('{"half":')
      }
      await refused(await ask(), 502)
      behave = (_, reply) => {
        reply.writeHead(200, { 'content-type': 'text/event-stream' })
        reply.write('data: {"half":1}\n\n')
      }
      const request = requestOf(`/odd-${name}${stream.path}`, headersOf(secret), JSON.stringify(stream.body))
      const got = await sendRaw(world.gateway.url, request)
      expect(got).toMatchObject({ status: 200, clean: false, body: expect.stringContaining('error') })
      expect(world.till.at(-1)?.settlement.basis).toBe('estimated')
      await servedOn()
    })

    it('that refuses and breaks off while it says why has billed nothing', async () => {
      behave = (_, reply) => {
        reply.writeHead(500, { 'content-type': 'application/json', 'content-length': 500 })
        reply.write('{"error":', () => reply.destroy())
      }
      expect(await refused(await ask(), 502)).toContain('broke off')
      expect(world.till.at(-1)).toMatchObject({ cost: 0n, settlement: { status: 500, charges: [] } })
      await servedOn()
    })

    it.each([200, 500])(
      'that answers %d and never ends is read no longer than the drain allows when its client has gone',
      async (status) => {
        let going = 0
        behave = (_, reply) => {
          going += 1
          reply.writeHead(status, { 'content-type': 'application/json' })
          const drip = setInterval(() => reply.write(' '), 5)
          reply.on('close', () => {
            clearInterval(drip)
            going -= 1
          })
        }
        const request = requestOf(`/odd-${name}${path}`, headersOf(secret), asked)
        const got = await sendRaw(world.gateway.url, request, { waitMs: 100 })
        expect(got.status).toBe(null)
        await until(() => going === 0)
        await servedOn()
      },
    )

    it.skipIf(!longForm && name !== 'openai')(
      'that sends one line of 100 MB is passed on, and the call is ended',
      async () => {
        const megabyte = Buffer.alloc(1_000_000, 'a')
        behave = async (_, reply) => {
          reply.writeHead(200, { 'content-type': 'text/event-stream' })
          reply.write('data: {"x":"')
          for (let each = 0; each < 100; each += 1) {
            if (!reply.write(megabyte)) await new Promise((resolve) => reply.once('drain', resolve))
          }
          reply.end('"}\n\n')
        }
        const lines = world.till.length
        const got = await post(`/odd-${name}${stream.path}`, JSON.stringify(stream.body))
        let bytes = 0
        const read = async (): Promise<void> => {
          for await (const chunk of got.body ?? []) bytes += chunk.length
        }
        // No event of it says that the reply has ended, so it ends as a broken one.
        await expect(read()).rejects.toThrow()
        expect(bytes).toBeGreaterThan(99_000_000)
        await until(() => world.till.length > lines)
        expect(world.till.at(-1)?.settlement.basis).toBe('estimated')
        await servedOn()
      },
      60_000,
    )
  },
)

it('leaves every call ended once: settled, released, or expired at its most', async () => {
  world.clock.advance(61_000)
  await world.gateway.sweep()
  const entries = readEntries(world.folder)
  const begun = entries.flatMap((entry) => (entry.kind === 'reserved' ? [entry.call.id] : []))
  const ended = entries.flatMap((entry) => ('callId' in entry ? [entry.callId] : []))
  expect(ended.sort()).toEqual(begun.sort())
  const settled = entries.filter((entry) => entry.kind === 'settled')
  const sum = settled.reduce((total, entry) => total + costOf(entry), 0n)
  expect(world.gateway.limits()[0]).toMatchObject({ settled: sum, held: 0n })
})
