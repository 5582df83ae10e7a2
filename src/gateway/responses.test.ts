import { APIError, type OpenAI } from 'openai'
import { afterEach, describe, expect, it } from 'vitest'
import { startWorld, type TestWorld } from '../../test/support/world.ts'
import { bundledModels } from '../cli/bundled.ts'
import { formatPicos } from '../money/money.ts'

let world: TestWorld
afterEach(async () => {
  await world.close()
})

/** A gateway before the vendor as it is today. */
const open = async (config: Record<string, unknown> = {}): Promise<OpenAI> => {
  world = await startWorld({
    at: '2026-11-25T12:00:00Z',
    config,
    sandbox: { profile: 'now', models: await bundledModels() },
  })
  return world.client('search')
}

const spent = (): string => formatPicos(world.till.reduce((sum, { cost }) => sum + cost, 0n))

const refusal = async (asked: Promise<unknown>): Promise<APIError> => {
  const error = await asked.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  if (error instanceof APIError) return error
  throw new Error(`expected an API error, got ${String(error)}`)
}

describe('a chain of responses', () => {
  it('costs in the ledger what the vendor has in its books, whole and streamed', async () => {
    const client = await open()
    const first = await client.responses.create({ model: 'gpt-6.2-sol', input: 'Moons of Mars?' })
    const second = await client.responses
      .stream({ model: 'gpt-6.2-sol', input: 'And of Venus?', previous_response_id: first.id })
      .finalResponse()
    await client.responses.create({ model: 'gpt-4o', input: 'Why?', previous_response_id: second.id })
    expect(world.sandbox.total()).toMatchObject({ calls: 3, amount: spent(), unpriced: [] })
    expect(world.till.map(({ settlement }) => settlement.basis)).toEqual(['measured', 'measured', 'measured'])
  })

  it('is one conversation from its second response on, named after its first', async () => {
    const client = await open()
    const first = await client.responses.create({ model: 'gpt-4o', input: 'Moons of Mars?' })
    const again = { model: 'gpt-4o', input: 'More.' }
    const second = await client.responses.create({ ...again, previous_response_id: first.id })
    await client.responses.create({ ...again, previous_response_id: second.id })
    expect(world.till.map(({ call }) => call.conversation)).toEqual([null, first.id, first.id])
  })

  it('says how much of its input was sent before: all that the response before read and wrote', async () => {
    const client = await open()
    const first = await client.responses.create({ model: 'gpt-4o', input: 'Moons of Mars?' })
    await client.responses.create({ model: 'gpt-4o', input: 'More.', previous_response_id: first.id })
    expect(world.till[1]?.settlement.resent).toMatchObject({ tokens: first.usage?.total_tokens, exact: true })
  })

  it('counts no reasoning as sent before', async () => {
    const client = await open()
    const first = await client.responses.create({ model: 'gpt-6.2-sol', input: 'Moons of Mars?' })
    const { total_tokens = 0, output_tokens_details } = first.usage ?? {}
    await client.responses.create({ model: 'gpt-6.2-sol', input: 'More.', previous_response_id: first.id })
    const tokens = total_tokens - (output_tokens_details?.reasoning_tokens ?? 0)
    expect(tokens).toBeLessThan(total_tokens)
    expect(world.till[1]?.settlement.resent).toMatchObject({ tokens, exact: false })
  })

  it('can be counted, read again and deleted for nothing', async () => {
    const client = await open()
    const { id } = await client.responses.create({ model: 'gpt-4o', input: 'Moons of Mars?' })
    const counted = await client.responses.inputTokens.count({
      model: 'gpt-4o',
      input: 'More.',
      previous_response_id: id,
    })
    expect(counted.input_tokens).toBeGreaterThan(10)
    expect((await client.responses.retrieve(id)).id).toBe(id)
    await client.responses.delete(id)
    expect(world.till).toHaveLength(1)
  })
})

describe('what the vendor keeps', () => {
  it('is there for the key that made it alone', async () => {
    const client = await open()
    const other = await world.client('ads')
    const { id } = await client.responses.create({ model: 'gpt-4o', input: 'Moons of Mars?' })
    const conversation = await client.conversations.create({})
    const asked = { model: 'gpt-4o', input: 'More.' }
    const refused = [
      await refusal(other.responses.retrieve(id)),
      await refusal(other.responses.delete(id)),
      await refusal(other.responses.create({ ...asked, previous_response_id: id })),
      await refusal(other.responses.inputTokens.count({ ...asked, previous_response_id: id })),
      await refusal(other.responses.create({ ...asked, conversation: conversation.id })),
      await refusal(other.responses.create({ ...asked, conversation: { id: conversation.id } })),
      await refusal(other.conversations.retrieve(conversation.id)),
      await refusal(other.conversations.items.list(conversation.id)),
    ]
    expect(refused.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 404))
    expect(refused[2]?.message).toContain(`No response found with id '${id}' for this key.`)
    expect(world.sandbox.total().calls).toBe(1)
  })

  it('is found in the input and in the tools of a request', async () => {
    const client = await open()
    const asked = (more: object) =>
      refusal(client.responses.create({ model: 'gpt-4o', input: 'Moons?', ...more }))
    const image = [{ type: 'input_image', file_id: 'file-of-another', detail: 'auto' }]
    const messages = [
      await asked({ input: [{ role: 'user', content: image }] }),
      await asked({ input: [{ type: 'function_call_output', call_id: 'call_1', output: image }] }),
      await asked({ tools: [{ type: 'file_search', vector_store_ids: ['vs_1'] }] }),
      await asked({ tools: [{ type: 'code_interpreter', container: 'cntr_1' }] }),
      await asked({
        tools: [{ type: 'code_interpreter', container: { type: 'auto', file_ids: ['file-2'] } }],
      }),
    ].map(({ message }) => /No (\w+) found with id '([^']+)'/.exec(message)?.slice(1))
    expect(messages).toEqual([
      ['file', 'file-of-another'],
      ['file', 'file-of-another'],
      ['vector_store', 'vs_1'],
      ['container', 'cntr_1'],
      ['file', 'file-2'],
    ])
  })
})

describe('a conversation', () => {
  it('is billed in the ledger as in the books, and read again at each response', async () => {
    const client = await open()
    const { id } = await client.conversations.create({
      items: [{ type: 'message', role: 'user', content: 'We speak of Mars.' }],
    })
    await client.responses.create({ model: 'gpt-4o', input: 'Its moons?', conversation: id })
    await client.conversations.items.create(id, {
      items: [{ type: 'message', role: 'user', content: 'And of Venus.' }],
    })
    await client.responses.create({ model: 'gpt-4o', input: 'Its moons?', conversation: id })
    expect(world.sandbox.total()).toMatchObject({ calls: 2, amount: spent(), unpriced: [] })
    expect(world.till.map(({ call }) => call.conversation)).toEqual([id, id])
    expect(world.till[1]?.settlement.resent).toMatchObject({ exact: false })
  })
})

describe('a search of the web', () => {
  const search = { tools: [{ type: 'web_search' as const }], max_tool_calls: 2 }

  it('is billed by the piece, and for small models as a block of input that no usage shows', async () => {
    const client = await open()
    const input = 'Moons of Mars [search] [search]'
    await client.responses.create({ model: 'gpt-4o-mini', input, ...search })
    await client.responses.create({ model: 'gpt-6.2-sol', input, ...search })
    expect(world.sandbox.total()).toMatchObject({ calls: 2, amount: spent(), unpriced: [] })
    const calls = world.till.map(({ settlement }) =>
      settlement.charges.filter(({ meter }) => meter === 'web_search_call').map(({ quantity }) => quantity),
    )
    expect(calls).toEqual([[2], [2]])
  })

  it('is never more than was held', async () => {
    const limits = [{ name: 'month', measure: 'cost', cap: '100', window: { calendar: 'month' } }]
    const client = await open({ limits })
    const { response } = await client.responses
      .create({ model: 'gpt-4o-mini', input: 'Mars [search]', ...search })
      .withResponse()
    expect(Number(spent())).toBeLessThan(Number(response.headers.get('octroi-quote-usd')))
  })

  it('is refused by a budget where nothing bounds how often it is made', async () => {
    const limits = [{ name: 'month', measure: 'cost', cap: '100', window: { calendar: 'month' } }]
    const client = await open({ limits })
    const error = await refusal(
      client.responses.create({ model: 'gpt-4o', input: 'Mars', tools: [{ type: 'web_search' }] }),
    )
    expect(error.status).toBe(400)
    expect(error.message).toContain('the request sets no max_tool_calls')
    expect(world.sandbox.total().calls).toBe(0)
  })
})
