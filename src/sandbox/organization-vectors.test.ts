import OpenAI from 'openai'
import { describe, expect, it } from 'vitest'
import { openV2, uploadText } from './assistants-v2/sandbox-v2.fixture.ts'

const hour = 3_600_000
const project = 'proj_sandbox'

describe('the usage of vector stores', () => {
  /** A store of 1,000 bytes from noon of 15 November 2024. */
  const busy = async () => {
    const { sandbox, client, clock } = await openV2()
    const start_time = clock.now() / 1000 - 12 * 3600
    const admin = new OpenAI({ adminAPIKey: 'sk-admin-test', baseURL: sandbox.baseUrl, maxRetries: 0 })
    const ask = async (query: object = {}) => {
      const page = await admin.admin.organization.usage.vectorStores({ start_time, ...query })
      return page.data.map(({ results }) => results)
    }
    const file_ids = [await uploadText(client, 'a'.repeat(1000))]
    const store = await client.vectorStores.create({ file_ids })
    return { client, clock, store, ask }
  }
  const result = (usage_bytes: number, project_id: string | null = null) => [
    { object: 'organization.usage.vector_stores.result', usage_bytes, project_id },
  ]

  it('is the mean of the bytes of each bucket, as far as it has passed', async () => {
    const { client, clock, store, ask } = await busy()
    expect(await ask()).toEqual([[]])
    clock.advance(6 * hour)
    // For 6 of the 18 hours of the day so far.
    expect(await ask()).toEqual([result(333)])
    clock.advance(12 * hour)
    expect(await ask()).toEqual([result(500), result(1000)])
    clock.advance(6 * hour)
    await client.vectorStores.delete(store.id)
    clock.advance(24 * hour)
    expect(await ask()).toEqual([result(500), result(500), []])
  })

  it('counts a file in two stores twice, and is told by project', async () => {
    const { client, clock, store, ask } = await busy()
    const files = await client.vectorStores.files.list(store.id)
    await client.vectorStores.create({ file_ids: files.data.map(({ id }) => id) })
    clock.advance(12 * hour)
    expect(await ask({ group_by: ['project_id'] })).toEqual([result(1000, project), []])
    expect(await ask({ project_ids: ['proj_other'] })).toEqual([[], []])
  })
})
