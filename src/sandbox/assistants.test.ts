import OpenAI from 'openai'
import { describe, expect, it } from 'vitest'
import { manualClock } from '../time.ts'
import { textOfTokens } from './replies.ts'
import { noon, openSandbox } from './sandbox.fixture.ts'

const poll = { pollIntervalMs: 2 }

const say = (client: OpenAI, thread: string, content: string) =>
  client.beta.threads.messages.create(thread, { role: 'user', content })

const open = async (client: OpenAI, instructions = 'Answer.') => {
  const assistant = await client.beta.assistants.create({ model: 'gpt-4-1106-preview', instructions })
  const thread = await client.beta.threads.create({})
  return { assistant_id: assistant.id, thread: thread.id }
}

const messageOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'no refusal',
    (error: unknown) => (error instanceof OpenAI.APIError ? error.message : String(error)),
  )

describe("the article's conversation", () => {
  it('bills 68,500 in and 4,000 out over 20 turns: 0.805 dollars', async () => {
    const { sandbox, client } = await openSandbox({ outputTokens: 200 })
    const { assistant_id, thread } = await open(client, textOfTokens(1000, 'instructions'))
    for (let turn = 0; turn < 20; turn++) {
      await say(client, thread, textOfTokens(50, `question ${turn}`))
      const run = await client.beta.threads.runs.createAndPoll(thread, { assistant_id }, poll)
      expect(run.status).toBe('completed')
    }
    const inputs = sandbox.calls().map(({ usage }) => usage.input_text_tokens)
    expect(inputs).toEqual(Array.from({ length: 20 }, (_, turn) => 1050 + 250 * turn))
    expect(inputs.at(-1)).toBe(5800)
    expect(sandbox.books()).toEqual([
      {
        model: 'gpt-4-1106-preview',
        meter: 'input_text_tokens',
        calls: 20,
        quantity: 68_500,
        amount: '0.685',
        currency: 'USD',
      },
      {
        model: 'gpt-4-1106-preview',
        meter: 'output_text_tokens',
        calls: 20,
        quantity: 4000,
        amount: '0.12',
        currency: 'USD',
      },
    ])
    expect(sandbox.total()).toEqual({ calls: 20, amount: '0.805', currency: 'USD', unpriced: [] })
  })
})

describe('a run', () => {
  it('is queued, then completed, and says nothing of what it used', async () => {
    const { client } = await openSandbox()
    const { assistant_id, thread } = await open(client)
    await say(client, thread, 'Hello')
    const queued = await client.beta.threads.runs.create(thread, { assistant_id })
    expect(queued).toMatchObject({
      object: 'thread.run',
      status: 'queued',
      created_at: noon / 1000,
      expires_at: noon / 1000 + 600,
      started_at: null,
      instructions: 'Answer.',
      file_ids: [],
      last_error: null,
    })
    const done = await client.beta.threads.runs.poll(queued.id, { thread_id: thread }, poll)
    expect(done).toMatchObject({ status: 'completed', completed_at: noon / 1000, expires_at: null })
    expect('usage' in done).toBe(false)
  })

  it('appends the reply, and a step that made it', async () => {
    const { client } = await openSandbox()
    const { assistant_id, thread } = await open(client)
    await say(client, thread, 'Hello')
    const run = await client.beta.threads.runs.createAndPoll(thread, { assistant_id }, poll)
    const [reply, question] = (await client.beta.threads.messages.list(thread)).data
    expect(reply).toMatchObject({ role: 'assistant', run_id: run.id, assistant_id })
    expect(question).toMatchObject({ role: 'user', run_id: null, assistant_id: null })
    const steps = await client.beta.threads.runs.steps.list(run.id, { thread_id: thread })
    expect(steps.data).toMatchObject([
      {
        object: 'thread.run.step',
        type: 'message_creation',
        status: 'completed',
        step_details: { message_creation: { message_id: reply?.id } },
      },
    ])
    const [step] = steps.data
    const again = await client.beta.threads.runs.steps.retrieve(step?.id ?? '', {
      thread_id: thread,
      run_id: run.id,
    })
    expect(again).toEqual(step)
  })

  it('takes its own model and instructions before those of the assistant', async () => {
    const { sandbox, client } = await openSandbox({ outputTokens: 10 })
    const { assistant_id, thread } = await open(client)
    await say(client, thread, textOfTokens(50, 1))
    const own = { assistant_id, model: 'gpt-4', instructions: textOfTokens(30, 2) }
    const run = await client.beta.threads.runs.createAndPoll(thread, own, poll)
    expect(run.model).toBe('gpt-4')
    expect(sandbox.calls()).toMatchObject([
      { id: run.id, model: 'gpt-4', usage: { input_text_tokens: 80, output_text_tokens: 10 } },
    ])
    expect(sandbox.total().amount).toBe('0.003')
  })

  it('can be created with its thread', async () => {
    const { sandbox, client } = await openSandbox({ outputTokens: 10 })
    const { assistant_id } = await open(client, textOfTokens(100, 1))
    const messages = [{ role: 'user' as const, content: textOfTokens(20, 2) }]
    const run = await client.beta.threads.createAndRunPoll({ assistant_id, thread: { messages } }, poll)
    expect(run.status).toBe('completed')
    expect(sandbox.calls()[0]?.usage).toEqual({ input_text_tokens: 120, output_text_tokens: 10 })
  })

  it('locks its thread, which says so in the words of the vendor', async () => {
    const { client } = await openSandbox({ runMs: 60_000 })
    const { assistant_id, thread } = await open(client)
    await say(client, thread, 'Hello')
    const run = await client.beta.threads.runs.create(thread, { assistant_id })
    expect(await messageOf(say(client, thread, 'More'))).toBe(
      `400 Can't add messages to ${thread} while a run ${run.id} is active.`,
    )
    expect(await messageOf(client.beta.threads.runs.create(thread, { assistant_id }))).toBe(
      `400 Thread ${thread} already has an active run ${run.id}.`,
    )
  })

  it('bills nothing when it is cancelled before it completed', async () => {
    const { sandbox, client } = await openSandbox({ runMs: 60_000 })
    const { assistant_id, thread } = await open(client)
    await say(client, thread, 'Hello')
    const run = await client.beta.threads.runs.create(thread, { assistant_id })
    const cancelling = await client.beta.threads.runs.cancel(run.id, { thread_id: thread })
    expect(cancelling.status).toBe('cancelling')
    const ended = await client.beta.threads.runs.poll(run.id, { thread_id: thread }, poll)
    expect(ended).toMatchObject({ status: 'cancelled', cancelled_at: noon / 1000, completed_at: null })
    expect(await messageOf(client.beta.threads.runs.cancel(run.id, { thread_id: thread }))).toBe(
      "400 Cannot cancel run with status 'cancelled'.",
    )
    await say(client, thread, 'The thread is free again')
    expect(sandbox.calls()).toEqual([])
  })

  it('expires after ten minutes of the clock, and bills nothing', async () => {
    const clock = manualClock(noon)
    const { sandbox, client } = await openSandbox({ clock, runMs: 60_000 })
    const { assistant_id, thread } = await open(client)
    const run = await client.beta.threads.runs.create(thread, { assistant_id })
    clock.advance(599_000)
    const retrieve = () => client.beta.threads.runs.retrieve(run.id, { thread_id: thread })
    expect((await retrieve()).status).toBe('queued')
    clock.advance(1_000)
    expect((await retrieve()).status).toBe('expired')
    await say(client, thread, 'The thread is free again')
    expect(sandbox.calls()).toEqual([])
  })

  it('fails when it is told to, with an error and no bill', async () => {
    const { sandbox, client } = await openSandbox()
    const { assistant_id, thread } = await open(client)
    sandbox.faults.add({ kind: 'run-failed' })
    const run = await client.beta.threads.runs.createAndPoll(thread, { assistant_id }, poll)
    expect(run).toMatchObject({ status: 'failed', last_error: { code: 'server_error' } })
    expect(sandbox.calls()).toEqual([])
  })

  it('leaves out the oldest messages, whole, when the window is full', async () => {
    const { sandbox, client } = await openSandbox({ outputTokens: 10 })
    const assistant = await client.beta.assistants.create({
      model: 'gpt-3.5-turbo',
      instructions: textOfTokens(100, 0),
    })
    const contents = [2000, 1500, 700].map((tokens) => textOfTokens(tokens, tokens))
    const messages = contents.map((content) => ({ role: 'user' as const, content }))
    const run = { assistant_id: assistant.id, thread: { messages } }
    await client.beta.threads.createAndRunPoll(run, poll)
    // The window is 4,097; a quarter of it, 1,024, is kept for the reply. 2,000 do not fit, 100 + 2,200 do.
    expect(sandbox.calls()[0]?.usage).toEqual({ input_text_tokens: 2300, output_text_tokens: 10 })
  })

  it('bills hidden tokens that nothing tells when it hides some', async () => {
    const { sandbox, client } = await openSandbox({ outputTokens: 10, hiddenTokens: true })
    const { assistant_id, thread } = await open(client, textOfTokens(100, 0))
    await client.beta.threads.runs.createAndPoll(thread, { assistant_id }, poll)
    const usage = sandbox.calls()[0]?.usage
    expect(usage?.input_text_tokens).toBeGreaterThanOrEqual(108)
    expect(usage?.input_text_tokens).toBeLessThanOrEqual(164)
  })

  it('goes with its thread', async () => {
    const { sandbox, client } = await openSandbox({ runMs: 20 })
    const { assistant_id, thread } = await open(client)
    const run = await client.beta.threads.runs.create(thread, { assistant_id })
    expect(await client.beta.threads.delete(thread)).toEqual({
      id: thread,
      object: 'thread.deleted',
      deleted: true,
    })
    expect(await messageOf(client.beta.threads.runs.retrieve(run.id, { thread_id: thread }))).toBe(
      `404 No thread found with id '${thread}'.`,
    )
    await new Promise((done) => setTimeout(done, 40))
    expect(sandbox.calls()).toEqual([])
  })

  it('asked for no tool outputs', async () => {
    const { client } = await openSandbox()
    const { assistant_id, thread } = await open(client)
    const run = await client.beta.threads.runs.createAndPoll(thread, { assistant_id }, poll)
    const given = client.beta.threads.runs.submitToolOutputs(run.id, { thread_id: thread, tool_outputs: [] })
    expect(await messageOf(given)).toBe('400 Runs in status "completed" do not accept tool outputs.')
  })
})

describe('an assistant', () => {
  it('is created, changed, listed and deleted', async () => {
    const { client } = await openSandbox()
    const { id, ...made } = await client.beta.assistants.create({
      model: 'gpt-4',
      metadata: { team: 'search' },
    })
    expect(id).toMatch(/^asst_[0-9A-Za-z]{24}$/)
    expect(made).toEqual({
      object: 'assistant',
      created_at: noon / 1000,
      name: null,
      description: null,
      model: 'gpt-4',
      instructions: null,
      tools: [],
      file_ids: [],
      metadata: { team: 'search' },
    })
    const renamed = await client.beta.assistants.update(id, { name: 'Ada' })
    expect(renamed).toMatchObject({ name: 'Ada', model: 'gpt-4', metadata: { team: 'search' } })
    expect((await client.beta.assistants.list()).data).toEqual([renamed])
    expect(await client.beta.assistants.delete(id)).toEqual({
      id,
      object: 'assistant.deleted',
      deleted: true,
    })
    expect(await messageOf(client.beta.assistants.retrieve(id))).toBe(
      `404 No assistant found with id '${id}'.`,
    )
  })

  const refused: readonly [string, object, string][] = [
    ['an unknown model', { model: 'gpt-9' }, "400 The requested model 'gpt-9' does not exist."],
    ['no model', {}, '400 you must provide a model parameter'],
    [
      'fields of later years',
      { model: 'gpt-4', temperature: 1 },
      '400 1 validation error for Request\nbody -> temperature\n  extra fields not permitted (type=value_error.extra)',
    ],
    [
      'instructions that are too long',
      { model: 'gpt-4', instructions: 'x'.repeat(32_769) },
      '400 1 validation error for Request\nbody -> instructions\n  ensure this value has at most 32768 ' +
        'characters (type=value_error.any_str.max_length; limit_value=32768)',
    ],
  ]
  it.each(refused)('is refused with %s', async (_, body, message) => {
    const { sandbox } = await openSandbox()
    const reply = await fetch(`${sandbox.baseUrl}/assistants`, {
      method: 'POST',
      headers: { authorization: 'Bearer sk-test', 'openai-beta': 'assistants=v1' },
      body: JSON.stringify(body),
    })
    const { error } = (await reply.json()) as { error: { message: string } }
    expect(`${reply.status} ${error.message}`).toBe(message)
  })

  it('needs the header of the beta', async () => {
    const { client } = await openSandbox()
    const bare = client.beta.assistants.list({}, { headers: { 'OpenAI-Beta': null } })
    expect(await messageOf(bare)).toBe(
      "400 You must provide the 'OpenAI-Beta' header to access the Assistants API. Please try again by " +
        "setting the header 'OpenAI-Beta: assistants=v1'.",
    )
  })
})

describe('a thread', () => {
  it('lists its messages a page at a time, either way', async () => {
    const { client } = await openSandbox()
    const messages = Array.from({ length: 7 }, (_, index) => ({ role: 'user' as const, content: `${index}` }))
    const { id } = await client.beta.threads.create({ messages })
    const texts = (page: OpenAI.Beta.Threads.MessagesPage) =>
      page.data.map(({ content: [part] }) => (part?.type === 'text' ? part.text.value : '')).join('')
    const first = await client.beta.threads.messages.list(id, { limit: 3 })
    expect([texts(first), first.has_more]).toEqual(['654', true])
    const second = await first.getNextPage()
    expect(texts(second)).toBe('321')
    expect(texts(await client.beta.threads.messages.list(id, { order: 'asc' }))).toBe('0123456')
    const before = second.data[0]?.id ?? ''
    expect(texts(await client.beta.threads.messages.list(id, { before }))).toBe('654')
    expect(texts(await client.beta.threads.messages.list(id, { before, limit: 2 }))).toBe('54')
    expect(texts(await client.beta.threads.messages.list(id, { before, limit: 2, order: 'asc' }))).toBe('12')
    const everything: string[] = []
    for await (const message of client.beta.threads.messages.list(id, { limit: 2, order: 'asc' })) {
      everything.push(message.id)
    }
    expect(new Set(everything).size).toBe(7)
    expect(await messageOf(client.beta.threads.messages.list(id, { limit: 101 }))).toContain('query -> limit')
    expect(await messageOf(client.beta.threads.messages.list(id, { after: 'msg_x' }))).toBe(
      "404 No message found with id 'msg_x'.",
    )
  })

  it('takes messages of users only, with text in them', async () => {
    const { client } = await openSandbox()
    const { id } = await client.beta.threads.create({})
    const spoken = client.beta.threads.messages.create(id, { role: 'assistant', content: 'x' })
    expect(await messageOf(spoken)).toContain("permitted: 'user'")
    expect(await messageOf(say(client, id, ''))).toContain('at least 1 characters')
    expect(await messageOf(say(client, 'thread_none', 'x'))).toBe(
      "404 No thread found with id 'thread_none'.",
    )
  })

  it('keeps nothing of a thread whose messages are refused', async () => {
    const { client } = await openSandbox()
    const messages = [
      { role: 'user' as const, content: 'fine' },
      { role: 'user' as const, content: '' },
    ]
    expect(await messageOf(client.beta.threads.create({ messages }))).toContain(
      'body -> messages -> 1 -> content',
    )
  })

  it('has metadata that can be changed, as have its messages', async () => {
    const { client } = await openSandbox()
    const thread = await client.beta.threads.create({ metadata: { a: '1' } })
    expect(await client.beta.threads.update(thread.id, { metadata: { b: '2' } })).toEqual({
      ...thread,
      metadata: { b: '2' },
    })
    const message = await say(client, thread.id, 'x')
    const change = { thread_id: thread.id, metadata: { seen: 'yes' } }
    expect(await client.beta.threads.messages.update(message.id, change)).toEqual({
      ...message,
      metadata: { seen: 'yes' },
    })
  })
})
