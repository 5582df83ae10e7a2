import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import OpenAI from 'openai'
import { afterEach, describe, expect, it } from 'vitest'
import { startAfterCrash } from '../../test/support/after-crash.ts'
import { startWorld, type TestWorld } from '../../test/support/world.ts'
import { conversation, get, post, runOn, say, settled, weather } from '../sandbox/assistants.fixture.ts'
import type { Run } from '../sandbox/objects.ts'
import type { TillLine } from './till.ts'

let world: TestWorld
const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
  await world.close()
})

const afterCrash = async () => {
  const crashed = await startAfterCrash(world)
  closers.push(crashed.close)
  return crashed
}

const tokens = (till: readonly TillLine[]) =>
  till.map(({ settlement }) =>
    Object.fromEntries(settlement.charges.map(({ meter, quantity }) => [meter, quantity])),
  )

/** A run that waits for the outputs of its function, begun by a client. */
const waitingRun = async (client: OpenAI): Promise<Run> => {
  const at = await conversation(client, { tools: [weather] })
  await say(client, at.thread, '[call weather]')
  const run = await runOn(client, at)
  expect(run.status).toBe('requires_action')
  return run
}

const submitTo = (client: OpenAI, run: Run) =>
  post(client, `/threads/${run.thread_id}/runs/${run.id}/submit_tool_outputs`, {
    tool_outputs: (run.required_action?.submit_tool_outputs.tool_calls ?? []).map(({ id }) => ({
      tool_call_id: id,
      output: 'sunny',
    })),
  })

describe('a run that a crash left', () => {
  it('is asked after again and settled, whether its client comes back or not, also past its lease', async () => {
    world = await startWorld({ sandbox: { outputTokens: 30 } })
    const run = await waitingRun(await world.client('support'))
    world.clock.advance(300_000)
    const { gateway, till } = await afterCrash()
    await gateway.sweep()
    await submitTo(new OpenAI({ apiKey: 'sk-x', baseURL: world.sandbox.baseUrl }), run)
    await expect.poll(() => till.length, { timeout: 5_000 }).toBe(1)
    expect(tokens(till)).toEqual(world.sandbox.calls().map(({ usage }) => usage))
    expect(till[0]?.call).toMatchObject({ team: 'support', conversation: run.thread_id })
    const next = await afterCrash()
    expect(next.till).toEqual([])
  })

  it("is settled by its client's next look where the credential was the client's own", async () => {
    world = await startWorld({ sandbox: { outputTokens: 30 } })
    const run = await waitingRun(await world.client(null))
    const { gateway, till } = await afterCrash()
    const client = new OpenAI({ apiKey: 'sk-own', baseURL: `${gateway.url}/v1` })
    await submitTo(client, run)
    await expect.poll(() => world.sandbox.calls().length).toBe(1)
    expect(till).toEqual([])
    await settled(client, run)
    expect(tokens(till)).toEqual(world.sandbox.calls().map(({ usage }) => usage))
  })
})

/** A vendor of whom only the runs can be told what to say. */
const startVendor = async (answer: (method: string, path: string) => [number, object]): Promise<string> => {
  const server: Server = createServer((request, reply) => {
    request.resume()
    const [status, body] = answer(request.method ?? '', (request.url ?? '').split('?')[0] ?? '')
    reply.writeHead(status, { 'content-type': 'application/json' })
    reply.end(JSON.stringify(body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(async () => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
}

const second = 1_700_000_000
const runAs = (status: string, more: object = {}) => ({
  ...{ id: 'run_1', object: 'thread.run', created_at: second, thread_id: 'thread_1', assistant_id: 'asst_1' },
  ...{ status, model: 'gpt-4-1106-preview', instructions: '', tools: [], file_ids: [], started_at: second },
  ...more,
})

describe('a run of another vendor', () => {
  const limits = [{ name: 'all', measure: 'cost', cap: '10', window: { calendar: 'month', timeZone: 'UTC' } }]

  it('that is gone is let go: nobody can say what it used, so its most stays counted', async () => {
    const baseUrl = await startVendor((method, path) => {
      if (method === 'POST' && path === '/v1/threads/runs') return [200, runAs('queued')]
      if (path === '/v1/assistants/asst_1')
        return [200, { id: 'asst_1', model: 'gpt-4-1106-preview', tools: [] }]
      return [404, { error: { message: 'gone' } }]
    })
    world = await startWorld({ config: { providers: { openai: { baseUrl } }, limits } })
    const client = await world.client(null)
    await get(client, '/assistants/asst_1')
    await post(client, '/threads/runs', { assistant_id: 'asst_1', thread: { messages: [] } })
    expect(world.gateway.limits()[0]?.held).toBeGreaterThan(0n)
    await expect
      .poll(
        async () => {
          world.clock.advance(61_000)
          await world.gateway.sweep()
          return world.gateway.limits()[0]?.held
        },
        { timeout: 8_000, interval: 200 },
      )
      .toBe(0n)
    expect(world.gateway.limits()[0]?.unresolved).toBeGreaterThan(0n)
    expect(world.till).toEqual([])
  }, 15_000)

  it('that made files gives them to whoever began it, and to nobody else', async () => {
    const steps = {
      data: [
        {
          ...{ id: 'step_1', created_at: second, type: 'tool_calls' },
          step_details: {
            tool_calls: [
              {
                ...{ id: 'call_1', type: 'code_interpreter' },
                code_interpreter: {
                  input: 'plot()',
                  outputs: [{ type: 'image', image: { file_id: 'file-1' } }],
                },
              },
            ],
          },
        },
      ],
    }
    const tools = [{ type: 'code_interpreter' }]
    const baseUrl = await startVendor((method, path) => {
      if (method === 'POST' && path === '/v1/assistants')
        return [200, { id: 'asst_1', model: 'gpt-4', tools }]
      if (method === 'POST') return [200, runAs('queued', { tools })]
      if (path.endsWith('/messages')) return [200, { data: [], has_more: false }]
      if (path.endsWith('/steps')) return [200, steps]
      return [200, path.endsWith('/content') ? { plot: true } : runAs('completed', { tools })]
    })
    world = await startWorld({ config: { providers: { openai: { baseUrl, keyVariable: 'VENDOR_KEY' } } } })
    const [mine, theirs] = [await world.client('support'), await world.client('search')]
    await post(mine, '/assistants', { model: 'gpt-4' })
    await post(mine, '/threads/runs', { assistant_id: 'asst_1', thread: {} })
    await get(mine, '/threads/thread_1/runs/run_1')
    expect(await get(mine, '/files/file-1/content')).toEqual({ plot: true })
    await expect(get(theirs, '/files/file-1/content')).rejects.toThrow('No file found')
  })

  it('that reports what it used is booked as it reports, and its budgets bound what it can cost', async () => {
    const usage = { prompt_tokens: 900, completion_tokens: 40, total_tokens: 940 }
    const tools = [{ type: 'function', function: { name: 'look', parameters: { type: 'object' } } }]
    const baseUrl = await startVendor((method, path) => {
      if (method === 'POST') return [200, runAs('queued', { tools })]
      if (path.endsWith('/messages')) return [200, { data: [], has_more: false }]
      if (path.endsWith('/steps')) return [200, { data: [], has_more: false }]
      return [200, runAs('completed', { tools, usage })]
    })
    world = await startWorld({ config: { providers: { openai: { baseUrl } }, limits } })
    const client = await world.client(null)
    const asked = { assistant_id: 'asst_1', model: 'gpt-4-1106-preview', thread: {} }
    const unbounded = await post(client, '/threads/runs', asked).catch(String)
    expect(unbounded).toContain('nothing bounds what it costs')
    const { response } = await client
      .post('/threads/runs', { body: { ...asked, max_prompt_tokens: 1_000, max_completion_tokens: 100 } })
      .withResponse()
    // 1,000 x 0.01 / 1,000 + 100 x 0.03 / 1,000.
    expect(response.headers.get('octroi-quote-usd')).toBe('0.013')
    await expect.poll(() => world.till.length, { timeout: 5_000 }).toBe(1)
    expect(tokens(world.till)).toEqual([{ input_text_tokens: 900, output_text_tokens: 40 }])
    expect(world.till[0]?.settlement.basis).toBe('measured')
    expect(world.till[0]?.call.tags).toMatchObject({ assistant: 'asst_1' })
  })
})

describe('a response in the background that is gone', () => {
  const shown = (status: string) => ({
    ...{ id: 'resp_1', object: 'response', status, model: 'gpt-4o', background: true },
    ...{ output: [], tools: [], usage: null },
  })
  const limits = [{ name: 'all', measure: 'cost', cap: '10', window: { calendar: 'month', timeZone: 'UTC' } }]

  /** How a vendor is asked that answers so, one after the other, and the last one from then on. */
  const asked = async (statuses: readonly number[]): Promise<{ status: number; at: number }[]> => {
    const told: { status: number; at: number }[] = []
    const baseUrl = await startVendor((method) => {
      if (method === 'POST') return [200, shown('queued')]
      const status = statuses[Math.min(told.length, statuses.length - 1)] ?? 404
      told.push({ status, at: performance.now() })
      return [status, status === 200 ? shown('in_progress') : { error: { message: 'gone' } }]
    })
    world = await startWorld({
      at: '2026-11-25T12:00:00Z',
      config: { providers: { openai: { baseUrl, keyVariable: 'VENDOR_KEY' } }, limits },
      gateway: { rhythms: { job: { firstMs: 10, longestMs: 600_000, times: 2_016 } } },
    })
    const client = await world.client('search')
    await client.responses.create({
      ...{ model: 'gpt-4o', input: 'Moons?', background: true, max_output_tokens: 100 },
    })
    const free = async (): Promise<bigint | undefined> => {
      world.clock.advance(61_000)
      await world.gateway.sweep()
      return world.gateway.limits()[0]?.held
    }
    await expect.poll(free, { timeout: 12_000, interval: 100 }).toBe(0n)
    await new Promise((wait) => setTimeout(wait, 100))
    expect(world.gateway.limits()[0]?.unresolved).toBeGreaterThan(0n)
    expect(world.till).toEqual([])
    return told
  }

  it('is let go after three answers that say so, soon, however long it was there', async () => {
    const statuses = Array.from({ length: 11 }, () => 200)
    const told = await asked([...statuses, 404])
    expect(told.map(({ status }) => status)).toEqual([...statuses, 404, 404, 404])
    // The wait has grown to 10 x 1.5 ^ 11 = 865 ms, and would go on to 1.3 s and 1.9 s.
    expect((told[13]?.at ?? 0) - (told[11]?.at ?? 0)).toBeLessThan(1_500)
  }, 20_000)

  it('is let go as well where the vendor fails in between, but not where it was seen again', async () => {
    const told = await asked([404, 500, 404, 200, 404, 503, 404, 500, 404])
    expect(told.map(({ status }) => status)).toEqual([404, 500, 404, 200, 404, 503, 404, 500, 404])
  }, 20_000)
})
