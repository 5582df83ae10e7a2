import { createServer, request as send } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { startWorld, type TestWorld } from '../../test/support/world.ts'
import { OctroiError } from '../errors.ts'
import type { Database } from '../ledger/database.ts'
import { manualClock, parseInstant } from '../time.ts'
import { openServeLog } from './serve-log.ts'

const clock = manualClock(parseInstant('2023-11-15T12:00:00Z'))

const openLog = (form: string, level = 'info') => {
  const written: string[] = []
  const log = openServeLog({ form, level }, { clock, write: (text) => written.push(text) })
  return { log, written }
}

const secret = 'hush-9f2c'

describe('what a gateway logs', () => {
  let world: TestWorld
  afterEach(() => world.close())

  /** A gateway whose log is kept, before a database that fails with a message of the prompt. */
  const start = async (form: string, more: Parameters<typeof startWorld>[0] = {}) => {
    const { log, written } = openLog(form)
    const hooks = { onFault: log.fault, onRefused: log.refused, onTill: log.called }
    world = await startWorld({ ...more, gateway: { ...hooks, ...more?.gateway } })
    return written
  }

  const post = async (path: string, body: string, headers: Readonly<Record<string, string>> = {}) => {
    const reply = await fetch(`${world.gateway.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer sk-${secret}`, ...headers },
      body,
    }).catch(() => null)
    await reply?.text().catch(() => '')
  }

  const chat = (more: object = {}): string =>
    JSON.stringify({
      model: 'gpt-4-1106-preview',
      messages: [{ role: 'user', content: `prompt ${secret}` }],
      user: secret,
      metadata: { conversation: secret },
      ...more,
    })

  it.each(['json', 'text'])(
    'as %s holds nothing that clients and vendors said, on any way out',
    async (form) => {
      const broken = (opened: Database): Database => ({
        ...opened,
        call: (store, verb, argument) =>
          verb === 'reserve' &&
          JSON.stringify(argument, (_, value) => (typeof value === 'bigint' ? `${value}` : value)).includes(
            'break-it',
          )
            ? Promise.reject(new TypeError(`${secret} is not iterable\n    at ${secret}`))
            : opened.call(store, verb, argument),
      })
      const written = await start(form, { database: broken })
      const path = '/v1/chat/completions'
      await post(path, chat(), { 'octroi-tags': `conversation=${secret},team=${secret}` })
      await post(path, chat({ stream: true }))
      await post(path, `{"model": "${secret}`)
      await post(path, `"${secret}"`)
      await post(path, chat({ model: secret }))
      await post(path, chat({ messages: secret }))
      await post(path, chat(), { 'octroi-tags': `${secret}` })
      await post(path, chat(), { authorization: `Bearer oct_${secret}` })
      await post(path, chat(), { 'octroi-key': `oct_${secret}` })
      await post(`${path}?key=${secret}`, chat())
      await post(`/v1/${secret}?key=${secret}`, chat())
      await post(`/v1/threads/${secret}/runs`, '{}', { 'openai-beta': 'assistants=v1' })
      await post(path, chat(), { 'octroi-tags': 'feature=break-it' })
      for (const fault of [
        { kind: 'status', status: 500 } as const,
        { kind: 'html' } as const,
        { kind: 'cut' } as const,
        { kind: 'reset-before-reply' } as const,
      ]) {
        world.sandbox.faults.add(fault)
        await post(path, chat())
      }
      const all = written.join('')
      expect(all).not.toContain(secret)
      expect(all).not.toContain('sk-vendor')
      for (const code of [
        'bad_json',
        'bad_input',
        'wrong_key',
        'unknown_path',
        'upstream_broken',
        'internal',
      ]) {
        expect(all).toContain(code)
      }
      expect(all).toContain('TypeError')
    },
  )

  it('holds no words of a vendor that repeats the request in its error', async () => {
    const parrot = createServer((incoming, outgoing) => {
      incoming.pipe(outgoing.writeHead(400, { 'content-type': 'application/json' }))
    })
    await new Promise<void>((done) => parrot.listen(0, '127.0.0.1', done))
    const baseUrl = `http://127.0.0.1:${(parrot.address() as AddressInfo).port}/v1`
    const written = await start('json', { config: { providers: { openai: { baseUrl } } } })
    await post('/v1/chat/completions', chat())
    parrot.close()
    parrot.closeAllConnections()
    expect(written).toHaveLength(1)
    expect(JSON.parse(written[0] ?? '')).toMatchObject({ event: 'call', status: 400, cost: '0' })
    expect(written.join('')).not.toContain(secret)
  })

  it('is a line a call that can be read by machines', async () => {
    const written = await start('json', { sandbox: { outputTokens: 20 } })
    const client = await world.client('search')
    await client.chat.completions.create({
      model: 'gpt-4-1106-preview',
      messages: [{ role: 'user', content: 'Hello there' }],
    })
    expect(written).toHaveLength(1)
    expect(written[0]).toMatch(/\n$/)
    expect(JSON.parse(written[0] ?? '')).toEqual({
      at: '2023-11-15T12:00:00Z',
      level: 'info',
      event: 'call',
      call: expect.stringMatching(/^call_/),
      provider: 'openai',
      endpoint: 'chat-completions',
      model: 'gpt-4-1106-preview',
      key: world.gateway.registry.listKeys()[0]?.id,
      ...{ organization: null, team: 'search', project: null, environment: null },
      ...{ status: 200, basis: 'measured', cost: '0.00069', currency: 'USD' },
      usage: { input_text_tokens: '9', output_text_tokens: '20' },
      unpriced: [],
      milliseconds: 0,
    })
  })

  it('tells of a client that sent half a request', async () => {
    const written = await start('json', { gateway: { bounds: { requestBytesMax: 10 } } })
    await new Promise<void>((done) => {
      const half = send(`${world.gateway.url}/v1/chat/completions`, { method: 'POST' })
      half.on('response', (reply) => reply.resume().on('close', () => done()))
      half.on('error', () => done())
      half.end(`{"x":"${secret}"}`)
    })
    expect(JSON.parse(written[0] ?? '')).toMatchObject({ level: 'warn', event: 'refused', status: 413 })
    expect(written.join('')).not.toContain(secret)
  })
})

describe('a log', () => {
  const refused = { method: 'POST', provider: 'openai', endpoint: 'images', key: null } as const

  it('is as loud as it is told to be', () => {
    const { log, written } = openLog('json', 'error')
    log.refused({ ...refused, code: 'not_allowed', status: 403 })
    log.said('octroi: stopped', 'stopped')
    expect(written).toEqual([])
    log.refused({ ...refused, code: 'internal', status: 503 })
    expect(written).toHaveLength(1)
  })

  it('says what the ledger says of its file', () => {
    const { log, written } = openLog('json')
    log.fault(new OctroiError('ledger_unavailable', 'The ledger "a" cannot be used: SQLITE_FULL'))
    expect(JSON.parse(written[0] ?? '')).toMatchObject({
      level: 'error',
      code: 'ledger_unavailable',
      message: 'The ledger "a" cannot be used: SQLITE_FULL',
    })
  })

  it('that is off says nothing', () => {
    const { log, written } = openLog('off')
    log.fault(new Error('a'))
    expect(written).toEqual([])
  })

  it('of an unknown form or level is refused', () => {
    expect(() => openLog('xml')).toThrow('text, json, off')
    expect(() => openLog('json', 'loud')).toThrow('error, warn, info')
  })
})
