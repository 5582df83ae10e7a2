import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { z } from 'zod'
import { startWorld, type TestWorld } from '../../../test/support/world.ts'
import type { allocationAnswer } from './allocation-answer.ts'

const allocation = {
  schema: 'octroi-allocation/1',
  versions: [
    {
      ...{ version: '2023', from: '2023-01-01' },
      centres: [{ name: 'Search', match: { team: 'search' } }],
    },
  ],
}

type Answer = z.output<typeof allocationAnswer> & { readonly error: { readonly message: string } }

let world: TestWorld
const asked = async (query = '') => {
  const reply = await fetch(`${world.gateway.controlUrl}/octroi/v1/reports/allocation${query}`)
  return { status: reply.status, body: (await reply.json()) as Answer }
}

describe('the report of allocation over HTTP', () => {
  beforeEach(async () => {
    world = await startWorld({ config: { allocation }, gateway: { controlPort: 0 } })
    const client = await world.client('search')
    const messages = [{ role: 'user' as const, content: 'Hello there' }]
    await client.chat.completions.create({ model: 'gpt-4-1106-preview', messages })
  })
  afterEach(() => world.close())

  it('allocates by the rules of the configuration', async () => {
    const { status, body } = await asked('?from=2023-11-15&to=2023-11-16')
    expect([status, body.schema, body.versions[0]?.version]).toEqual([
      200,
      'octroi-report-allocation/1',
      '2023',
    ])
    expect(body.totals).toMatchObject([{ unallocated: '0', amount: body.centres[0]?.amount }])
  })

  it.each([
    ['?from=soon', /from cannot be read: "soon" is not an instant/],
    ['?from=2023-11-15T00:30:00Z', /from "2023-11-15T00:30:00Z" is not a whole hour/],
    ['?from=2023-11-16&to=2023-11-15', /from is not before to/],
    ['?colour=red', /There is no colour here/],
  ])('refuses %s', async (query, message) => {
    const { status, body } = await asked(query)
    expect([status, body.error.message]).toEqual([400, expect.stringMatching(message)])
  })
})

describe('a gateway without allocation rules', () => {
  it('says where they are put', async () => {
    world = await startWorld({ gateway: { controlPort: 0 } })
    const { status, body } = await asked()
    expect([status, body.error.message]).toEqual([400, expect.stringMatching(/Put them under "allocation"/)])
    await world.close()
  })
})
