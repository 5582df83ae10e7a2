import OpenAI, { toFile } from 'openai'
import { OctroiError } from '../../../errors.ts'
import type { DemoWorld } from '../world.ts'
import type { Replay } from './replay.ts'

const examples = 10
const example = {
  messages: [
    { role: 'user', content: 'Who pays?' },
    { role: 'assistant', content: 'Who passes the gate.' },
  ],
}

/** Between two looks at a job. */
const lookMs = 5

/** Has the sandbox tune a model, once, and gives its name. The gateway is not asked: it is the use of the result that
 * is replayed. */
export const tunedModel = ({ world, once }: Replay, base: string): Promise<string> =>
  once(`tuning of ${base}`, () => tune(world, base))

const tune = async (world: DemoWorld, base: string): Promise<string> => {
  const client = sandboxClient(world.sandbox.baseUrl)
  const lines = Array.from({ length: examples }, () => JSON.stringify(example)).join('\n')
  const file = await toFile(Buffer.from(lines), 'examples.jsonl')
  const { id: training_file } = await client.files.create({ file, purpose: 'fine-tune' })
  let job = await client.fineTuning.jobs.create({ model: base, training_file })
  while (job.finished_at === null) {
    await new Promise((resolve) => setTimeout(resolve, lookMs))
    job = await client.fineTuning.jobs.retrieve(job.id)
  }
  if (job.fine_tuned_model !== null) return job.fine_tuned_model
  throw new OctroiError('bad_input', `The sandbox did not tune ${base}: ${job.error?.message ?? job.status}.`)
}

/** The official SDK at the sandbox itself. */
export const sandboxClient = (baseURL: string): OpenAI =>
  new OpenAI({ apiKey: 'sk-sandbox', baseURL, maxRetries: 0 })
