import OpenAI, { APIError } from 'openai'
import { afterEach, describe, expect, it } from 'vitest'
import { startWorld, type TestWorld } from '../../test/support/world.ts'
import { formatPicos } from '../money/money.ts'
import type { KeyRights } from './registry/keys.ts'

let world: TestWorld
afterEach(() => world.close())

const owner = { name: null, organization: null, team: 'search', project: null, environment: null }
const hello = { model: 'gpt-4-1106-preview', messages: [{ role: 'user' as const, content: 'Hello' }] }

const clientWith = async (rights: Partial<KeyRights>) => {
  const { secret, key } = await world.gateway.registry.createKey({ ...owner, ...rights }, world.clock.now())
  const client = new OpenAI({ apiKey: secret, baseURL: `${world.gateway.url}/v1`, maxRetries: 0 })
  return { client, key }
}

const refused = async (asked: Promise<unknown>): Promise<readonly unknown[]> => {
  const error = await asked.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof APIError)) throw new Error(`expected an API error, got ${String(error)}`)
  return [error.status, (error.error as { octroi: { code: string } }).octroi.code]
}

describe('what a key may do', () => {
  it('are the models that it names, and nothing is sent or held for others', async () => {
    world = await startWorld()
    const { client } = await clientWith({ models: ['gpt-4-*'] })
    await client.chat.completions.create(hello)
    expect(await refused(client.chat.completions.create({ ...hello, model: 'gpt-3.5-turbo-1106' }))).toEqual([
      403,
      'not_allowed',
    ])
    expect(world.till.map(({ call }) => call.model)).toEqual(['gpt-4-1106-preview'])
    expect(world.sandbox.total().amount).toBe(formatPicos(world.till[0]?.cost ?? 0n))
  })

  it('are the endpoints that it names, which are asked before the body is read', async () => {
    world = await startWorld()
    const { client } = await clientWith({ endpoints: ['embeddings'] })
    expect(await refused(client.chat.completions.create(hello))).toEqual([403, 'not_allowed'])
    await client.embeddings.create({ model: 'text-embedding-ada-002', input: 'Hello' })
    expect(world.till.map(({ call }) => call.endpoint)).toEqual(['embeddings'])
  })

  it('ends when it expires, as a key that was revoked', async () => {
    world = await startWorld()
    const { client, key } = await clientWith({ expiresAt: world.clock.now() + 60_000 })
    await client.chat.completions.create(hello)
    world.clock.advance(60_000)
    expect(await refused(client.chat.completions.create(hello))).toEqual([401, 'expired_key'])
    await world.gateway.registry.updateKey(key.id, { expiresAt: null })
    await client.chat.completions.create(hello)
  })

  it('puts its tags on every call, over those of the client', async () => {
    world = await startWorld()
    const { client } = await clientWith({ tags: { product: 'shop' } })
    await client.chat.completions.create(hello, { headers: { 'octroi-tags': 'product=other,feature=rank' } })
    expect(world.till[0]?.call.tags).toMatchObject({ product: 'shop', feature: 'rank' })
  })
})
