import { describe, expect, it } from 'vitest'
import { newStateFile, openSandbox } from './sandbox.fixture.ts'

const poll = { pollIntervalMs: 2 }

describe('a state file', () => {
  it('keeps threads and books from one opening to the next', async () => {
    const stateFile = newStateFile()
    const first = await openSandbox({ stateFile, outputTokens: 100 })
    const assistant = await first.client.beta.assistants.create({ model: 'gpt-4' })
    const run = {
      assistant_id: assistant.id,
      thread: { messages: [{ role: 'user' as const, content: 'Hello' }] },
    }
    const { thread_id } = await first.client.beta.threads.createAndRunPoll(run, poll)
    const books = first.sandbox.books()
    await first.sandbox.close()

    const second = await openSandbox({ stateFile, outputTokens: 100 })
    expect(second.sandbox.books()).toEqual(books)
    await second.client.beta.threads.runs.createAndPoll(thread_id, { assistant_id: assistant.id }, poll)
    // The first message and the first reply again.
    expect(second.sandbox.calls().map(({ usage }) => usage.input_text_tokens)).toEqual([1, 101])
    expect(new Set(second.sandbox.calls().map(({ id }) => id)).size).toBe(2)
  })

  it('takes up a run that was active, and bills it once', async () => {
    const stateFile = newStateFile()
    const first = await openSandbox({ stateFile, runMs: 60_000 })
    const assistant = await first.client.beta.assistants.create({ model: 'gpt-4' })
    const run = await first.client.beta.threads.createAndRun({ assistant_id: assistant.id })
    await first.sandbox.close()

    const second = await openSandbox({ stateFile, runMs: 2 })
    const ended = await second.client.beta.threads.runs.poll(run.id, { thread_id: run.thread_id }, poll)
    expect(ended.status).toBe('completed')
    await second.sandbox.close()
    const third = await openSandbox({ stateFile })
    expect(third.sandbox.calls().map(({ id }) => id)).toEqual([run.id])
  })

  it('is forgotten on demand', async () => {
    const stateFile = newStateFile()
    const first = await openSandbox({ stateFile })
    await first.client.beta.assistants.create({ model: 'gpt-4' })
    await first.client.chat.completions.create({ model: 'gpt-4', messages: [{ role: 'user', content: 'x' }] })
    await first.sandbox.close()
    const second = await openSandbox({ stateFile, reset: true })
    expect((await second.client.beta.assistants.list()).data).toEqual([])
    expect(second.sandbox.total()).toMatchObject({ calls: 0, amount: '0' })
  })
})

describe('a seed', () => {
  const made = async (seed?: string) => {
    const { sandbox, client } = await openSandbox(seed === undefined ? {} : { seed })
    const thread = await client.beta.threads.create({})
    const reply = await client.chat.completions.create({
      model: 'gpt-4',
      messages: [{ role: 'user', content: 'Hello' }],
    })
    return { thread, reply, books: sandbox.books() }
  }

  it('gives the same ids, lengths and texts again', async () => {
    expect(await made('a')).toEqual(await made('a'))
    expect((await made('a')).reply.id).not.toBe((await made('b')).reply.id)
  })
})
