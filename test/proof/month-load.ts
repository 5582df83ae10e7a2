import { setTimeout as sleep } from 'node:timers/promises'
import type OpenAI from 'openai'
import { toFile } from 'openai'
import {
  conversation,
  post,
  remove,
  runOn,
  say,
  settled,
  upload,
  weather,
} from '../../src/sandbox/assistants.fixture.ts'
import type { Run } from '../../src/sandbox/objects.ts'
import { textOfTokens } from '../../src/sandbox/replies.ts'
import { transparentPng } from '../support/pictures.ts'
import { silentWav } from '../support/sounds.ts'
import type { TestWorld } from '../support/world.ts'
import { saying, seeded, shuffled } from './work.ts'

/** Whoever works in the month: a key of a team, with an assistant, a thread and the files they have now. */
type Worker = {
  readonly client: OpenAI
  assistant: string
  thread: string
  /** Of the assistant, and those that messages of the thread brought. */
  files: readonly string[]
}

export type Month = {
  readonly from: string
  readonly days: number
  /** On which of the days somebody works. */
  readonly isBusy: (day: number) => boolean
  /** How often a day's work is done over. */
  readonly rounds: number
  readonly hoursBetweenClosings: number
}

const minute = 60_000
const hour = 3_600_000
const model = 'gpt-4-1106-preview'
const teams = ['search', 'search', 'support', 'research'] as const
const tools = [{ type: 'code_interpreter' }, { type: 'retrieval' }, weather] as const

/** A job that has ended by itself before it could be cancelled is one that trained to its end. */
const tooLate = (error: unknown): void => {
  if (!String(error).includes('Cannot cancel a job that has status')) throw error
}

/** Lives a month in a world: the same at each run. Time stands still while something is asked, and goes on between. */
export const liveMonth = async (world: TestWorld, month: Month): Promise<void> => {
  const random = seeded('month', month.from)
  const { clock, gateway } = world
  const start = clock.now()

  const passTo = async (at: number): Promise<void> => {
    const stride = month.hoursBetweenClosings * hour
    for (;;) {
      const next = Math.floor(clock.now() / stride) * stride + stride
      if (next > at) break
      clock.advance(next - clock.now())
      await gateway.sweep()
    }
    clock.advance(at - clock.now())
  }
  const pass = (milliseconds: number): Promise<void> => passTo(clock.now() + milliseconds)

  const settle = async (worker: Worker): Promise<void> => {
    const at = await conversation(worker.client, { tools, model, instructions: saying(`i ${clock.now()}`) })
    Object.assign(worker, { ...at, files: [] })
  }

  const workers: Worker[] = []
  for (const team of teams) {
    const worker: Worker = { client: await world.client(team), assistant: '', thread: '', files: [] }
    await settle(worker)
    workers.push(worker)
  }

  const text = (): string =>
    saying(`${month.from} ${clock.now()} ${random.whole({ least: 0, most: 1_000_000 })}`)

  /** Runs to its end, and answers what it asks for; now and then somebody does not. */
  const run = async (worker: Worker, tags: string, patience: 'answers' | 'cancels' | 'leaves') => {
    await say(worker.client, worker.thread, `${text()} ${tags}`)
    let now = await runOn(worker.client, worker)
    while (now.status === 'requires_action') {
      const path = `/threads/${now.thread_id}/runs/${now.id}`
      await pass(random.whole({ least: 5, most: 150 }) * 1000)
      if (patience === 'leaves') await pass(10 * minute)
      else if (patience === 'cancels') await post(worker.client, `${path}/cancel`)
      else await post(worker.client, `${path}/submit_tool_outputs`, outputsOf(now))
      now = await settled(worker.client, now)
    }
  }

  const outputsOf = (waiting: Run) => ({
    tool_outputs: (waiting.required_action?.submit_tool_outputs.tool_calls ?? []).map(({ id }) => ({
      tool_call_id: id,
      output: text(),
    })),
  })

  /** Trains to the end, or until somebody thinks better of it. Jobs live in real time; looking settles one that is over. */
  const train = async ({ client }: Worker, patience: 'waits' | 'cancels'): Promise<string | null> => {
    const examples = Array.from({ length: 10 }, () =>
      JSON.stringify({
        messages: [
          { role: 'user', content: text() },
          { role: 'assistant', content: text() },
        ],
      }),
    )
    const file = await toFile(Buffer.from(examples.join('\n')), 'examples.jsonl')
    const { id } = await client.fineTuning.jobs.create({
      model: random.pick(['gpt-3.5-turbo', 'gpt-3.5-turbo-1106']),
      training_file: (await client.files.create({ file, purpose: 'fine-tune' })).id,
      hyperparameters: { n_epochs: random.whole({ least: 1, most: 4 }) },
    })
    if (patience === 'cancels') await client.fineTuning.jobs.cancel(id).catch(tooLate)
    for (;;) {
      const { status, fine_tuned_model } = await client.fineTuning.jobs.retrieve(id)
      if (['succeeded', 'failed', 'cancelled'].includes(status)) return fine_tuned_model
      await sleep(2)
    }
  }

  const work: Readonly<Record<string, (worker: Worker) => Promise<unknown>>> = {
    chat: ({ client }) =>
      client.chat.completions.create({
        model: random.pick([model, 'gpt-4', 'gpt-3.5-turbo-1106']),
        messages: [{ role: 'user', content: text() }],
      }),
    stream: async ({ client }) => {
      const messages = [{ role: 'user' as const, content: text() }]
      for await (const _ of await client.chat.completions.create({ model, messages, stream: true }));
    },
    vision: ({ client }) => {
      const picture = transparentPng(random.pick([64, 512, 1024]))
      const url = `data:image/png;base64,${picture.toString('base64')}`
      const detail = random.pick(['low', 'high'] as const)
      return client.chat.completions.create({
        model: 'gpt-4-vision-preview',
        max_tokens: 300,
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: text() },
              { type: 'image_url', image_url: { url, detail } },
            ],
          },
        ],
      })
    },
    plainRun: (worker) => run(worker, '[answer]', 'answers'),
    toolRun: (worker) =>
      run(worker, random.pick(['[code]', '[code] [code]', '[retrieve]', '[code] [retrieve]']), 'answers'),
    functionRun: (worker) => run(worker, random.pick(['[call weather]', '[call weather] [code]']), 'answers'),
    cancelledRun: (worker) => run(worker, '[code] [call weather]', 'cancels'),
    expiredRun: (worker) => run(worker, '[call weather]', 'leaves'),
    failedRun: (worker) => run(worker, '[code] [fail]', 'answers'),
    picture: ({ client }) =>
      client.images.generate({
        model: 'dall-e-2',
        prompt: 'A gate',
        n: random.whole({ least: 1, most: 3 }),
        size: random.pick(['256x256', '512x512', '1024x1024'] as const),
      }),
    painting: ({ client }) =>
      client.images.generate({
        model: 'dall-e-3',
        prompt: 'A gate at night',
        size: random.pick(['1024x1024', '1792x1024'] as const),
        quality: random.pick(['standard', 'hd'] as const),
      }),
    speech: ({ client }) =>
      client.audio.speech.create({
        model: random.pick(['tts-1', 'tts-1-hd'] as const),
        voice: 'alloy',
        input: text().slice(0, 300),
      }),
    transcription: async ({ client }) => {
      const sound = silentWav(random.whole({ least: 1, most: 900 }) / 10, 4000)
      const file = await toFile(sound, 'sound.wav', { type: 'audio/wav' })
      return client.audio.transcriptions.create({ model: 'whisper-1', file })
    },
    embedding: ({ client }) =>
      client.embeddings.create({ model: 'text-embedding-ada-002', input: [text(), text()] }),
    store: async (worker) => {
      if (worker.files.length > 5) return
      const file = await upload(
        worker.client,
        textOfTokens(random.whole({ least: 20, most: 2_000 }), clock.now()),
      )
      worker.files = [...worker.files, file]
      await post(worker.client, `/assistants/${worker.assistant}/files`, { file_id: file })
    },
    bring: async (worker) => {
      if (worker.files.length > 5) return
      const file = await upload(
        worker.client,
        textOfTokens(random.whole({ least: 20, most: 900 }), clock.now()),
      )
      worker.files = [...worker.files, file]
      await say(worker.client, worker.thread, 'Read this.', [file])
      await run(worker, '[retrieve]', 'answers')
    },
    forget: async (worker) => {
      const [file, ...files] = worker.files
      if (file === undefined) return
      worker.files = files
      await remove(worker.client, `/files/${file}`)
    },
    training: async (worker) => {
      const tuned = await train(worker, 'waits')
      if (tuned === null) throw new Error('A job made no model.')
      const messages = [{ role: 'user' as const, content: text() }]
      await worker.client.chat.completions.create({ model: tuned, messages })
    },
    cancelledTraining: (worker) => train(worker, 'cancels'),
    newThread: async (worker) => {
      await remove(worker.client, `/threads/${worker.thread}`)
      worker.thread = (await post<{ id: string }>(worker.client, '/threads')).id
    },
    newAssistant: async (worker) => {
      if (random.whole({ least: 0, most: 3 }) > 0) return
      await remove(worker.client, `/assistants/${worker.assistant}`)
      await settle(worker)
    },
  }

  for (let day = 0; day < month.days; day += 1) {
    if (month.isBusy(day)) {
      await passTo(start + day * 24 * hour + random.whole({ least: 0, most: 500 }) * minute)
      const kinds = Array.from({ length: month.rounds }, () => Object.keys(work)).flat()
      for (const kind of shuffled(kinds, `${month.from} ${day}`)) {
        const worker = workers[random.whole({ least: 0, most: workers.length - 1 })]
        if (worker !== undefined) await work[kind]?.(worker)
        // Now and then several fall into one minute, or a session's hour.
        await pass(random.pick([0, 1, 20, 65, 600, 1_800, 2_400, 3_000]) * 1000)
      }
    }
    await passTo(Math.max(clock.now(), start + (day + 1) * 24 * hour))
  }
}
