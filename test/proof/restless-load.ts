import { setTimeout as sleep } from 'node:timers/promises'
import OpenAI, { APIConnectionError } from 'openai'
import { beta, saying, seeded } from './work.ts'

/** One call that was begun, under a name that the vendor and the ledger both see. */
export type Attempt = {
  readonly name: string
  readonly kind: 'whole' | 'stream' | 'run'
  /** The client had its reply to the last byte, or saw its run completed. */
  acknowledged: boolean
}

/** A run that was begun and that nobody asks after for now. */
export type Sleeper = { readonly attempt: Attempt; readonly run: string; readonly thread: string }

/** Clients that go on whatever happens to their gateway. */
export type RestlessLoad = {
  readonly attempts: readonly Attempt[]
  /** Every thread a client knows. */
  readonly threads: readonly string[]
  /** Runs that were seen completed by a gateway other than the one that began them. */
  readonly survivors: () => number
  /** From now on the gateway is there. */
  readonly up: (gateway: { url: string; key: string }) => void
  /** From now on it is not. */
  readonly down: () => void
  /** Begins a run, and leaves it. With the client's `own` credential, which no gateway keeps, nobody but a client can
   * ask after it once that gateway is gone. */
  readonly sleeper: (credential: 'own' | 'of the gateway') => Promise<Sleeper>
  /** Asks after a run until it is completed. */
  readonly wake: (sleeper: Sleeper) => Promise<void>
  /** No new work; resolves when what was begun has ended. Rejects with what went wrong that was no broken
   * connection. */
  readonly stop: () => Promise<void>
}

const models = ['gpt-4-1106-preview', 'gpt-3.5-turbo-1106', 'gpt-4-32k'] as const

/** Starts `clients` clients, that wait until there is a gateway. The official SDK, without retries: each
 * attempt has one name. */
export const startRestlessLoad = (clients: number, seed: string): RestlessLoad => {
  const attempts: Attempt[] = []
  const threads: string[] = []
  let survivors = 0
  let generation = 0
  let stopped = false
  let client = new OpenAI({ apiKey: 'none', baseURL: 'http://127.0.0.1:9', maxRetries: 0 })
  let ownHeaders: Readonly<Record<string, string>> = {}
  let arrival = Promise.withResolvers<void>()

  const begin = (kind: Attempt['kind']): Attempt => {
    const attempt = { name: `attempt-${attempts.length}`, kind, acknowledged: false }
    attempts.push(attempt)
    return attempt
  }

  const headersOf = ({ name }: Attempt) => ({ headers: { 'octroi-tags': `attempt=${name}` } })

  const chat = async (random: ReturnType<typeof seeded>, stream: boolean): Promise<void> => {
    const attempt = begin(stream ? 'stream' : 'whole')
    const request = {
      model: random.pick(models),
      messages: [{ role: 'user' as const, content: saying(`${seed} ${attempt.name}`) }],
      user: attempt.name,
      n: random.whole({ least: 1, most: 2 }),
    }
    if (stream) {
      const chunks = await client.chat.completions.create({ ...request, stream }, headersOf(attempt))
      for await (const _ of chunks);
    } else await client.chat.completions.create({ ...request, stream }, headersOf(attempt))
    attempt.acknowledged = true
  }

  const openThread = async (
    random: ReturnType<typeof seeded>,
  ): Promise<{ thread: string; assistant: string }> => {
    const headers = { headers: beta }
    const instructions = saying(`${seed} instructions ${threads.length}`)
    const model = random.pick(models)
    const assistant = await client.beta.assistants.create({ model, instructions }, headers)
    const { id: thread } = await client.beta.threads.create({}, headers)
    threads.push(thread)
    return { thread, assistant: assistant.id }
  }

  const beginRun = async (
    { thread, assistant }: { thread: string; assistant: string },
    more: Readonly<Record<string, string>> = {},
  ): Promise<Sleeper> => {
    const content = saying(`${seed} ${attempts.length}`)
    await client.beta.threads.messages.create(thread, { role: 'user', content }, { headers: beta })
    const attempt = begin('run')
    const asked = { assistant_id: assistant, metadata: { attempt: attempt.name } }
    const run = await client.beta.threads.runs.create(thread, asked, { headers: { ...beta, ...more } })
    return { attempt, run: run.id, thread }
  }

  const wake = async ({ attempt, run, thread }: Sleeper): Promise<void> => {
    const began = generation
    for (let broken = 0; broken < 100; ) {
      try {
        const { status } = await client.beta.threads.runs.retrieve(
          run,
          { thread_id: thread },
          { headers: beta },
        )
        if (status === 'completed') {
          attempt.acknowledged = true
          if (generation > began) survivors += 1
          return
        }
        if (status !== 'queued' && status !== 'in_progress') throw new Error(`A run ended as ${status}.`)
        await sleep(5)
      } catch (error) {
        if (!isBroken(error)) throw error
        broken += 1
        await sleep(1)
        await arrival.promise
      }
    }
    throw new Error('A run cannot be asked after.')
  }

  const runs = async (random: ReturnType<typeof seeded>): Promise<void> => {
    const place = await openThread(random)
    for (let turn = 0; turn < 3 && !stopped; turn += 1) await wake(await beginRun(place))
  }

  const work = async (name: string): Promise<void> => {
    const random = seeded(seed, name)
    while (!stopped) {
      await arrival.promise
      try {
        const kind = random.whole({ least: 0, most: 5 })
        if (kind === 0) await runs(random)
        else await chat(random, kind > 3)
      } catch (error) {
        if (!isBroken(error)) throw error
        await sleep(1)
      }
    }
  }

  const working = Promise.all(Array.from({ length: clients }, (_, index) => work(`client ${index}`)))
  // Told by `stop`; until then it is no unhandled rejection.
  working.catch(() => {})

  return {
    attempts,
    threads,
    survivors: () => survivors,
    up: ({ url, key }) => {
      generation += 1
      client = new OpenAI({ apiKey: key, baseURL: `${url}/v1`, maxRetries: 0 })
      ownHeaders = { 'octroi-key': key, authorization: 'Bearer sk-own' }
      arrival.resolve()
    },
    down: () => {
      arrival = Promise.withResolvers<void>()
    },
    sleeper: async (credential) => {
      const place = await openThread(seeded(seed, `sleeper ${attempts.length}`))
      return beginRun(place, credential === 'own' ? ownHeaders : {})
    },
    wake,
    stop: async () => {
      stopped = true
      await working
    },
  }
}

/** A connection that was refused or broke off, before the reply or in the middle of it. */
const isBroken = (error: unknown): boolean =>
  error instanceof APIConnectionError ||
  (error instanceof TypeError && ['terminated', 'fetch failed'].includes(error.message))
