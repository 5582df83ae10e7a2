import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { startWorld, type TestWorld } from '../../test/support/world.ts'
import { command as reportSpend } from '../cli/commands/report-spend.ts'
import { commandRunner } from '../cli/run-command.fixture.ts'
import type { KeyRights } from './registry/keys.ts'

let world: TestWorld
let vendor: Server | null = null
afterEach(async () => {
  await world.close()
  vendor?.closeAllConnections()
  vendor?.close()
  vendor = null
})

type Seen = { readonly line: string; readonly body: string; readonly authorization: string | undefined }
type Reply = (outgoing: ServerResponse) => void

/** A vendor that has paths no wire knows, and what it was asked. */
const startVendor = async (reply: Reply, config: object = {}): Promise<Seen[]> => {
  const seen: Seen[] = []
  vendor = createServer((incoming: IncomingMessage, outgoing) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      const { authorization } = incoming.headers
      seen.push({
        line: `${incoming.method} ${incoming.url}`,
        body: Buffer.concat(chunks).toString(),
        authorization,
      })
      reply(outgoing)
    })
  })
  vendor.listen(0, '127.0.0.1')
  await once(vendor, 'listening')
  const baseUrl = `http://127.0.0.1:${(vendor.address() as AddressInfo).port}/v1`
  const providers = { openai: { baseUrl, keyVariable: 'VENDOR_KEY' } }
  world = await startWorld({ config: { providers, ...config } })
  return seen
}

const answers =
  (body: string, type = 'application/json', status = 200): Reply =>
  (outgoing) =>
    outgoing.writeHead(status, { 'content-type': type }).end(body)

const owner = { name: null, organization: null, team: 'search', project: null, environment: null }

const keyWith = async (rights: Partial<KeyRights>) =>
  world.gateway.registry.createKey({ ...owner, ...rights }, world.clock.now())

type Sent = { readonly method?: string; readonly secret?: string; readonly body?: string | FormData }

const send = async (path: string, { method = 'POST', secret, body }: Sent = {}) => {
  const reply = await fetch(world.gateway.url + path, {
    method,
    headers: {
      authorization: `Bearer ${secret ?? 'sk-own'}`,
      ...(typeof body === 'string' && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body }),
  })
  return { status: reply.status, headers: reply.headers, text: await reply.text() }
}

describe('a path that no wire has', () => {
  it('passes unchanged for a key with the right, and is settled as one request without a price', async () => {
    const seen = await startVendor(answers('{"voices":[]}'))
    const { secret } = await keyWith({ allowUnmetered: true })
    const body = '{ "model":"tts-9",  "text":"Hello" }'
    const reply = await send('/v1/audio/voices?limit=2', { secret, body })
    expect(reply).toMatchObject({ status: 200, text: '{"voices":[]}' })
    expect(reply.headers.get('octroi-call-id')).toMatch(/^call_/)
    expect(seen).toEqual([{ line: 'POST /v1/audio/voices?limit=2', body, authorization: 'Bearer sk-vendor' }])
    expect(world.till).toMatchObject([
      {
        call: { endpoint: 'unmetered', model: 'tts-9', team: 'search' },
        settlement: {
          basis: 'estimated',
          charges: [],
          unpriced: [{ meter: 'request', quantity: 1 }],
          note: 'not metered: POST /audio',
        },
      },
    ])
  })

  it('is named in the report of what was spent, which is then incomplete', async () => {
    await startVendor(answers('{}'))
    const { secret } = await keyWith({ allowUnmetered: true })
    await send('/v1/other', { secret, body: '{}' })
    const asked = ['report', 'spend', '--by', 'endpoint', '--ledger', join(world.folder, 'ledger.sqlite')]
    const { exit, out, err } = await commandRunner(reportSpend)(asked)
    expect([exit, out + err]).toEqual([4, expect.stringMatching(/unmetered[\s\S]*request/)])
  })

  it('is unknown to a key without the right, and to calls without a key', async () => {
    const seen = await startVendor(answers('{}'))
    const { secret, key } = await keyWith({})
    const refused = await send('/v1/audio/voices', { secret, body: '{}' })
    expect(refused.status).toBe(404)
    expect(refused.text).toContain(`octroi keys update ${key.id} --allow-unmetered yes`)
    expect((await send('/v1/audio/voices', { body: '{}' })).status).toBe(404)
    expect(seen).toEqual([])
  })

  it('is refused or passed as the configuration says, by the longest beginning', async () => {
    const unmetered = { default: 'refuse', paths: { '/audio/*': 'pass', '/audio/private/*': 'refuse' } }
    await startVendor(answers('{}'), { unmetered })
    const { secret } = await keyWith({ allowUnmetered: true })
    const statuses: number[] = []
    for (const path of ['/audio/voices', '/audio/private/x', '/other']) {
      statuses.push((await send(`/v1${path}`, { secret, body: '{}' })).status)
      statuses.push((await send(`/v1${path}`, { body: '{}' })).status)
    }
    expect(statuses).toEqual([200, 200, 404, 404, 404, 404])
  })

  it('needs a key that may use the endpoint "unmetered", and the model, where it names what it may', async () => {
    await startVendor(answers('{}'))
    const { secret } = await keyWith({ allowUnmetered: true, endpoints: ['embeddings'] })
    expect((await send('/v1/other', { secret, body: '{}' })).status).toBe(403)
    const { secret: other } = await keyWith({ allowUnmetered: true, models: ['gpt-4*'] })
    expect((await send('/v1/other', { secret: other, body: '{}' })).status).toBe(403)
    expect((await send('/v1/other', { secret: other, body: '{"model":"gpt-4"}' })).status).toBe(200)
  })

  it('is refused by a limit on cost without a ceiling, and counts at the ceiling of one', async () => {
    const month = { measure: 'cost', window: { calendar: 'month' }, cap: '1' }
    const limits = [
      { ...month, name: 'strict', match: { team: 'search' } },
      { ...month, name: 'open', match: { team: 'lab' }, unpriced: { ceiling: { perCall: '0.40' } } },
    ]
    const seen = await startVendor(answers('{}'), { limits })
    const strict = await keyWith({ allowUnmetered: true })
    expect((await send('/v1/other', { secret: strict.secret, body: '{}' })).status).toBe(400)
    expect(seen).toEqual([])
    const open = await keyWith({ allowUnmetered: true, team: 'lab' } as Partial<KeyRights>)
    const ask = async () => (await send('/v1/other', { secret: open.secret, body: '{}' })).status
    expect([await ask(), await ask(), await ask()]).toEqual([200, 200, 402])
  })

  it('streams as it comes, and ends when it is settled', async () => {
    await startVendor((outgoing) => {
      outgoing.writeHead(200, { 'content-type': 'text/event-stream' })
      outgoing.write('data: 1\n\n')
      setTimeout(() => outgoing.end('data: 2\n\n'), 5)
    })
    const { secret } = await keyWith({ allowUnmetered: true })
    const { text } = await send('/v1/other', { secret, body: '{"stream":true}' })
    expect(text).toBe('data: 1\n\ndata: 2\n\n')
    expect(world.till).toHaveLength(1)
  })

  it('is never ended cleanly where the vendor broke off, and says so in its settlement', async () => {
    await startVendor((outgoing) => {
      outgoing.writeHead(200, { 'content-type': 'text/event-stream' })
      outgoing.write('data: 1\n\n')
      setTimeout(() => outgoing.destroy(), 5)
    })
    const { secret } = await keyWith({ allowUnmetered: true })
    await expect(send('/v1/other', { secret, body: '{}' })).rejects.toThrow()
    expect(world.till[0]?.settlement.note).toContain('broke off')
  })

  it('costs nothing where the vendor refuses it', async () => {
    await startVendor(answers('{"error":"no"}', 'application/json', 404))
    const { secret } = await keyWith({ allowUnmetered: true })
    expect(await send('/v1/other', { secret, method: 'GET' })).toMatchObject({
      status: 404,
      text: '{"error":"no"}',
    })
    expect(world.till[0]?.settlement).toMatchObject({ charges: [], unpriced: [] })
  })

  it('may not name what belongs to another key: in path, query, body or form', async () => {
    const seen = await startVendor(answers('{}'))
    const mine = await keyWith({ allowUnmetered: true })
    const others = await keyWith({})
    const remember = (id: string, owner: string) =>
      world.gateway.registry.remember([
        {
          upstream: 'openai',
          owner,
          callId: null,
          facts: { kind: 'file', id, parent: null, model: null, tokensMost: null, tools: false },
        },
      ])
    await remember('file-Their1', others.key.id)
    await remember('file-Mine22', mine.key.id)
    const form = new FormData()
    form.set('purpose', 'file-Their1')
    const { secret } = mine
    const asked: [string, Sent][] = [
      ['/v1/other/file-Their1', { method: 'GET' }],
      ['/v1/other/file-Their1:download', { method: 'GET' }],
      ['/v1/other?after=file%2DTheir1', { method: 'GET' }],
      ['/v1/other', { body: '{"deep":[{"at":"file\\u002dTheir1"}]}' }],
      ['/v1/other', { body: '{"file-Their1":1}' }],
      ['/v1/other', { body: 'id=file-Their1' }],
      ['/v1/other', { body: form }],
    ]
    for (const [path, sent] of asked) {
      expect([path, (await send(path, { secret, ...sent })).status]).toEqual([path, 404])
    }
    expect(seen).toEqual([])
    expect((await send('/v1/other/file-Mine22', { secret, method: 'GET' })).status).toBe(200)
  })

  it('leaves the size of an object unknown that it may have changed, and not of one that it only reads', async () => {
    await startVendor(answers('{}'))
    const { secret, key } = await keyWith({ allowUnmetered: true })
    const name = { upstream: 'openai', kind: 'conversation', id: 'conv_12345' } as const
    const { upstream, ...named } = name
    const facts = { ...named, parent: null, model: null, tokensMost: 70, tools: false }
    await world.gateway.registry.remember([{ upstream, owner: key.id, callId: null, facts }])
    const size = async () => (await world.gateway.registry.object(name))?.facts.tokensMost
    await send('/v1/other/conv_12345', { secret, method: 'GET' })
    expect(await size()).toBe(70)
    await send('/v1/other', { secret, body: '{"conversation":"conv_12345"}' })
    expect(await size()).toBeNull()
  })
})

describe('closed routes of vendors', () => {
  it('are refused to every key, whatever it may do and however they are written', async () => {
    const seen = await startVendor(answers('{}'), { unmetered: { default: 'pass' } })
    const { secret } = await keyWith({ allowUnmetered: true })
    for (const path of [
      '/v1/organization/admin_api_keys',
      '/v1/realtime/client_secrets',
      '/v1//organization/costs',
      '/v1/%6frganization/costs',
      '/v1/Organization/costs',
      '/v1/other/%2e%2e/organization',
      '/v1/files/',
      '/v1/FILES',
      '/v1/%66iles',
    ]) {
      const reply = await send(path, { secret, method: 'GET' })
      expect([path, reply.status]).toEqual([path, 403])
    }
    expect((await send('/v1/chat/completions/', { secret, body: 'no json' })).status).toBe(403)
    expect(seen).toEqual([])
    expect(world.till).toEqual([])
  })
})

describe('a WebSocket', () => {
  const ask = async (path: string): Promise<string> => {
    const { port } = new URL(world.gateway.url)
    const socket = connect(Number(port), '127.0.0.1')
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n` +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    )
    const chunks: Buffer[] = []
    for await (const chunk of socket) chunks.push(chunk as Buffer)
    return Buffer.concat(chunks).toString()
  }

  it.each(['/v1/realtime?model=gpt-realtime', '/v1/responses'])(
    'is refused in the manner of the wire, and its connection closed: %s',
    async (path) => {
      world = await startWorld()
      const [head = '', body = ''] = (await ask(path)).split('\r\n\r\n')
      expect(head).toMatch(/^HTTP\/1\.1 400 /)
      expect(JSON.parse(body)).toMatchObject({ error: { octroi: { code: 'no_websocket' } } })
      expect((await send('/v1/models', { method: 'GET' })).status).toBe(200)
    },
  )
})
