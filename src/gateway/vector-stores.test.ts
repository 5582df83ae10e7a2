import type OpenAI from 'openai'
import { toFile } from 'openai'
import { afterEach, describe, expect, it } from 'vitest'
import { readAll } from '../../test/support/ledger.ts'
import { startWorld, type TestWorld } from '../../test/support/world.ts'
import { bundledPrices } from '../cli/bundled.ts'
import { readAccrued } from '../ledger/reading.ts'
import { formatPicos } from '../money/money.ts'
import { openPriceBook } from '../pricing/price-book.ts'
import { messageOf } from '../sandbox/assistants.fixture.ts'

let world: TestWorld
afterEach(async () => {
  expect(world.faults).toEqual([])
  await world.close()
})

const hour = 3_600_000
const day = 24 * hour
const megabyte = 1_000_000

/** The price of today, with a gigabyte of a million bytes: the same in the gateway's book and in the sandbox's. A
 * gateway's gigabyte has 2^30 bytes, so its unit is a 1,073.741824th. */
const start = async (free = 1): Promise<TestWorld> => {
  const prices = (await bundledPrices()).map((file) => ({
    ...file,
    prices: file.prices.map((row) =>
      row.meter === 'file_search_gb_day' && row.attributes['api'] === 'vector_stores'
        ? {
            ...row,
            unitPrice: '107.3741824',
            attributes: { ...row.attributes, free_gb: free, gb_bytes: megabyte },
          }
        : row,
    ),
  }))
  const sandboxPrices = prices.map((file) => ({
    prices: file.prices.map((row) =>
      row.meter === 'file_search_gb_day' ? { ...row, unitPrice: '0.1' } : row,
    ),
  }))
  return startWorld({
    at: '2024-11-15T12:00:00Z',
    sandbox: { features: { assistants: 'v2' }, prices: sandboxPrices },
    gateway: { book: openPriceBook(prices) },
  })
}

const upload = async (client: OpenAI, bytes: number): Promise<string> => {
  const file = await toFile(Buffer.alloc(bytes, 'a'), 'facts.txt')
  return (await client.files.create({ file, purpose: 'assistants' })).id
}

/** What the teams have paid for storage, and what the vendor's books have. */
const paid = async (): Promise<Record<string, string>> => {
  await world.gateway.accruals.close(world.clock.now(), { final: true })
  const accrued = await readAll(world.folder, (database) =>
    readAccrued(database, { from: 0, to: Number.MAX_SAFE_INTEGER }),
  )
  const teams = Map.groupBy(accrued, ({ owner }) => owner.team ?? '')
  return Object.fromEntries(
    [...teams].map(([team, entries]) => [
      team,
      formatPicos(entries.flatMap(({ charges }) => charges).reduce((sum, { amount }) => sum + amount, 0n)),
    ]),
  )
}
const billed = () => world.sandbox.books().find(({ meter }) => meter === 'file_search_gb_day')?.amount ?? '0'

describe('vector stores', () => {
  it('pass, and belong to the key that made them', async () => {
    world = await start()
    const [client, other] = [await world.client('support'), await world.client('search')]
    const file = await upload(client, 100)
    const store = await client.vectorStores.create({ file_ids: [file] })
    expect(await client.vectorStores.retrieve(store.id)).toMatchObject({ usage_bytes: 100 })
    expect((await client.vectorStores.files.list(store.id)).data).toHaveLength(1)
    expect(await messageOf(other.vectorStores.retrieve(store.id))).toContain(`404 No vector_store found`)
    expect(await messageOf(other.vectorStores.create({ file_ids: [file] }))).toContain('404 No file found')
    const theirs = { file_search: { vector_store_ids: [store.id] } }
    const stolen = other.beta.assistants.create({ model: 'gpt-4o', tool_resources: theirs })
    expect(await messageOf(stolen)).toContain('404 No vector_store found')
    expect(await messageOf(client.vectorStores.list().then(String))).toContain('403')
  })

  it('cost what the vendor bills above what the account has free, and the free room goes in order', async () => {
    world = await start()
    const [support, search] = [await world.client('support'), await world.client('search')]
    const first = await support.vectorStores.create({ file_ids: [await upload(support, 600_000)] })
    await search.vectorStores.create({ file_ids: [await upload(search, 1_200_000)] })
    world.clock.advance(day)
    // 0.6 of the free gigabyte are the first store's: of the second, 0.8 are billed.
    expect(await paid()).toEqual({ search: '0.08' })
    expect(billed()).toBe('0.08')
    await support.vectorStores.delete(first.id)
    world.clock.advance(day)
    expect(await paid()).toEqual({ search: '0.1' })
    expect(billed()).toBe('0.1')
  })

  it('grow and shrink with their files, also where a file itself is deleted', async () => {
    world = await start()
    const client = await world.client('support')
    const [one, two] = [await upload(client, 1_000_000), await upload(client, 500_000)]
    const store = await client.vectorStores.create({ file_ids: [one] })
    await client.vectorStores.files.create(store.id, { file_id: two })
    world.clock.advance(12 * hour)
    await client.files.delete(two)
    world.clock.advance(12 * hour)
    expect(await paid()).toEqual({ support: '0.025' })
    expect(billed()).toBe('0.025')
  })

  it('end by themselves when they expire, however late somebody looks', async () => {
    world = await start()
    const client = await world.client('support')
    await client.vectorStores.create({
      file_ids: [await upload(client, 3_000_000)],
      expires_after: { anchor: 'last_active_at', days: 2 },
    })
    world.clock.advance(10 * day)
    await world.gateway.sweep()
    expect(await paid()).toEqual({ support: '0.4' })
    expect(billed()).toBe('0.4')
  })

  it('that an attachment made are billed, and end a week after the last run that searched them', async () => {
    world = await start()
    const client = await world.client('support')
    const assistant = await client.beta.assistants.create({
      model: 'gpt-4o',
      tools: [{ type: 'file_search' }],
    })
    const thread = await client.beta.threads.create()
    await client.beta.threads.messages.create(thread.id, {
      role: 'user',
      content: 'Read this. [retrieve]',
      attachments: [{ file_id: await upload(client, 2_000_000), tools: [{ type: 'file_search' }] }],
    })
    world.clock.advance(3 * day)
    const { id } = await client.beta.threads.runs.create(thread.id, { assistant_id: assistant.id })
    let status = 'queued'
    while (status !== 'completed') {
      status = (await client.beta.threads.runs.retrieve(id, { thread_id: thread.id })).status
      await new Promise((done) => setTimeout(done, 1))
    }
    world.clock.advance(30 * day)
    await world.gateway.sweep()
    // 3 days until the run, and 7 after it.
    expect(await paid()).toEqual({ support: '1' })
    expect(billed()).toBe('1')
  })
})
