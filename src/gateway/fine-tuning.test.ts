import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import OpenAI, { toFile } from 'openai'
import { afterEach, describe, expect, it } from 'vitest'
import { startAfterCrash } from '../../test/support/after-crash.ts'
import { startWorld, type TestWorld } from '../../test/support/world.ts'
import { get, post } from '../sandbox/assistants.fixture.ts'
import type { TillLine } from './till.ts'

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

/** Jobs are asked after every few milliseconds, or not at all while a test lasts. */
const quick = { rhythms: { job: { firstMs: 5, longestMs: 20, times: 2_000 } } }
const patient = { rhythms: { job: { firstMs: 600_000, longestMs: 600_000, times: 10 } } }

const open = async (options: Parameters<typeof startWorld>[0] = {}): Promise<TestWorld> => {
  const world = await startWorld({ gateway: quick, ...options })
  closers.push(world.close)
  return world
}

/** 3 tokens of each message, 1 of its role, 1 of its text; 3 of the reply: 13 tokens in 84 bytes. */
const example = '{"messages":[{"role":"user","content":"Hello"},{"role":"assistant","content":"Hi"}]}'

/** Ten of them, with nine line ends: 130 tokens in 849 bytes. */
const tenExamples = Array.from({ length: 10 }, () => example).join('\n')

const uploadTo = async (client: OpenAI, text = tenExamples): Promise<string> => {
  const file = await toFile(Buffer.from(text), 'examples.jsonl')
  return (await client.files.create({ file, purpose: 'fine-tune' })).id
}

const train = (client: OpenAI, training_file: string, n_epochs: number | 'auto' = 3) =>
  client.fineTuning.jobs
    .create({ model: 'gpt-3.5-turbo', training_file, hyperparameters: { n_epochs } })
    .withResponse()

const trained = (till: readonly TillLine[]) =>
  till.map(({ call, settlement }) => ({
    model: settlement.model,
    team: call.team,
    basis: settlement.basis,
    note: settlement.note,
    charges: settlement.charges.map(({ meter, quantity }) => [meter, quantity]),
  }))

const ended = (world: TestWorld) => expect.poll(() => world.till.length, { timeout: 5_000 })

const threeEpochs = {
  model: 'gpt-3.5-turbo-0613',
  team: 'search',
  basis: 'measured',
  note: null,
  charges: [['training_tokens', 390]],
}

const limited = (cap: string, more: object = {}) => ({
  limits: [{ name: 'all', measure: 'cost', cap, window: { calendar: 'month' }, ...more }],
})

describe('a fine-tuning job', () => {
  it('of 130 tokens and three epochs is held at its bytes, and settled at 390 tokens when it ends', async () => {
    const world = await open({ config: limited('1') })
    const client = await world.client('search')
    const { data, response } = await train(client, await uploadTo(client))
    expect(data.status).toBe('validating_files')
    // 849 bytes x 3 epochs x 0.008 / 1,000.
    expect(response.headers.get('octroi-quote-usd')).toBe('0.020376')
    expect(world.till).toEqual([])
    await ended(world).toBe(1)
    expect(trained(world.till)).toEqual([threeEpochs])
    expect(world.till[0]?.cost).toBe(3_120_000_000n)
    expect(world.sandbox.books()).toMatchObject([
      { model: 'gpt-3.5-turbo-0613', meter: 'training_tokens', quantity: 390, amount: '0.00312' },
    ])
    const [limit] = world.gateway.limits()
    expect(limit).toMatchObject({ settled: 3_120_000_000n, held: 0n, unresolved: 0n })
    expect(world.faults).toEqual([])
  })

  it('is settled before the reply that shows it to have ended, and once however often it is read', async () => {
    const world = await open({ gateway: patient })
    const client = await world.client('search')
    const { data } = await train(client, await uploadTo(client))
    await expect.poll(async () => (await client.fineTuning.jobs.retrieve(data.id)).status).toBe('succeeded')
    expect(trained(world.till)).toEqual([threeEpochs])
    await client.fineTuning.jobs.retrieve(data.id)
    expect(world.till).toHaveLength(1)
    const { data: events } = await client.fineTuning.jobs.listEvents(data.id)
    expect(events).toHaveLength(6)
  })

  it('whose epochs the vendor chooses is held at the most it may choose', async () => {
    const world = await open()
    const client = await world.client('search')
    const { response } = await train(client, await uploadTo(client), 'auto')
    // 849 bytes x 50 epochs x 0.008 / 1,000; the vendor takes ten of them.
    expect(response.headers.get('octroi-quote-usd')).toBe('0.3396')
    await ended(world).toBe(1)
    expect(trained(world.till)[0]?.charges).toEqual([['training_tokens', 1_300]])
  })

  it('makes a model whose calls are settled at its own prices', async () => {
    const world = await open({ sandbox: { outputTokens: 20 } })
    const client = await world.client('search')
    const training_file = await uploadTo(client)
    const { id } = await client.fineTuning.jobs.create({ model: 'gpt-3.5-turbo-1106', training_file })
    await ended(world).toBe(1)
    const model = (await client.fineTuning.jobs.retrieve(id)).fine_tuned_model ?? ''
    const { response } = await client.chat.completions
      .create({ model, messages: [{ role: 'user', content: 'Hello' }] })
      .withResponse()
    // 8 x 0.003 / 1,000 + 20 x 0.006 / 1,000.
    expect(response.headers.get('octroi-cost-usd')).toBe('0.000144')
    expect(world.till[1]?.settlement.model).toBe(model)
    expect(world.till.map(({ settlement }) => settlement.unpriced)).toEqual([[], []])
  })

  it('that fails costs nothing, and its hold is free again', async () => {
    const world = await open({ config: limited('1') })
    const client = await world.client('search')
    await train(client, await uploadTo(client, example))
    await ended(world).toBe(1)
    expect(trained(world.till)).toEqual([
      { ...threeEpochs, note: 'job failed: invalid_n_examples', charges: [] },
    ])
    expect(world.gateway.limits()[0]).toMatchObject({ settled: 0n, held: 0n, unresolved: 0n })
    expect(world.sandbox.calls()).toEqual([])
  })

  it('that is cancelled half-way costs the epochs that it says', async () => {
    const world = await open({ gateway: patient, sandbox: { jobMs: 1_000 } })
    const client = await world.client('search')
    const { data } = await train(client, await uploadTo(client), 50)
    await expect
      .poll(async () => (await client.fineTuning.jobs.retrieve(data.id)).status, { timeout: 5_000 })
      .toBe('running')
    await new Promise((done) => setTimeout(done, 100))
    const { trained_tokens } = await client.fineTuning.jobs.cancel(data.id)
    expect(trained_tokens).toBeGreaterThan(0)
    expect(trained_tokens).toBeLessThan(130 * 50)
    expect(trained(world.till)).toEqual([
      { ...threeEpochs, note: 'job cancelled', charges: [['training_tokens', trained_tokens]] },
    ])
    expect(world.sandbox.calls().map(({ usage }) => usage)).toEqual([{ training_tokens: trained_tokens }])
  })

  it('of a model that the vendor does not train passes its refusal, and holds nothing any more', async () => {
    const world = await open({
      config: limited('2', { unpriced: { ceiling: { perMillionInputTokens: '30' } } }),
    })
    const client = await world.client('search')
    const training_file = await uploadTo(client)
    await expect(client.fineTuning.jobs.create({ model: 'gpt-4', training_file })).rejects.toThrow(
      'Model gpt-4 is not available for fine-tuning or does not exist.',
    )
    expect(world.gateway.limits()[0]).toMatchObject({ settled: 0n, held: 0n, unresolved: 0n })
  })

  it('does not fit into a budget that it could break, and fits into one that holds it', async () => {
    // 0.020376 for three epochs.
    const narrow = await open({ config: limited('0.020375') })
    const refused = await narrow.client('search')
    await expect(train(refused, await uploadTo(refused))).rejects.toThrow('Budget quota exceeded')
    const wide = await open({ config: limited('0.020376') })
    const admitted = await wide.client('search')
    const { data } = await train(admitted, await uploadTo(admitted))
    await expect(train(admitted, data.training_file, 1)).rejects.toThrow('Budget quota exceeded')
    await ended(wide).toBe(1)
    expect(narrow.sandbox.calls()).toEqual([])
    await train(admitted, data.training_file, 1)
    await ended(wide).toBe(2)
    expect(wide.gateway.limits()[0]?.settled).toBe(4_160_000_000n)
  })
})

describe('the fine-tuning jobs of a gateway', () => {
  it('are no more than it can ask after: the next is refused before it is sent, until one has ended', async () => {
    const world = await open({ gateway: { ...quick, bounds: { watchesMax: 1 } }, sandbox: { jobMs: 60_000 } })
    const client = await world.client('search')
    const { data } = await train(client, await uploadTo(client))
    await expect(train(client, data.training_file)).rejects.toThrow(
      'asks after as many runs and jobs as it can',
    )
    await client.fineTuning.jobs.cancel(data.id)
    expect((await train(client, data.training_file)).data.status).toBe('validating_files')
  })
})

describe('the owner of a fine-tuning job', () => {
  it('trains on own files alone, and is the only one to see the job', async () => {
    const world = await open({ sandbox: { jobMs: 60_000 } })
    const [mine, theirs] = [await world.client('search'), await world.client('support')]
    const file = await uploadTo(mine)
    await expect(train(theirs, file)).rejects.toThrow(`No file found with id '${file}' for this key.`)
    await expect(train(mine, 'file-unheard-of')).rejects.toThrow('No file found')
    const own = await uploadTo(theirs)
    const foreign = { model: 'gpt-3.5-turbo', training_file: own, validation_file: file }
    await expect(theirs.fineTuning.jobs.create(foreign)).rejects.toThrow(`No file found with id '${file}'`)
    expect(world.sandbox.calls()).toEqual([])
    const { data } = await train(mine, file)
    await expect(theirs.fineTuning.jobs.retrieve(data.id)).rejects.toThrow(
      `No job found with id '${data.id}'`,
    )
    await expect(theirs.fineTuning.jobs.cancel(data.id)).rejects.toThrow('No job found')
    await expect(theirs.fineTuning.jobs.listEvents(data.id)).rejects.toThrow('No job found')
    await expect(mine.fineTuning.jobs.list()).rejects.toThrow('This route is closed')
    expect((await mine.fineTuning.jobs.cancel(data.id)).status).toBe('cancelled')
  })

  it('is refused by the vendor for a file that was deleted', async () => {
    const world = await open({ config: limited('1') })
    const client = await world.client('search')
    const file = await uploadTo(client)
    await client.files.delete(file)
    await expect(train(client, file)).rejects.toThrow(file)
    expect(world.gateway.limits()[0]).toMatchObject({ settled: 0n, held: 0n, unresolved: 0n })
  })

  it('without an Octroi key trains on a file that the vendor knows alone, by its size', async () => {
    const world = await open()
    const direct = new OpenAI({ apiKey: 'sk-own', baseURL: world.sandbox.baseUrl })
    const file = await uploadTo(direct)
    const { response } = await train(await world.client(null), file)
    expect(response.headers.get('octroi-quote-usd')).toBe('0.020376')
    await ended(world).toBe(1)
    expect(trained(world.till)).toEqual([{ ...threeEpochs, team: null }])
  })
})

describe('a fine-tuning job that a crash left', () => {
  it('and that ended while nobody was there for three hours is settled when the gateway is back', async () => {
    const world = await open({ gateway: patient, sandbox: { jobMs: 200 } })
    const client = await world.client('search')
    const { data } = await train(client, await uploadTo(client))
    world.clock.advance(3 * 3_600_000)
    const direct = new OpenAI({ apiKey: 'sk-x', baseURL: world.sandbox.baseUrl })
    await expect
      .poll(async () => (await direct.fineTuning.jobs.retrieve(data.id)).status, { timeout: 5_000 })
      .toBe('succeeded')
    const first = await startAfterCrash(world)
    closers.push(first.close)
    await first.gateway.sweep()
    await expect.poll(() => first.till.length, { timeout: 5_000 }).toBe(1)
    expect(trained(first.till)).toEqual([threeEpochs])
  })

  it("is settled by its owner's next look, also when its lease has passed, where no credential is kept", async () => {
    const world = await open({ gateway: patient, config: limited('1'), sandbox: { jobMs: 200 } })
    const client = await world.client(null)
    const { data } = await train(client, await uploadTo(client))
    world.clock.advance(3 * 3_600_000)
    const { gateway, till, close } = await startAfterCrash(world)
    closers.push(close)
    await gateway.sweep()
    const back = new OpenAI({ apiKey: 'sk-own', baseURL: `${gateway.url}/v1` })
    await expect
      .poll(async () => (await back.fineTuning.jobs.retrieve(data.id)).status, { timeout: 5_000 })
      .toBe('succeeded')
    expect(trained(till)).toEqual([{ ...threeEpochs, team: null }])
  })
})

/** A vendor of whom only one job can be told what to say. */
const startVendor = async (job: () => readonly [number, object]): Promise<string> => {
  const server = createServer((request, reply) => {
    request.resume()
    const isFile = (request.url ?? '').includes('/files')
    const [status, body] = isFile ? [200, { id: 'file-1', bytes: 1_000 }] : job()
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

const jobAs = (status: string, more: object = {}) =>
  [200, { id: 'ftjob-1', model: 'gpt-4.1-mini-2025-04-14', status, trained_tokens: null, ...more }] as const

describe('a fine-tuning job of today', () => {
  const at = '2025-06-02T12:00:00Z'
  const asked = { model: 'gpt-4.1-mini-2025-04-14', training_file: 'file-1' }
  const epochs = { hyperparameters: { n_epochs: 2 } }

  it.each([
    ['supervised', { type: 'supervised', supervised: epochs }, '0.01'],
    ['of preferences, with two answers a prompt', { type: 'dpo', dpo: epochs }, '0.02'],
  ])('that is %s is bounded by the epochs of its method', async (_, method, most) => {
    const baseUrl = await startVendor(() => jobAs('queued'))
    const world = await open({ at, gateway: patient, config: { providers: { openai: { baseUrl } } } })
    const client = await world.client(null)
    const { response } = await client.post('/fine_tuning/jobs', { body: { ...asked, method } }).withResponse()
    // 1,000 bytes x 2 epochs x 5 / 1,000,000, and twice that.
    expect(response.headers.get('octroi-quote-usd')).toBe(most)
  })

  it.each([
    ['reinforcement', { ...asked, method: { type: 'reinforcement' } }, 'of the method "reinforcement"'],
    ['that can see images', { ...asked, model: 'gpt-4o-2024-08-06' }, 'can name images'],
  ])('%s has no bound, so a cost limit refuses it and says why', async (_, body, why) => {
    const baseUrl = await startVendor(() => jobAs('queued'))
    const world = await open({ at, config: { providers: { openai: { baseUrl } }, ...limited('1000') } })
    const client = await world.client(null)
    await expect(post(client, '/fine_tuning/jobs', body)).rejects.toThrow(why)
  })

  it('that was cancelled and does not say what it trained is asked three times, then stays counted at its most', async () => {
    let asks = 0
    const baseUrl = await startVendor(() => {
      asks += 1
      return asks === 1 ? jobAs('queued') : jobAs('cancelled')
    })
    const world = await open({ at, config: { providers: { openai: { baseUrl } }, ...limited('1') } })
    const client = await world.client(null)
    await post(client, '/fine_tuning/jobs', { ...asked, ...epochs })
    await expect.poll(() => asks).toBe(4)
    await expect
      .poll(async () => {
        world.clock.advance(61_000)
        await world.gateway.sweep()
        return world.gateway.limits()[0]
      })
      .toMatchObject({ settled: 0n, held: 0n, unresolved: 10_000_000_000n })
    expect(world.till).toEqual([])
  })

  it('that says later what it trained is settled then', async () => {
    let shown = jobAs('cancelled')
    const baseUrl = await startVendor(() => shown)
    const world = await open({ at, config: { providers: { openai: { baseUrl } }, ...limited('1') } })
    const client = await world.client(null)
    await post(client, '/fine_tuning/jobs', { ...asked, ...epochs })
    await new Promise((done) => setTimeout(done, 100))
    world.clock.advance(61_000)
    await world.gateway.sweep()
    shown = jobAs('cancelled', { trained_tokens: 400 })
    await get(client, '/fine_tuning/jobs/ftjob-1')
    expect(trained(world.till)).toMatchObject([
      { note: 'job cancelled', charges: [['training_tokens', 400]] },
    ])
    expect(world.gateway.limits()[0]).toMatchObject({ settled: 2_000_000_000n, held: 0n, unresolved: 0n })
  })

  it('that the vendor does not know any more is let go, and stays counted at its most', async () => {
    let asks = 0
    const baseUrl = await startVendor(() => {
      asks += 1
      return asks === 1 ? jobAs('running') : [404, { error: { message: 'gone' } }]
    })
    const world = await open({ at, config: { providers: { openai: { baseUrl } }, ...limited('1') } })
    await post(await world.client(null), '/fine_tuning/jobs', { ...asked, ...epochs })
    await expect.poll(() => asks).toBe(4)
    await expect
      .poll(async () => {
        world.clock.advance(61_000)
        await world.gateway.sweep()
        return world.gateway.limits()[0]?.unresolved
      })
      .toBe(10_000_000_000n)
  })

  it('that goes on for two days stays held for all of them', async () => {
    let shown = jobAs('running')
    const baseUrl = await startVendor(() => shown)
    const world = await open({ at, config: { providers: { openai: { baseUrl } }, ...limited('1') } })
    const client = await world.client(null)
    await post(client, '/fine_tuning/jobs', { ...asked, ...epochs })
    for (let hour = 0; hour < 48; hour += 1) {
      world.clock.advance(3_600_000)
      await world.gateway.sweep()
    }
    expect(world.gateway.limits()[0]).toMatchObject({ held: 10_000_000_000n, unresolved: 0n })
    shown = jobAs('succeeded', { trained_tokens: 500 })
    await ended(world).toBe(1)
    expect(world.gateway.limits()[0]).toMatchObject({ settled: 2_500_000_000n, held: 0n })
  })

  it('of a model that was tuned before has the price of its base', async () => {
    let shown = jobAs('queued', { model: 'ft:gpt-4.1-mini-2025-04-14:acme::abc123' })
    const baseUrl = await startVendor(() => shown)
    const world = await open({ at, config: { providers: { openai: { baseUrl } } } })
    const client = await world.client(null)
    const again = { ...asked, ...epochs, model: 'ft:gpt-4.1-mini-2025-04-14:acme::abc123' }
    await post(client, '/fine_tuning/jobs', again)
    shown = jobAs('succeeded', { model: again.model, trained_tokens: 500 })
    await ended(world).toBe(1)
    expect(world.till[0]).toMatchObject({ cost: 2_500_000_000n, settlement: { model: asked.model } })
  })
})
