import type OpenAI from 'openai'
import { APIError } from 'openai'
import { textOfTokens } from '../../sandbox/replies.ts'
import type { Conversation } from './scenario.ts'

/** How a conversation went. `refused` is the message of the budget that ended it. `thread` names the
 * conversation in the ledger. */
export type Held = {
  readonly conversation: Conversation
  readonly thread: string
  readonly turns: number
  readonly refused: string | null
}

/** Holds a conversation through the official SDK, turn by turn, until it is done or a budget ends it. */
export const converse = async (client: OpenAI, conversation: Conversation, name: string): Promise<Held> => {
  const speak =
    conversation.kind === 'assistant'
      ? await assistant(client, conversation, name)
      : chat(client, conversation, name)
  for (let turn = 1; turn <= conversation.turns; turn += 1) {
    try {
      await speak.turn(textOfTokens(conversation.user, `${name} ${turn}`))
    } catch (error) {
      if (!(error instanceof APIError) || error.status !== 402) throw error
      return { conversation, thread: speak.thread, turns: turn - 1, refused: error.message }
    }
  }
  return { conversation, thread: speak.thread, turns: conversation.turns, refused: null }
}

type Speaker = { readonly thread: string; readonly turn: (question: string) => Promise<void> }

/** Chat Completions keep nothing: the client sends the history again itself. */
const chat = (client: OpenAI, { model, system, kind, maxTokens }: Conversation, name: string): Speaker => {
  const messages: OpenAI.ChatCompletionMessageParam[] = [
    { role: 'system', content: textOfTokens(system, name) },
  ]
  const asked = { model, messages, ...(maxTokens !== undefined && { max_tokens: maxTokens }) }
  const options = { headers: { 'octroi-tags': `conversation=${name}` } }
  return {
    thread: name,
    turn: async (question) => {
      messages.push({ role: 'user', content: question })
      let answer = ''
      if (kind === 'stream') {
        const stream = await client.chat.completions.create({ ...asked, stream: true }, options)
        for await (const chunk of stream) answer += chunk.choices[0]?.delta.content ?? ''
      } else {
        const reply = await client.chat.completions.create(asked, options)
        answer = reply.choices[0]?.message.content ?? ''
      }
      messages.push({ role: 'assistant', content: answer })
    },
  }
}

const beta = { headers: { 'OpenAI-Beta': 'assistants=v1' } }

/** Between two looks at a run. */
const lookMs = 5

/** Assistants keep the thread at the vendor, and bill it again at each run. */
const assistant = async (client: OpenAI, { model, system }: Conversation, name: string): Promise<Speaker> => {
  const created = await client.beta.assistants.create(
    { model, instructions: textOfTokens(system, name) },
    beta,
  )
  const thread = await client.beta.threads.create({}, beta)
  return {
    thread: thread.id,
    turn: async (question) => {
      await client.beta.threads.messages.create(thread.id, { role: 'user', content: question }, beta)
      let run = await client.beta.threads.runs.create(thread.id, { assistant_id: created.id }, beta)
      while (run.status === 'queued' || run.status === 'in_progress') {
        await new Promise((resolve) => setTimeout(resolve, lookMs))
        run = await client.beta.threads.runs.retrieve(run.id, { thread_id: thread.id }, beta)
      }
    },
  }
}
