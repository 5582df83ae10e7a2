import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import OpenAI, { APIError } from 'openai'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { OctroiError } from '../../src/errors.ts'
import type { Key, KeyRights } from '../../src/gateway/registry/keys.ts'
import type { SpoolEvent } from '../../src/gateway/spool/spool.ts'
import type { Database } from '../../src/ledger/database.ts'
import { readEntries } from '../proof/entries.ts'
import { startWorld, type TestWorld } from '../support/world.ts'

/** A call of at most 0.12371 USD that costs 0.00032 USD in the sandbox. */
const hello = {
  model: 'gpt-4-1106-preview',
  messages: [{ role: 'user' as const, content: 'Hello there' }],
}

const limits = [{ name: 'all', measure: 'cost', cap: '1000', window: { calendar: 'month', timeZone: 'UTC' } }]

let folder: string
let spoolFolder: string
let world: TestWorld
let isFull = false
let events: SpoolEvent[]

/** Everything that the ledger is asked to write fails while the disk is full; reading goes on. */
const database = (opened: Database): Database => ({
  ...opened,
  call: (store, verb, argument) => {
    const reads = [
      ...['balances', 'life', 'unended', 'object', 'among', 'stores', 'watched', 'listKeys'],
      ...['listProviderKeys', 'dueAlerts', 'countAlerts'],
    ]
    if (!isFull || reads.includes(verb)) return opened.call(store, verb, argument)
    return Promise.reject(
      new OctroiError('ledger_unavailable', 'The disk is full.', { cause: 'SQLITE_FULL' }),
    )
  },
})

const start = async (
  gateway: { spoolFolder?: string } = { spoolFolder },
  more: Record<string, unknown> = {},
): Promise<TestWorld> => {
  const options = { ...gateway, onSpool: (event: SpoolEvent) => events.push(event) }
  return startWorld({ folder, database, config: { limits, anonymous: false, ...more }, gateway: options })
}

const clientWith = async (rights: Partial<KeyRights>): Promise<{ client: OpenAI; key: Key }> => {
  const owner = { name: null, organization: null, team: 'search', project: null, environment: null }
  const { secret, key } = await world.gateway.registry.createKey({ ...owner, ...rights }, world.clock.now())
  return { client: new OpenAI({ apiKey: secret, baseURL: `${world.gateway.url}/v1`, maxRetries: 0 }), key }
}

const spooling = { onLedgerFailure: { spool: '1' } } as const

const spooledOf = async (client: OpenAI): Promise<string | null> => {
  const { response } = await client.chat.completions.create(hello).withResponse()
  return response.headers.get('octroi-spooled')
}

const codeOf = async (asked: PromiseLike<unknown>): Promise<unknown> => {
  const error = await Promise.resolve(asked).catch((thrown: unknown) => thrown)
  if (!(error instanceof APIError)) throw new Error('expected an API error')
  return [error.status, (error.error as { octroi: { code: string } }).octroi.code]
}

const kinds = (): readonly string[] => readEntries(folder).map(({ kind }) => kind)

/** Ends the world as a crash does: nothing is posted any more, and the ledger's file is let go of. */
const crash = async (): Promise<void> => {
  isFull = true
  await world.close()
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'octroi-test-'))
  spoolFolder = await mkdtemp(join(tmpdir(), 'octroi-spool-'))
  events = []
  isFull = false
  world = await start()
})

afterEach(async () => {
  isFull = false
  await world.close()
  await rm(folder, { recursive: true })
  await rm(spoolFolder, { recursive: true })
})

describe('a key that refuses', () => {
  it('is refused while the ledger cannot be written, and nothing of it is sent', async () => {
    const { client } = await clientWith({})
    isFull = true
    expect(await codeOf(client.chat.completions.create(hello))).toEqual([503, 'ledger_unavailable'])
    expect(world.sandbox.calls()).toEqual([])
    expect(await readdir(spoolFolder)).toEqual([])
  })

  it('is refused also while calls of others wait', async () => {
    const { client } = await clientWith({})
    const { client: other } = await clientWith(spooling)
    isFull = true
    await spooledOf(other)
    expect(await codeOf(client.chat.completions.create(hello))).toEqual([503, 'ledger_unavailable'])
    expect(world.sandbox.calls()).toHaveLength(1)
  })
})

describe('a key with a spool', () => {
  it('goes on, says so, and its calls are posted in order once the ledger can be written', async () => {
    const { client } = await clientWith(spooling)
    expect(await spooledOf(client)).toBe(null)
    isFull = true
    expect([await spooledOf(client), await spooledOf(client)]).toEqual(['true', 'true'])
    expect(kinds()).toEqual(['reserved', 'settled'])
    expect(world.till.map(({ spooled }) => spooled)).toEqual([undefined, 'disk', 'disk'])
    expect(await readdir(spoolFolder)).toHaveLength(1)
    isFull = false
    await world.gateway.sweep()
    expect(kinds()).toEqual([...['reserved', 'settled', 'reserved', 'settled', 'reserved', 'settled']])
    expect(await readdir(spoolFolder)).toEqual([])
    expect(events.map(({ is, calls }) => [is, calls])).toEqual([
      ['began', 1],
      ['posted', 2],
    ])
    expect(world.faults.map(String)).toEqual(['OctroiError: The disk is full.'])
  })

  it('is posted by the next call, whoever makes it', async () => {
    const { client } = await clientWith(spooling)
    const { client: other } = await clientWith({})
    isFull = true
    await spooledOf(client)
    isFull = false
    expect(await spooledOf(other)).toBe(null)
    expect(kinds()).toEqual(['reserved', 'settled', 'reserved', 'settled'])
  })

  it('is posted by itself when nobody calls', async () => {
    const { client } = await clientWith(spooling)
    isFull = true
    await spooledOf(client)
    isFull = false
    await expect.poll(kinds, { timeout: 5_000 }).toEqual(['reserved', 'settled'])
  })

  it('counts in all limits at once', async () => {
    const { client } = await clientWith(spooling)
    isFull = true
    await spooledOf(client)
    const before = world.gateway.limits()[0]
    expect(before).toMatchObject({ held: 0n, settled: world.till[0]?.cost })
    isFull = false
    await world.gateway.sweep()
    expect(world.gateway.limits()[0]).toEqual(before)
  })

  it('may hold and settle up to its amount, and is refused beyond it until the spool is posted', async () => {
    // The most of a call is 0.12371 USD; what is settled counts at its cost of less than a cent.
    const { client } = await clientWith({ onLedgerFailure: { spool: '0.2' } })
    const { client: small } = await clientWith({ onLedgerFailure: { spool: '0.12' } })
    isFull = true
    const together = await Promise.allSettled([spooledOf(client), spooledOf(client)])
    expect(together.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(await spooledOf(client)).toBe('true')
    expect(await codeOf(small.chat.completions.create(hello))).toEqual([503, 'ledger_unavailable'])
    isFull = false
    expect(await spooledOf(small)).toBe(null)
  })

  it('says "memory" where the file of the spool cannot be written, and writes it as soon as it can', async () => {
    await world.close()
    const file = join(spoolFolder, 'not-a-folder')
    world = await start({ spoolFolder: join(file, 'below') })
    const { client } = await clientWith(spooling)
    await writeFile(file, '')
    isFull = true
    expect(await spooledOf(client)).toBe('memory')
    expect(events.map(({ is }) => is)).toEqual(['in-memory', 'began'])
    await rm(file)
    await expect.poll(() => readdir(file).catch(() => []), { timeout: 5_000 }).toEqual(['below'])
    isFull = false
    await world.gateway.sweep()
    expect(kinds()).toEqual(['reserved', 'settled'])
  })

  it('tells at the end what was in memory only and is lost', async () => {
    await world.close()
    world = await start({})
    const { client } = await clientWith(spooling)
    isFull = true
    expect(await spooledOf(client)).toBe('memory')
    await world.gateway.close()
    expect(world.faults.map(String).join()).toContain('1 calls waited in memory only')
  })
})

describe('a call in flight when the disk fills', () => {
  it('is settled in the spool for what it cost, whatever its key says', async () => {
    const { client } = await clientWith({})
    const stream = await client.chat.completions.create({ ...hello, stream: true })
    const chunks = stream[Symbol.asyncIterator]()
    await chunks.next()
    isFull = true
    for (let next = await chunks.next(); next.done !== true; next = await chunks.next());
    expect(kinds()).toEqual(['reserved'])
    expect(world.gateway.limits()[0]).toMatchObject({ held: 0n, settled: world.till[0]?.cost })
    world.clock.advance(600_000)
    isFull = false
    await world.gateway.sweep()
    expect(kinds()).toEqual(['reserved', 'settled'])
    expect(world.gateway.limits()[0]).toMatchObject({ unresolved: 0n, settled: world.till[0]?.cost })
  })

  it('goes on in the ledger when that is back before its end', async () => {
    const { client } = await clientWith(spooling)
    isFull = true
    const stream = await client.chat.completions.create({ ...hello, stream: true })
    const chunks = stream[Symbol.asyncIterator]()
    await chunks.next()
    isFull = false
    await world.gateway.sweep()
    expect(kinds()).toEqual(['reserved'])
    for (let next = await chunks.next(); next.done !== true; next = await chunks.next());
    expect(kinds()).toEqual(['reserved', 'settled'])
    expect(world.till[0]?.spooled).toBe(undefined)
  })
})

describe('a ledger that takes reservations with their end', () => {
  beforeEach(async () => {
    await world.close()
    world = await start({ spoolFolder }, { journal: 'before-reply' })
  })

  it('learns of the failure at the end of a call, and refuses from then on', async () => {
    const { client } = await clientWith({})
    isFull = true
    expect(await spooledOf(client)).toBe('true')
    expect(await codeOf(client.chat.completions.create(hello))).toEqual([503, 'ledger_unavailable'])
    expect(world.sandbox.calls()).toHaveLength(1)
    isFull = false
    await world.gateway.sweep()
    expect(kinds()).toEqual(['reserved', 'settled'])
    expect(await spooledOf(client)).toBe(null)
    await world.gateway.sweep()
    expect(kinds()).toEqual(['reserved', 'settled', 'reserved', 'settled'])
    expect(world.gateway.limits()[0]).toMatchObject({ held: 0n, unresolved: 0n })
  })
})

describe('a spool that a process left', () => {
  it('is posted at start, and counts as it did', async () => {
    const { client } = await clientWith(spooling)
    isFull = true
    await spooledOf(client)
    const before = world.gateway.limits()[0]
    await crash()
    isFull = false
    world = await start()
    expect(kinds()).toEqual(['reserved', 'settled'])
    expect(world.gateway.limits()[0]).toEqual(before)
    expect(await readdir(spoolFolder)).toEqual([])
  })

  it('counts against limits also while it cannot be posted', async () => {
    const { client } = await clientWith(spooling)
    isFull = true
    await spooledOf(client)
    const before = world.gateway.limits()[0]
    await crash()
    world = await start()
    expect(kinds()).toEqual([])
    expect(world.gateway.limits()[0]).toEqual(before)
    isFull = false
    await expect.poll(kinds, { timeout: 5_000 }).toEqual(['reserved', 'settled'])
    expect(world.gateway.limits()[0]).toEqual(before)
  })

  it('that was posted already is repeated, and changes nothing', async () => {
    const { client } = await clientWith(spooling)
    isFull = true
    await spooledOf(client)
    const [name = ''] = await readdir(spoolFolder)
    const left = await readFile(join(spoolFolder, name))
    isFull = false
    await world.gateway.sweep()
    const before = world.gateway.limits()[0]
    await world.close()
    await writeFile(join(spoolFolder, name), left)
    world = await start()
    expect(kinds()).toEqual(['reserved', 'settled'])
    expect(world.gateway.limits()[0]).toEqual(before)
    expect(world.faults).toEqual([])
  })

  it('with a torn line is posted without it, and the file is kept beside', async () => {
    const { client } = await clientWith(spooling)
    isFull = true
    await spooledOf(client)
    const [name = ''] = await readdir(spoolFolder)
    await crash()
    const file = join(spoolFolder, name)
    await writeFile(file, `${await readFile(file, 'utf8')}\n512 0123456789abcdef {"verb":"res`)
    isFull = false
    world = await start()
    expect(kinds()).toEqual(['reserved', 'settled'])
    expect(await readdir(spoolFolder)).toEqual([`${name}.kept`])
    expect(world.faults.map(String).join()).toContain('1 lines of the spool are not whole')
  })
})
