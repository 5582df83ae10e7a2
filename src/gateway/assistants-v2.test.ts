import { readFileSync } from 'node:fs'
import type OpenAI from 'openai'
import { afterEach, describe, expect, it } from 'vitest'
import { startWorld, type TestWorld } from '../../test/support/world.ts'
import { capSaving } from '../reports/cap-note.ts'
import { messageOf } from '../sandbox/assistants.fixture.ts'
import { textOfTokens } from '../sandbox/replies.ts'

type Run = OpenAI.Beta.Threads.Run

let world: TestWorld
afterEach(async () => {
  expect(world.faults).toEqual([])
  await world.close()
})

const model = 'gpt-4o-2024-08-06'

const start = (options: Parameters<typeof startWorld>[0] = {}): Promise<TestWorld> =>
  startWorld({
    at: '2024-11-15T12:00:00Z',
    ...options,
    sandbox: { features: { assistants: 'v2' }, outputTokens: 200, hiddenTokens: true, ...options.sandbox },
  })

const over = async (client: OpenAI, { id, thread_id }: Run): Promise<Run> => {
  for (;;) {
    const run = await client.beta.threads.runs.retrieve(id, { thread_id })
    if (!['queued', 'in_progress', 'cancelling'].includes(run.status)) return run
    await new Promise((done) => setTimeout(done, 1))
  }
}

/** Turns of 50 tokens asked and 200 answered, on instructions of 1,000. */
const converse = async (client: OpenAI, { turns, more = {} }: { turns: number; more?: object }) => {
  const instructions = textOfTokens(1000, 'instructions')
  const assistant = await client.beta.assistants.create({ model, instructions })
  const thread = await client.beta.threads.create()
  const headers: (string | null)[] = []
  for (let turn = 1; turn <= turns; turn += 1) {
    await client.beta.threads.messages.create(thread.id, { role: 'user', content: textOfTokens(50, turn) })
    const { data, response } = await client.beta.threads.runs
      .create(thread.id, { assistant_id: assistant.id, ...more })
      .withResponse()
    headers.push(response.headers.get('octroi-history-cap'))
    await over(client, data)
  }
  return headers
}

/** The tokens the ledger has, run by run, and those the vendor billed. */
const ledgerTokens = () =>
  world.till.map(({ settlement }) =>
    Object.fromEntries(settlement.charges.map(({ meter, quantity }) => [meter, quantity])),
  )
const billedTokens = () =>
  world.sandbox
    .calls()
    .filter(({ model }) => model !== null)
    .map(({ usage }) => usage)

describe('a run of v2', () => {
  it('is measured by its usage, hidden tokens and all', async () => {
    world = await start()
    await converse(await world.client('support'), { turns: 3 })
    expect(ledgerTokens()).toEqual(billedTokens())
    expect(world.till.map(({ settlement }) => [settlement.basis, settlement.note])).toEqual([
      ['measured', null],
      ['measured', null],
      ['measured', null],
    ])
    expect(world.till[2]?.settlement.resent?.tokens).toBe(500)
  })

  it('with tools is bounded by the budgets of its request, where a cost limit refuses one without', async () => {
    const limits = [{ name: 'all', measure: 'cost', cap: '10', window: { calendar: 'month' } }]
    world = await start({ config: { limits } })
    const client = await world.client('support')
    const assistant = await client.beta.assistants.create({ model, tools: [{ type: 'code_interpreter' }] })
    const thread = await client.beta.threads.create({ messages: [{ role: 'user', content: '[code]' }] })
    const ask = (more: object) =>
      client.beta.threads.runs.create(thread.id, { assistant_id: assistant.id, ...more })
    expect(await messageOf(ask({}))).toContain('400')
    const { data, response } = await client.beta.threads.runs
      .create(thread.id, {
        assistant_id: assistant.id,
        max_prompt_tokens: 2000,
        max_completion_tokens: 1000,
      })
      .withResponse()
    // 2,000 at 2.50 and 1,000 at 10 a million.
    expect(response.headers.get('octroi-quote-usd')).toBe('0.015')
    expect((await over(client, data)).status).toBe('completed')
    expect(ledgerTokens()).toEqual(billedTokens())
  })

  it('that its budget ends is billed for what it did, and the note says so', async () => {
    world = await start({ sandbox: { outputTokens: 400 } })
    await converse(await world.client('support'), { turns: 1, more: { max_completion_tokens: 256 } })
    expect(ledgerTokens()).toEqual(billedTokens())
    expect(world.till[0]?.settlement).toMatchObject({ basis: 'measured', note: 'run incomplete' })
  })
})

describe('a streamed run', () => {
  const stream = async (client: OpenAI, content: string) => {
    const assistant = await client.beta.assistants.create({
      model,
      tools: [{ type: 'function', function: { name: 'weather' } }],
    })
    return client.beta.threads.createAndRunStream({
      assistant_id: assistant.id,
      thread: { messages: [{ role: 'user', content }] },
    })
  }

  it('passes on as it came, and is settled before its last event', async () => {
    world = await start()
    const client = await world.client('support')
    const streamed = await stream(client, 'Hello [answer]')
    const events: string[] = []
    for await (const { event } of streamed) {
      events.push(event)
      if (event === 'thread.run.completed') expect(world.till).toHaveLength(1)
    }
    expect([events[0], events.at(-1)]).toEqual(['thread.created', 'thread.run.completed'])
    expect(ledgerTokens()).toEqual(billedTokens())
    expect(world.till[0]?.settlement.basis).toBe('measured')
    const run = await streamed.finalRun()
    // The thread and the run are the key's own, and no other's.
    expect((await client.beta.threads.retrieve(run.thread_id)).id).toBe(run.thread_id)
    const other = await world.client('search')
    expect(await messageOf(other.beta.threads.retrieve(run.thread_id))).toContain('404')
  })

  it('that waits for its client goes on in the stream of the outputs, and is one charge', async () => {
    world = await start()
    const client = await world.client('support')
    const first = await stream(client, '[call weather]')
    await first.done()
    const run = first.currentRun()
    expect(run?.status).toBe('requires_action')
    expect(world.till).toEqual([])
    const second = client.beta.threads.runs.submitToolOutputsStream(run?.id ?? '', {
      thread_id: run?.thread_id ?? '',
      tool_outputs: (run?.required_action?.submit_tool_outputs.tool_calls ?? []).map(({ id }) => ({
        tool_call_id: id,
        output: 'sunny',
      })),
    })
    expect((await second.finalRun()).status).toBe('completed')
    expect(ledgerTokens()).toEqual(billedTokens())
    expect(world.till).toHaveLength(1)
  })

  it('that the vendor cuts is never ended cleanly, and is measured when the run has ended', async () => {
    world = await start()
    world.sandbox.faults.add({ kind: 'cut', endpoint: 'runs', chunks: 4 })
    const client = await world.client('support')
    const streamed = await stream(client, 'Hello [answer]')
    await expect(streamed.finalRun()).rejects.toThrow()
    for (let waits = 0; world.till.length === 0 && waits < 400; waits += 1) {
      await new Promise((done) => setTimeout(done, 10))
    }
    expect(ledgerTokens()).toEqual(billedTokens())
    expect(world.till[0]?.settlement.basis).toBe('measured')
  })
})

describe('a cap on history', () => {
  const capped = (cap: object) => start({ config: { historyCaps: [cap] }, sandbox: { hiddenTokens: false } })

  it('is put where the client set none, is told, and its saving is in the settlement', async () => {
    world = await capped({ lastMessages: 1 })
    const headers = await converse(await world.client('support'), { turns: 4 })
    expect(headers).toEqual(['last_messages=1', 'last_messages=1', 'last_messages=1', 'last_messages=1'])
    expect(ledgerTokens().map((tokens) => tokens['input_text_tokens'])).toEqual([1050, 1050, 1050, 1050])
    const last = world.till[3]
    expect(last?.settlement.note).toBe('history cap last_messages=1; uncapped 1800 input tokens')
    expect(last?.call.tags).toMatchObject({ history_cap: 'last_messages=1' })
    expect(last?.settlement.resent).toBeNull()
    const { note = null, charges = [] } = last?.settlement ?? {}
    // 750 tokens of history at 2.50 a million.
    expect(capSaving(note, charges)).toEqual({
      cap: 'last_messages=1',
      tokens: 750,
      amount: 1_875_000_000n,
    })
  })

  it('leaves what the client says itself, and everybody whom it is not for', async () => {
    world = await capped({ match: { team: 'support' }, lastMessages: 1, promptTokens: 4000 })
    const own = { truncation_strategy: { type: 'last_messages', last_messages: 3 } }
    const headers = await converse(await world.client('support'), { turns: 1, more: own })
    expect(headers).toEqual(['prompt_tokens=4000'])
    expect(await converse(await world.client('search'), { turns: 1 })).toEqual([null])
  })

  it('bounds a run with tools, so that a cost limit takes it', async () => {
    const limits = [{ name: 'all', measure: 'cost', cap: '10', window: { calendar: 'month' } }]
    world = await start({ config: { limits, historyCaps: [{ promptTokens: 2000 }] } })
    const client = await world.client('support')
    const assistant = await client.beta.assistants.create({ model, tools: [{ type: 'code_interpreter' }] })
    const run = await client.beta.threads.createAndRun({
      assistant_id: assistant.id,
      thread: { messages: [{ role: 'user', content: '[code]' }] },
      max_completion_tokens: 1000,
    })
    expect(run.max_prompt_tokens).toBe(2000)
    expect((await over(client, run)).status).toBe('completed')
  })

  it('of a response is the truncation that its wire has', async () => {
    const models = JSON.parse(
      readFileSync(new URL('../../prices/models/openai.json', import.meta.url), 'utf8'),
    )
    world = await startWorld({
      at: '2026-11-25T12:00:00Z',
      config: { historyCaps: [{ truncation: 'auto', lastMessages: 4 }] },
      sandbox: { profile: 'now', models: [models] },
    })
    const client = await world.client('support')
    const ask = { model: 'gpt-6.2-sol', input: 'Hello' }
    const { data, response } = await client.responses.create(ask).withResponse()
    expect([data.truncation, response.headers.get('octroi-history-cap')]).toEqual(['auto', 'truncation=auto'])
    const own = await client.responses.create({ ...ask, truncation: 'disabled' }).withResponse()
    expect([own.data.truncation, own.response.headers.get('octroi-history-cap')]).toEqual(['disabled', null])
    expect(world.till.map(({ call }) => call.tags['history_cap'])).toEqual(['truncation=auto', undefined])
  })

  it('changes nothing of v1, which has no field for it', async () => {
    world = await start({ config: { historyCaps: [{ lastMessages: 1 }] }, sandbox: { features: {} } })
    const client = await world.client('support')
    const headers = { 'OpenAI-Beta': 'assistants=v1' }
    const assistant = await client.post<{ id: string }>('/assistants', { body: { model: 'gpt-4' }, headers })
    const reply = await client
      .post('/threads/runs', { body: { assistant_id: assistant.id }, headers })
      .withResponse()
    expect(reply.response.headers.get('octroi-history-cap')).toBeNull()
  })
})
