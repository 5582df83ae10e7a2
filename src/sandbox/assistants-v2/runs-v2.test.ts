import type OpenAI from 'openai'
import { describe, expect, it } from 'vitest'
import { messageOf } from '../assistants.fixture.ts'
import { textOfTokens } from '../replies.ts'
import { openV2, uploadText } from './sandbox-v2.fixture.ts'

type Run = OpenAI.Beta.Threads.Run

const model = 'gpt-4o-2024-08-06'
const instructions = textOfTokens(1000, 'instructions')

/** An assistant, and a thread of turns of 50 tokens asked and 200 answered. */
const converse = async (client: OpenAI, { turns, more = {} }: { turns: number; more?: object }) => {
  const assistant = await client.beta.assistants.create({ model, instructions })
  const thread = await client.beta.threads.create()
  const runs: Run[] = []
  for (let turn = 1; turn <= turns; turn += 1) {
    await client.beta.threads.messages.create(thread.id, { role: 'user', content: textOfTokens(50, turn) })
    const run = await client.beta.threads.runs.create(thread.id, { assistant_id: assistant.id, ...more })
    runs.push(await over(client, run))
  }
  return runs
}

const over = async (client: OpenAI, { id, thread_id }: Run): Promise<Run> => {
  for (;;) {
    const run = await client.beta.threads.runs.retrieve(id, { thread_id })
    if (!['queued', 'in_progress', 'cancelling'].includes(run.status)) return run
    await new Promise((done) => setTimeout(done, 1))
  }
}

const runAndWait = async (
  client: OpenAI,
  body: OpenAI.Beta.Threads.ThreadCreateAndRunParamsNonStreaming,
): Promise<Run> => over(client, await client.beta.threads.createAndRun(body))

const inputOf = (runs: readonly Run[]): readonly (number | undefined)[] =>
  runs.map(({ usage }) => usage?.prompt_tokens)

describe('usage', () => {
  it('is null until a run is over, and then what the books have', async () => {
    const { sandbox, client } = await openV2({ outputTokens: 200 })
    const assistant = await client.beta.assistants.create({ model, instructions })
    const created = await client.beta.threads.createAndRun({
      assistant_id: assistant.id,
      thread: { messages: [{ role: 'user', content: textOfTokens(50, 1) }] },
    })
    expect(created).toMatchObject({ status: 'queued', usage: null })
    expect(created).not.toHaveProperty('file_ids')
    expect(created).not.toHaveProperty('v2')
    const run = await over(client, created)
    const usage = { prompt_tokens: 1050, completion_tokens: 200, total_tokens: 1250 }
    expect(run).toMatchObject({ status: 'completed', usage, incomplete_details: null })
    const steps = await client.beta.threads.runs.steps.list(run.id, { thread_id: run.thread_id })
    expect(steps.data.map((step) => step.usage)).toEqual([usage])
    // 1,050 at 2.50 and 200 at 10 a million.
    expect(sandbox.total()).toMatchObject({ amount: '0.004625', unpriced: [] })
  })

  it('of twenty turns sums to the 68,500 tokens that v1 hid', async () => {
    const { client } = await openV2({ outputTokens: 200 })
    const input = inputOf(await converse(client, { turns: 20 }))
    expect(input.slice(0, 3)).toEqual([1050, 1300, 1550])
    expect(input.reduce((sum: number, each) => sum + (each ?? 0), 0)).toBe(68_500)
  })

  it('is that of all model calls of a run, and each step has its own', async () => {
    const { client } = await openV2({ outputTokens: 30 })
    const assistant = await client.beta.assistants.create({ model, tools: [{ type: 'code_interpreter' }] })
    const run = await runAndWait(client, {
      assistant_id: assistant.id,
      thread: { messages: [{ role: 'user', content: 'Add these up. [code]' }] },
    })
    const { data } = await client.beta.threads.runs.steps.list(run.id, {
      thread_id: run.thread_id,
      order: 'asc',
    })
    expect(data.map(({ type }) => type)).toEqual(['tool_calls', 'message_creation'])
    const summed = data.reduce((sum, { usage }) => sum + (usage?.prompt_tokens ?? 0), 0)
    expect(run.usage?.prompt_tokens).toBe(summed)
    expect(data[1]?.usage?.completion_tokens).toBe(30)
  })
})

describe('what is sent again', () => {
  it('is cut to the last messages that the request says', async () => {
    const { client } = await openV2({ outputTokens: 200 })
    const truncation_strategy = { type: 'last_messages', last_messages: 1 }
    const runs = await converse(client, { turns: 4, more: { truncation_strategy } })
    expect(inputOf(runs)).toEqual([1050, 1050, 1050, 1050])
    expect(runs[0]?.truncation_strategy).toEqual(truncation_strategy)
  })

  it('is cut to the prompt tokens of the run, whole messages at a time', async () => {
    const { client } = await openV2({ outputTokens: 200 })
    const runs = await converse(client, { turns: 4, more: { max_prompt_tokens: 1400 } })
    // The fourth turn has 1,800: with the newest question fits the answer before it, and its question.
    expect(inputOf(runs)).toEqual([1050, 1300, 1300, 1300])
  })

  it('is nothing when not even the newest message fits: the run is incomplete', async () => {
    const { sandbox, client } = await openV2()
    const [run] = await converse(client, { turns: 1, more: { max_prompt_tokens: 600 } })
    expect(run).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason: 'max_prompt_tokens' },
      usage: { total_tokens: 0 },
    })
    expect(sandbox.calls()).toEqual([])
  })
})

describe('the tokens a run may use', () => {
  it('end its answer, and the run is incomplete', async () => {
    const { client } = await openV2({ outputTokens: 400, hiddenTokens: true })
    const [run] = await converse(client, { turns: 1, more: { max_completion_tokens: 256 } })
    expect(run).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason: 'max_completion_tokens' },
      usage: { completion_tokens: 256 },
    })
    const { data } = await client.beta.threads.messages.list(run?.thread_id ?? '')
    expect(data[0]).toMatchObject({ status: 'incomplete', incomplete_details: { reason: 'max_tokens' } })
  })

  it('are those of all its model calls together, as the documented 500 are 200 and 300', async () => {
    const { client } = await openV2({ outputTokens: 20 })
    const assistant = await client.beta.assistants.create({
      model,
      instructions: textOfTokens(200, 'instructions'),
      tools: [{ type: 'code_interpreter' }],
    })
    const ask = (most: number) =>
      runAndWait(client, {
        assistant_id: assistant.id,
        thread: { messages: [{ role: 'user', content: '[code]' }] },
        max_prompt_tokens: most,
      })
    const enough = await ask(600)
    expect(enough.status).toBe('completed')
    const [first, second] = [202, (enough.usage?.prompt_tokens ?? 0) - 202]
    expect(second).toBeGreaterThan(first)
    const short = await ask(first + second - 1)
    expect(short).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason: 'max_prompt_tokens' },
      usage: { prompt_tokens: first },
    })
  })

  it('are refused below 256', async () => {
    const { client } = await openV2()
    const assistant = await client.beta.assistants.create({ model })
    const thread = await client.beta.threads.create()
    const short = { assistant_id: assistant.id, max_prompt_tokens: 100 }
    expect(await messageOf(client.beta.threads.runs.create(thread.id, short))).toBe(
      "400 Invalid 'max_prompt_tokens': value below minimum. Expected a value >= 256, but got 100 instead.",
    )
  })
})

describe('the choice of a tool', () => {
  const setUp = async (client: OpenAI, choice: object) => {
    const assistant = await client.beta.assistants.create({
      model,
      tools: [{ type: 'code_interpreter' }, { type: 'function', function: { name: 'weather' } }],
    })
    const run = await client.beta.threads.createAndRun({
      assistant_id: assistant.id,
      thread: { messages: [{ role: 'user', content: '[call weather] [call weather]' }] },
      ...choice,
    })
    return over(client, run)
  }

  it('none answers at once', async () => {
    const { client } = await openV2()
    expect(await setUp(client, { tool_choice: 'none' })).toMatchObject({ status: 'completed' })
  })

  it('a named one comes first', async () => {
    const { client } = await openV2()
    const run = await setUp(client, { tool_choice: { type: 'code_interpreter' } })
    const { data } = await client.beta.threads.runs.steps.list(run.id, {
      thread_id: run.thread_id,
      order: 'asc',
    })
    expect(data[0]?.step_details).toMatchObject({ tool_calls: [{ type: 'code_interpreter' }] })
  })

  it('lets calls stand side by side unless they may not', async () => {
    const { client } = await openV2()
    const callsOf = ({ required_action }: Run) => required_action?.submit_tool_outputs.tool_calls.length
    expect(callsOf(await setUp(client, {}))).toBe(2)
    expect(callsOf(await setUp(client, { parallel_tool_calls: false }))).toBe(1)
  })
})

it('answers in JSON of the schema that is asked for', async () => {
  const { sandbox, client } = await openV2()
  const assistant = await client.beta.assistants.create({ model })
  const schema = { type: 'object', properties: { city: { enum: ['Rome'] }, degrees: { type: 'integer' } } }
  const run = await runAndWait(client, {
    assistant_id: assistant.id,
    thread: { messages: [{ role: 'user', content: 'The weather?' }] },
    response_format: { type: 'json_schema', json_schema: { name: 'weather', schema } },
    temperature: 0.5,
  })
  expect(run).toMatchObject({ status: 'completed', temperature: 0.5 })
  const [message] = (await client.beta.threads.messages.list(run.thread_id)).data
  const [part] = message?.content ?? []
  const text = part?.type === 'text' ? part.text.value : ''
  expect(JSON.parse(text)).toEqual({ city: 'Rome', degrees: expect.any(Number) })
  expect(sandbox.calls()[0]?.usage['output_text_tokens']).toBe(run.usage?.completion_tokens)
})

describe('a streamed run', () => {
  const ask = async (client: OpenAI, content: string) => {
    const assistant = await client.beta.assistants.create({
      model,
      tools: [{ type: 'function', function: { name: 'weather' } }],
    })
    const stream = client.beta.threads.createAndRunStream({
      assistant_id: assistant.id,
      thread: { messages: [{ role: 'user', content }] },
    })
    const events: string[] = []
    for await (const { event } of stream) events.push(event)
    return { stream, events }
  }

  it('tells of the thread, the run, its steps and every word, and of the usage at its end', async () => {
    const { sandbox, client } = await openV2({ outputTokens: 5 })
    const { stream, events } = await ask(client, 'Hello. [answer]')
    expect(events).toEqual([
      'thread.created',
      'thread.run.created',
      'thread.run.queued',
      'thread.run.in_progress',
      'thread.run.step.created',
      'thread.run.step.in_progress',
      'thread.message.created',
      'thread.message.in_progress',
      ...Array.from({ length: events.length - 11 }, () => 'thread.message.delta'),
      'thread.message.completed',
      'thread.run.step.completed',
      'thread.run.completed',
    ])
    expect(events.filter((event) => event === 'thread.message.delta').length).toBeGreaterThan(1)
    const run = await stream.finalRun()
    expect(run.usage?.completion_tokens).toBe(5)
    const [message] = await stream.finalMessages()
    const stored = await client.beta.threads.messages.list(run.thread_id)
    expect(message?.content).toEqual(stored.data[0]?.content)
    expect(sandbox.calls()).toHaveLength(1)
  })

  it('stops where it waits for its client, and goes on in a second stream', async () => {
    const { client } = await openV2({ outputTokens: 5 })
    const { stream, events } = await ask(client, '[call weather]')
    expect(events.slice(-2)).toEqual(['thread.run.step.delta', 'thread.run.requires_action'])
    const run = stream.currentRun()
    const calls = run?.required_action?.submit_tool_outputs.tool_calls ?? []
    const second = client.beta.threads.runs.submitToolOutputsStream(run?.id ?? '', {
      thread_id: run?.thread_id ?? '',
      tool_outputs: calls.map(({ id }) => ({ tool_call_id: id, output: 'sunny' })),
    })
    const more: string[] = []
    for await (const { event } of second) more.push(event)
    expect(more.slice(0, 4)).toEqual([
      'thread.run.step.completed',
      'thread.run.queued',
      'thread.run.in_progress',
      'thread.run.step.created',
    ])
    expect(more.at(-1)).toBe('thread.run.completed')
    expect((await second.finalRun()).usage?.prompt_tokens).toBeGreaterThan(0)
  })

  it('goes on and is billed when its reader goes', async () => {
    const { sandbox, client } = await openV2({ outputTokens: 5, runMs: 40 })
    const assistant = await client.beta.assistants.create({ model })
    const thread = await client.beta.threads.create({ messages: [{ role: 'user', content: 'Hello' }] })
    const stream = await client.beta.threads.runs.create(thread.id, {
      assistant_id: assistant.id,
      stream: true,
    })
    for await (const { event } of stream) if (event === 'thread.run.queued') break
    const [run] = (await client.beta.threads.runs.list(thread.id)).data
    if (run !== undefined) expect((await over(client, run)).status).toBe('completed')
    expect(sandbox.calls()).toHaveLength(1)
  })

  it('tells of a run that fails', async () => {
    const { client } = await openV2()
    const { events } = await ask(client, '[fail]')
    expect(events.at(-1)).toBe('thread.run.failed')
  })
})

describe('file search', () => {
  const searching = async (
    client: OpenAI,
    { tokens, ...tool }: { tokens: number; max_num_results?: number },
  ) => {
    const file = await uploadText(client, textOfTokens(tokens, 'facts'))
    const assistant = await client.beta.assistants.create({
      model,
      tools: [{ type: 'file_search', file_search: tool }],
      tool_resources: { file_search: { vector_stores: [{ file_ids: [file] }] } },
    })
    const run = await runAndWait(client, {
      assistant_id: assistant.id,
      thread: { messages: [{ role: 'user', content: '[retrieve]' }] },
    })
    const { data } = await client.beta.threads.runs.steps.list(run.id, {
      thread_id: run.thread_id,
      order: 'asc',
    })
    return data.map(({ usage }) => usage?.prompt_tokens)
  }

  it('adds 20 chunks of 800 tokens to what the model reads next', async () => {
    const { client } = await openV2()
    const [before = 0, after] = await searching(client, { tokens: 12_000 })
    expect(after).toBe(before + 16_000)
  })

  it('adds as many chunks as the tool says, and no more than there are', async () => {
    const { client } = await openV2()
    const [few = 0, five] = await searching(client, { tokens: 12_000, max_num_results: 5 })
    expect(five).toBe(few + 4000)
    // 1,000 tokens are a chunk of 800 and one of 600, of which 400 were in the first.
    const [short = 0, both] = await searching(client, { tokens: 1000 })
    expect(both).toBe(short + 1400)
  })

  it('fails a run whose store has expired', async () => {
    const { client, clock } = await openV2()
    const store = await client.vectorStores.create({ expires_after: { anchor: 'last_active_at', days: 1 } })
    const assistant = await client.beta.assistants.create({
      model,
      tools: [{ type: 'file_search' }],
      tool_resources: { file_search: { vector_store_ids: [store.id] } },
    })
    clock.advance(86_400_000)
    const run = await runAndWait(client, { assistant_id: assistant.id })
    expect(run).toMatchObject({
      status: 'failed',
      last_error: { message: `Vector store ${store.id} is expired.` },
    })
  })
})

describe('what v2 refuses', () => {
  it('is another header, what only v1 had, and tools of v1', async () => {
    const { sandbox, client } = await openV2()
    const headers = { authorization: 'Bearer sk-test', 'openai-beta': 'assistants=v1' }
    const reply = await fetch(`${sandbox.baseUrl}/assistants`, { headers })
    expect(await reply.text()).toContain("setting the header 'OpenAI-Beta: assistants=v2'.")
    const create = (body: object) => messageOf(client.beta.assistants.create({ model, ...body }))
    expect(await create({ file_ids: [] })).toBe("400 Unknown parameter: 'file_ids'.")
    expect(await create({ tools: [{ type: 'retrieval' }] })).toBe(
      "400 Invalid value: 'retrieval'. Supported values are: 'code_interpreter', 'function', and 'file_search'.",
    )
    expect(await create({ model: undefined })).toBe("400 Missing required parameter: 'model'.")
    expect(await create({ temperature: 3 })).toContain('Expected a value <= 2')
    expect(await create({ tool_resources: { file_search: { vector_store_ids: ['vs_none'] } } })).toBe(
      "404 No vector store found with id 'vs_none'.",
    )
    const thread = await client.beta.threads.create()
    const picture = { type: 'image_url' as const, image_url: { url: 'https://example.test/a.png' } }
    expect(
      await messageOf(client.beta.threads.messages.create(thread.id, { role: 'user', content: [picture] })),
    ).toContain('does not play pictures')
  })

  it('leaves nothing behind: a store of a refused assistant is not made', async () => {
    const { client } = await openV2()
    const search = { file_search: { vector_stores: [{ file_ids: [] }] } }
    const refused = client.beta.assistants.create({ model: 'gpt-none', tool_resources: search })
    expect(await messageOf(refused)).toContain('does not exist')
    expect((await client.vectorStores.list()).data).toEqual([])
  })
})
