import type OpenAI from 'openai'
import { toFile } from 'openai'
import type { Run } from '../../../sandbox/objects.ts'
import type { ArticleCase, Ask, Storage } from './cases.ts'
import { type Made, moveTo, type Replay } from './replay.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const mebibyte = 2 ** 20

type CaseOf<Service> = ArticleCase & { readonly ask: Extract<Ask, { readonly service: Service }> }

/** Runs with the code interpreter, each at its minute. */
export const holdSessions = async (replay: Replay, asked: CaseOf<'code-interpreter'>): Promise<Made> => {
  const { id, ask } = asked
  const client = await replay.client(id)
  const start = replay.clock.now()
  const assistant = await createAssistant(client, { tools: [{ type: 'code_interpreter' }] })
  const threads = new Map<number, string>()
  for (const { minute, thread, calls } of ask.runs) {
    moveTo(replay.clock, start + minute * minuteMs)
    const place = threads.get(thread) ?? (await client.beta.threads.create({}, beta)).id
    threads.set(thread, place)
    await converse(client, { thread: place, assistant, text: Array(calls).fill('[code]').join(' ') })
  }
  return { team: id, meter: 'code_interpreter_session' }
}

/** Keeps files for assistants that talk, and removes them. */
export const holdStorage = async (replay: Replay, asked: CaseOf<'retrieval'>): Promise<Made> => {
  const { id, ask } = asked
  const client = await replay.client(id)
  const files = await uploadAll(client, ask)
  const start = replay.clock.now()
  for (let each = 0; each < ask.assistants; each += 1) {
    const assistant = await createAssistant(client, { tools: [{ type: 'retrieval' }], file_ids: files })
    for (let talk = 0; talk < ask.conversations; talk += 1) {
      const { id: thread } = await client.beta.threads.create({}, beta)
      await converse(client, { thread, assistant, text: 'How are you? [answer]' })
    }
  }
  moveTo(replay.clock, start + ask.hours * hourMs)
  for (const file of files) await client.files.delete(file)
  replay.clock.advance(hourMs)
  await replay.world.gateway.sweep()
  return { team: id, meter: 'retrieval_gb_day' }
}

const uploadAll = async (client: OpenAI, { files, mebibytes }: Storage): Promise<readonly string[]> => {
  const ids: string[] = []
  for (let each = 1; each <= files; each += 1) {
    const file = await toFile(Buffer.alloc(mebibytes * mebibyte, 'x'), `facts-${each}.txt`)
    ids.push((await client.files.create({ file, purpose: 'assistants' })).id)
  }
  return ids
}

/** What of 2023 the SDK of today has no types for is asked by its path. */
const beta = { headers: { 'OpenAI-Beta': 'assistants=v1' } }

const createAssistant = async (
  client: OpenAI,
  fields: { readonly tools: readonly { readonly type: string }[]; readonly file_ids?: readonly string[] },
): Promise<string> => {
  const body = { model: 'gpt-4-1106-preview', ...fields }
  return (await client.post<{ id: string }>('/assistants', { body, ...beta })).id
}

/** Between two looks at a run. */
const lookMs = 5

/** One message and one run, to its end. */
const converse = async (
  client: OpenAI,
  { thread, assistant, text }: { thread: string; assistant: string; text: string },
): Promise<void> => {
  await client.beta.threads.messages.create(thread, { role: 'user', content: text }, beta)
  const path = `/threads/${thread}/runs`
  let run = await client.post<Run>(path, { body: { assistant_id: assistant }, ...beta })
  while (run.status === 'queued' || run.status === 'in_progress') {
    await new Promise((resolve) => setTimeout(resolve, lookMs))
    run = await client.get<Run>(`${path}/${run.id}`, beta)
  }
}
