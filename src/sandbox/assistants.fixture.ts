import OpenAI, { toFile } from 'openai'
import type { AssistantFile, MessageFile, Run, Step, Tool } from './objects.ts'

/** What a test asks of Assistants v1, through the official client of today where that still has the path, and by
 * the path itself where it does not. */
export const conversation = async (
  client: OpenAI,
  {
    tools = [],
    file_ids = [],
    model = 'gpt-4-1106-preview',
    instructions = '',
  }: {
    readonly tools?: readonly Tool[]
    readonly file_ids?: readonly string[]
    readonly model?: string
    readonly instructions?: string
  } = {},
) => {
  const body = { model, tools, file_ids, instructions }
  const assistant = await client.post<{ id: string }>('/assistants', { body, ...beta })
  const thread = (await client.beta.threads.create({})).id
  return { assistant: assistant.id, thread }
}

/** The header that asks for the wire of 2023. */
const beta = { headers: { 'OpenAI-Beta': 'assistants=v1' } }

/** A request of v1. */
export const post = <T>(client: OpenAI, path: string, body: object = {}): Promise<T> =>
  client.post<T>(path, { body, ...beta })
export const get = <T>(client: OpenAI, path: string): Promise<T> => client.get<T>(path, beta)
export const remove = <T>(client: OpenAI, path: string): Promise<T> => client.delete<T>(path, beta)

export const say = (client: OpenAI, thread: string, content: string, file_ids: readonly string[] = []) =>
  post<{ id: string; file_ids: readonly string[] }>(client, `/threads/${thread}/messages`, {
    role: 'user',
    content,
    file_ids,
  })

/** Starts a run and polls it until it is over or waits for its client. */
export const runOn = async (
  client: OpenAI,
  { thread, assistant }: { readonly thread: string; readonly assistant: string },
  more: object = {},
): Promise<Run> => {
  const run = await post<Run>(client, `/threads/${thread}/runs`, { assistant_id: assistant, ...more })
  return settled(client, run)
}

/** Polls a run until it is over or waits for its client. */
export const settled = async (client: OpenAI, run: Pick<Run, 'id' | 'thread_id'>): Promise<Run> => {
  for (;;) {
    const now = await get<Run>(client, `/threads/${run.thread_id}/runs/${run.id}`)
    if (!['queued', 'in_progress', 'cancelling'].includes(now.status)) return now
    await new Promise((done) => setTimeout(done, 1))
  }
}

/** The steps of a run, oldest first. */
export const stepsOf = async (client: OpenAI, run: Run): Promise<readonly Step[]> =>
  (await get<List<Step>>(client, `/threads/${run.thread_id}/runs/${run.id}/steps?order=asc`)).data

export type List<T> = { readonly data: readonly T[]; readonly has_more: boolean }
export type Files = List<AssistantFile | MessageFile>

/** Uploads a file for assistants. */
export const upload = async (client: OpenAI, content: string | Uint8Array<ArrayBuffer>): Promise<string> => {
  const file = await toFile(typeof content === 'string' ? Buffer.from(content) : content, 'facts.txt')
  return (await client.files.create({ file, purpose: 'assistants' })).id
}

/** What the vendor said when it refused, with the status before it. */
export const messageOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'no refusal',
    (error: unknown) => (error instanceof OpenAI.APIError ? error.message : String(error)),
  )

/** A function to call, whose parameters are one city. */
export const weather: Tool = {
  type: 'function',
  function: {
    name: 'weather',
    description: 'Tells the weather',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string', enum: ['Paris', 'Rome'] } },
      required: ['city'],
    },
  },
}
