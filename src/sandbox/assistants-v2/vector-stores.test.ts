import type OpenAI from 'openai'
import { describe, expect, it } from 'vitest'
import { messageOf } from '../assistants.fixture.ts'
import type { RawPriceRow } from '../books.ts'
import { newStateFile } from '../sandbox.fixture.ts'
import { openV2, uploadText } from './sandbox-v2.fixture.ts'
import { vectorCharge } from './vector-books.ts'

const hour = 3_600_000
const day = 24 * hour

/** A price of 0.10 a gigabyte-day, of which so much is free; a gigabyte has 1,000 bytes here. */
const tariff = (
  free_gb: number,
  effectiveFrom = '2024-04-17',
  effectiveTo: string | null = null,
): RawPriceRow => ({
  provider: 'openai',
  model: null,
  meter: 'file_search_gb_day',
  attributes: { free_gb, gb_bytes: 1000, api: 'vector_stores' },
  unitPrice: '0.1',
  per: 1,
  currency: 'USD',
  effectiveFrom,
  effectiveTo,
})

const openWith = (row: RawPriceRow, more: object = {}) => openV2({ prices: [{ prices: [row] }], ...more })

const bytes = (client: OpenAI, count: number): Promise<string> => uploadText(client, 'a'.repeat(count))

describe('a vector store', () => {
  it('has its files at once, and tells their bytes', async () => {
    const { client } = await openV2()
    const [first, second] = [await bytes(client, 300), await bytes(client, 200)]
    const store = await client.vectorStores.create({ name: 'Facts', file_ids: [first] })
    expect(store).toMatchObject({
      object: 'vector_store',
      status: 'completed',
      usage_bytes: 300,
      file_counts: { completed: 1, total: 1 },
      expires_at: null,
    })
    await client.vectorStores.files.createAndPoll(store.id, { file_id: second })
    expect(await client.vectorStores.retrieve(store.id)).toMatchObject({ usage_bytes: 500 })
    expect((await client.vectorStores.files.list(store.id)).data.map(({ id }) => id)).toEqual([second, first])
    const renamed = await client.vectorStores.update(store.id, { name: 'More facts' })
    expect(renamed).toMatchObject({ name: 'More facts', usage_bytes: 500 })
    await client.vectorStores.files.delete(first, { vector_store_id: store.id })
    expect(await client.vectorStores.retrieve(store.id)).toMatchObject({ file_counts: { total: 1 } })
    await client.vectorStores.delete(store.id)
    expect(await messageOf(client.vectorStores.retrieve(store.id))).toBe(
      `404 No vector store found with id '${store.id}'.`,
    )
  })

  it('takes a batch of files, which is done when it is answered', async () => {
    const { client } = await openV2()
    const file_ids = [await bytes(client, 10), await bytes(client, 20)]
    const store = await client.vectorStores.create({})
    const batch = await client.vectorStores.fileBatches.createAndPoll(store.id, { file_ids })
    expect(batch).toMatchObject({ status: 'completed', file_counts: { completed: 2 } })
    const listed = await client.vectorStores.fileBatches.listFiles(batch.id, { vector_store_id: store.id })
    expect(listed.data.map(({ usage_bytes }) => usage_bytes)).toEqual([10, 20])
  })

  it('loses a file that is deleted', async () => {
    const { client } = await openV2()
    const file = await bytes(client, 10)
    const store = await client.vectorStores.create({ file_ids: [file] })
    await client.files.delete(file)
    expect(await client.vectorStores.retrieve(store.id)).toMatchObject({ usage_bytes: 0 })
  })

  it('is made by an attachment, for its thread and for a week', async () => {
    const { client } = await openV2()
    const file = await bytes(client, 40)
    const thread = await client.beta.threads.create()
    const attachments = [{ file_id: file, tools: [{ type: 'file_search' as const }] }]
    const message = await client.beta.threads.messages.create(thread.id, {
      role: 'user',
      content: 'Read this.',
      attachments,
    })
    expect(message.attachments).toEqual(attachments)
    const { tool_resources } = await client.beta.threads.retrieve(thread.id)
    const [id = ''] = tool_resources?.file_search?.vector_store_ids ?? []
    expect(await client.vectorStores.retrieve(id)).toMatchObject({
      usage_bytes: 40,
      expires_after: { anchor: 'last_active_at', days: 7 },
    })
  })
})

describe('what vector stores cost', () => {
  it('is 0.10 a gigabyte-day above the gigabyte that the account has free', async () => {
    const { sandbox, client, clock } = await openWith(tariff(1))
    await client.vectorStores.create({ file_ids: [await bytes(client, 800)] })
    clock.advance(day)
    expect(sandbox.total().amount).toBe('0')
    // A second store: together 2,800 bytes, of which 1,000 are free.
    await client.vectorStores.create({ file_ids: [await bytes(client, 2000)] })
    clock.advance(day)
    expect(sandbox.total()).toMatchObject({ amount: '0.18', unpriced: [] })
    expect(sandbox.standing().vectorStores).toMatchObject({ stores: 2, bytes: 2800, amount: '0.18' })
    expect(sandbox.books()).toMatchObject([{ model: '', meter: 'file_search_gb_day', amount: '0.18' }])
  })

  it('ends when the store is deleted, and counts a file in two stores twice', async () => {
    const { sandbox, client, clock } = await openWith(tariff(0))
    const file = await bytes(client, 1000)
    const [one] = [await client.vectorStores.create({ file_ids: [file] })]
    await client.vectorStores.create({ file_ids: [file] })
    clock.advance(6 * hour)
    await client.vectorStores.delete(one.id)
    clock.advance(6 * hour)
    expect(sandbox.total().amount).toBe('0.075')
  })

  it('ends at the second at which the store expires, whenever somebody looks', async () => {
    const { sandbox, client, clock } = await openWith(tariff(0))
    const store = await client.vectorStores.create({
      file_ids: [await bytes(client, 1000)],
      expires_after: { anchor: 'last_active_at', days: 2 },
    })
    clock.advance(30 * day)
    expect(sandbox.total().amount).toBe('0.2')
    const expired = await client.vectorStores.retrieve(store.id)
    expect(expired).toMatchObject({ status: 'expired', usage_bytes: 0 })
    const file_id = await bytes(client, 10)
    expect(await messageOf(client.vectorStores.files.create(store.id, { file_id }))).toContain('is expired')
  })

  it('is the same after the sandbox was stopped', async () => {
    const stateFile = newStateFile()
    const first = await openWith(tariff(0), { stateFile })
    await first.client.vectorStores.create({ file_ids: [await bytes(first.client, 1000)] })
    await first.sandbox.close()
    const second = await openWith(tariff(0), { stateFile })
    second.clock.advance(day)
    expect(second.sandbox.total().amount).toBe('0.1')
  })

  it('is in the costs of the organization, by day', async () => {
    const { sandbox, client, clock } = await openWith(tariff(0))
    await client.vectorStores.create({ file_ids: [await bytes(client, 1000)] })
    clock.advance(2 * day)
    const start = clock.now() / 1000 - 2 * 86_400 - 43_200
    const reply = await fetch(
      `${sandbox.baseUrl}/organization/costs?start_time=${start}&group_by=line_item&limit=7`,
      { headers: { authorization: 'Bearer sk-admin-test' } },
    )
    const { data } = (await reply.json()) as {
      data: { results: { line_item: string; amount: { value: number } }[] }[]
    }
    expect(
      data.flatMap(({ results }) => results).map(({ line_item, amount }) => [line_item, amount.value]),
    ).toEqual([
      ['file search storage', 0.05],
      ['file search storage', 0.1],
      ['file search storage', 0.05],
    ])
  })

  it('is rounded once for the account, however its stores are cut', () => {
    const chargeOf = vectorCharge([tariff(0)])
    const from = Date.parse('2024-05-01T00:00:00Z')
    const holding = (file: string, count: number) => ({
      ...{ assistant: `vs_${file}`, file, source: `vs_${file}`, bytes: count, from, to: null },
    })
    const whole = chargeOf([holding('a', 3)], from + 7)
    const parts = chargeOf([holding('a', 1), holding('b', 1), holding('c', 1)], from + 7)
    expect(parts.picos).toBe(whole.picos)
    // 3 bytes x 7 ms at 0.1 a 1,000 bytes x 86,400,000 ms: 24.3 of 10^-12 USD.
    expect(whole.picos).toBe(24n)
  })

  it('has no price before there was one', () => {
    const chargeOf = vectorCharge([tariff(0)])
    const from = Date.parse('2024-04-16T00:00:00Z')
    const stored = [{ assistant: 'vs_a', file: 'a', source: 'vs_a', bytes: 1000, from, to: null }]
    expect(chargeOf(stored, from + day / 2).priced).toBe(false)
    expect(chargeOf(stored, from + 2 * day)).toMatchObject({ priced: false, picos: 100_000_000_000n })
  })
})
