import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type OpenAI from 'openai'
import { toFile } from 'openai'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openSandbox } from './sandbox.fixture.ts'

/** 3 tokens of each message, 1 of its role, 1 of its text; 3 of the reply: 13. */
const example = {
  messages: [
    { role: 'user', content: 'Hello' },
    { role: 'assistant', content: 'Hi' },
  ],
}
const pair = { prompt: 'Hello', completion: ' Hi' }

const upload = async (
  client: OpenAI,
  examples: readonly unknown[],
  purpose: 'fine-tune' | 'assistants' = 'fine-tune',
) => {
  const text = examples.map((each) => JSON.stringify(each)).join('\n')
  const { id } = await client.files.create({ file: await toFile(Buffer.from(text), 'a.jsonl'), purpose })
  return id
}

const ended = async (client: OpenAI, id: string) => {
  for (;;) {
    const job = await client.fineTuning.jobs.retrieve(id)
    if (['succeeded', 'failed', 'cancelled'].includes(job.status)) return job
    await new Promise((done) => setTimeout(done, 2))
  }
}

const times = <T>(count: number, value: T): readonly T[] => Array.from({ length: count }, () => value)

describe('a fine-tuning job', () => {
  it('of 10 examples of 13 tokens trains 390 in three epochs, at 0.008 a thousand', async () => {
    const { client, sandbox } = await openSandbox()
    const training_file = await upload(client, times(10, example))
    const job = await client.fineTuning.jobs.create({
      model: 'gpt-3.5-turbo',
      training_file,
      hyperparameters: { n_epochs: 3 },
    })
    expect(job).toEqual({
      object: 'fine_tuning.job',
      id: job.id,
      model: 'gpt-3.5-turbo-0613',
      created_at: 1_700_049_600,
      finished_at: null,
      fine_tuned_model: null,
      organization_id: 'org-sandbox',
      result_files: [],
      status: 'validating_files',
      validation_file: null,
      training_file,
      hyperparameters: { n_epochs: 3 },
      trained_tokens: null,
      error: null,
    })
    expect(await ended(client, job.id)).toMatchObject({
      status: 'succeeded',
      trained_tokens: 390,
      finished_at: 1_700_049_600,
      fine_tuned_model: expect.stringMatching(/^ft:gpt-3\.5-turbo-0613:sandbox::[0-9A-Za-z]{8}$/),
    })
    expect(sandbox.books()).toMatchObject([
      { model: 'gpt-3.5-turbo-0613', meter: 'training_tokens', quantity: 390, amount: '0.00312' },
    ])
    const { data } = await client.fineTuning.jobs.listEvents(job.id)
    expect(data.map(({ message }) => message.replace(/(ft:|file-|ftjob-)\S+/, '$1')).reverse()).toEqual([
      'Created fine-tuning job: ftjob-',
      'Validating training file: file-',
      'Files validated, moving job to queued state',
      'Fine-tuning job started',
      'New fine-tuned model created: ft:',
      'The job has successfully completed',
    ])
  })

  it('makes a model that is served at its own price', async () => {
    const { client, sandbox } = await openSandbox({ outputTokens: 20 })
    const training_file = await upload(client, times(10, example))
    const begun = await client.fineTuning.jobs.create({
      model: 'gpt-3.5-turbo-1106',
      training_file,
      suffix: 'My Shop',
    })
    const { fine_tuned_model } = await ended(client, begun.id)
    const model = fine_tuned_model ?? ''
    expect(model).toMatch(/^ft:gpt-3\.5-turbo-1106:sandbox:my-shop:/)
    const reply = await client.chat.completions.create({
      model,
      messages: [{ role: 'user', content: 'Hello' }],
    })
    expect(reply).toMatchObject({ model, usage: { prompt_tokens: 8, completion_tokens: 20 } })
    expect(sandbox.books().filter((row) => row.model === model)).toMatchObject([
      { meter: 'input_text_tokens', quantity: 8, amount: '0.000024' },
      { meter: 'output_text_tokens', quantity: 20, amount: '0.00012' },
    ])
    expect(await client.models.retrieve(model)).toMatchObject({ id: model, owned_by: 'org-sandbox' })
  })

  it.each([
    [10, 10],
    [33, 3],
    [34, 3],
    [12_500, 2],
  ])('of %i examples takes %i epochs when it may choose', async (examples, epochs) => {
    const { client } = await openSandbox({ jobMs: 4 })
    const training_file = await upload(client, times(examples, pair))
    const { id } = await client.fineTuning.jobs.create({ model: 'babbage-002', training_file })
    expect(await ended(client, id)).toMatchObject({
      hyperparameters: { n_epochs: epochs },
      trained_tokens: examples * 2 * epochs,
    })
  })

  it('that is cancelled is billed the epochs that had ended, and nothing before', async () => {
    const { client, sandbox } = await openSandbox({ jobMs: 60_000 })
    const training_file = await upload(client, times(10, example))
    const { id } = await client.fineTuning.jobs.create({ model: 'gpt-3.5-turbo', training_file })
    expect(await client.fineTuning.jobs.cancel(id)).toMatchObject({ status: 'cancelled', trained_tokens: 0 })
    await expect(client.fineTuning.jobs.cancel(id)).rejects.toThrow("has status 'cancelled'")
    expect(sandbox.calls()).toEqual([])
  })

  it('that is cancelled half-way is billed once', async () => {
    const { client, sandbox } = await openSandbox({ jobMs: 4000 })
    const training_file = await upload(client, times(10, example))
    const hyperparameters = { n_epochs: 50 }
    const { id } = await client.fineTuning.jobs.create({
      model: 'gpt-3.5-turbo',
      training_file,
      hyperparameters,
    })
    while ((await client.fineTuning.jobs.retrieve(id)).status !== 'running')
      await new Promise((done) => setTimeout(done, 20))
    await new Promise((done) => setTimeout(done, 200))
    const { trained_tokens, status } = await client.fineTuning.jobs.cancel(id)
    expect(status).toBe('cancelled')
    expect(trained_tokens).toBeGreaterThan(0)
    expect((trained_tokens ?? 0) % 130).toBe(0)
    expect(trained_tokens).toBeLessThan(6500)
    expect(sandbox.calls()).toMatchObject([{ id, usage: { training_tokens: trained_tokens } }])
  })

  it('goes on after a restart, under its suffix, and is billed once', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'octroi-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const stateFile = join(folder, 'state.db')
    const { client, sandbox } = await openSandbox({ stateFile, jobMs: 60_000 })
    const training_file = await upload(client, times(10, example))
    const { id } = await client.fineTuning.jobs.create({
      model: 'gpt-3.5-turbo',
      training_file,
      suffix: 'kept',
    })
    await sandbox.close()
    const { client: later, sandbox: again } = await openSandbox({ stateFile })
    const { fine_tuned_model } = await ended(later, id)
    expect(fine_tuned_model).toContain(':kept:')
    expect(again.calls()).toMatchObject([{ id, usage: { training_tokens: 1300 } }])
    const { data } = await later.fineTuning.jobs.list()
    expect(data.map((job) => job.id)).toEqual([id])
  })
})

describe('a training file', () => {
  const failed = async (examples: readonly unknown[], model = 'gpt-3.5-turbo') => {
    const { client, sandbox } = await openSandbox()
    const training_file = await upload(client, examples)
    const { id } = await client.fineTuning.jobs.create({ model, training_file })
    const { status, error, trained_tokens } = await ended(client, id)
    expect(sandbox.calls()).toEqual([])
    expect({ status, trained_tokens }).toEqual({ status: 'failed', trained_tokens: null })
    return error
  }

  it('of nine examples fails the job', async () => {
    expect(await failed(times(9, example))).toEqual({
      code: 'invalid_n_examples',
      message: 'Training file has 9 example(s), but must have at least 10 examples',
      param: 'training_file',
    })
  })

  it.each<[string, unknown, string]>([
    [
      'neither messages nor a pair',
      { text: 'Hello' },
      'Unexpected file format, expected either prompt/completion',
    ],
    ['a pair', pair, 'must have chat messages to train gpt-3.5-turbo-0613'],
    [
      'no role',
      { messages: [{ content: 'Hi' }] },
      "Example 11, message 1 Discriminator 'role' is missing in value",
    ],
    [
      'no reply',
      { messages: [{ role: 'user', content: 'Hi' }] },
      'Line 11, key "messages": At least one message',
    ],
    ['a message that is none', { messages: [null] }, 'Example 11, message 1'],
  ])('with an example that has %s fails the job', async (_, wrong, said) => {
    expect(await failed([...times(10, example), wrong])).toMatchObject({
      code: 'invalid_training_file',
      message: expect.stringMatching(/^The job failed due to an invalid training file\. /),
    })
    expect((await failed([...times(10, example), wrong]))?.message).toContain(said)
  })

  it('of messages does not train a base model', async () => {
    expect((await failed(times(10, example), 'davinci-002'))?.message).toContain(
      'must have prompt/completion pairs',
    )
  })

  it('counts no more of an example than the model trains on', async () => {
    const { client } = await openSandbox()
    const long = { messages: [...example.messages, { role: 'user', content: 'one two '.repeat(5000) }] }
    const training_file = await upload(client, times(10, long))
    const { id } = await client.fineTuning.jobs.create({
      model: 'gpt-3.5-turbo-0613',
      training_file,
      hyperparameters: { n_epochs: 1 },
    })
    expect(await ended(client, id)).toMatchObject({ trained_tokens: 40_960 })
  })
})

describe('what is refused', () => {
  it.each([
    'gpt-4',
    'gpt-4-0613',
    'gpt-4-1106-preview',
    'whisper-1',
    'ft:gpt-3.5-turbo-0613:sandbox::x',
    'constructor',
  ])('training %s', async (model) => {
    const { client } = await openSandbox()
    const training_file = await upload(client, times(10, example))
    await expect(client.fineTuning.jobs.create({ model, training_file })).rejects.toMatchObject({
      status: 400,
      code: 'model_not_available',
      message: `400 Model ${model} is not available for fine-tuning or does not exist.`,
    })
  })

  it.each<[string, object, string]>([
    ['no file', { training_file: undefined }, "'training_file' is a required property"],
    ['a file that is not there', { training_file: 'file-none' }, 'No such File object: file-none'],
    ['a file that is a number', { training_file: 7 }, "7 is not of type 'string' - 'training_file'"],
    ['a validation file that is not there', { validation_file: 'file-none' }, 'No such File object'],
    ['no epochs', { hyperparameters: { n_epochs: 0 } }, "from 1 to 50 - 'hyperparameters.n_epochs'"],
    ['51 epochs', { hyperparameters: { n_epochs: 51 } }, 'from 1 to 50'],
    ['half an epoch', { hyperparameters: { n_epochs: 1.5 } }, 'from 1 to 50'],
    ['other hyperparameters', { hyperparameters: { batch_size: 2 } }, "('batch_size' was unexpected)"],
    ['hyperparameters that are a list', { hyperparameters: [] }, "is not of type 'object'"],
    ['a long suffix', { suffix: 'x'.repeat(41) }, "is too long - 'suffix'"],
    ['a field nobody knows', { method: {} }, "('method' was unexpected)"],
  ])('%s', async (_, more, said) => {
    const { client } = await openSandbox()
    const training_file = await upload(client, times(10, example))
    const body = { model: 'gpt-3.5-turbo', training_file, ...more }
    await expect(client.post('/fine_tuning/jobs', { body })).rejects.toThrow(said)
  })

  it('a file of another purpose', async () => {
    const { client } = await openSandbox()
    const training_file = await upload(client, times(10, example), 'assistants')
    await expect(client.fineTuning.jobs.create({ model: 'gpt-3.5-turbo', training_file })).rejects.toThrow(
      "has the purpose 'assistants', and must have 'fine-tune'",
    )
  })

  it('a job that does not exist', async () => {
    const { client } = await openSandbox()
    for (const asked of [
      client.fineTuning.jobs.retrieve('ftjob-none'),
      client.fineTuning.jobs.cancel('ftjob-none'),
      client.fineTuning.jobs.listEvents('ftjob-none'),
    ]) {
      await expect(asked).rejects.toMatchObject({ status: 404, code: 'fine_tune_not_found' })
    }
  })

  it('the 101st job at once', async () => {
    const { client } = await openSandbox({ jobMs: 60_000 })
    const training_file = await upload(client, times(10, example))
    const begin = () => client.fineTuning.jobs.create({ model: 'gpt-3.5-turbo', training_file })
    for (let begun = 0; begun < 100; begun += 1) await begin()
    await expect(begin()).rejects.toMatchObject({ status: 429 })
    const { data, has_more } = await client.fineTuning.jobs.list({ limit: 30 })
    expect([data.length, has_more]).toEqual([30, true])
  })
})
