import type OpenAI from 'openai'
import { beta, completed, saying, seeded, shuffled } from './work.ts'

/** Who calls: the SDK with a key of the team. */
export type Team = { readonly name: string; readonly client: OpenAI }

/** A piece of work that cannot be cut: one call, or a conversation of several. */
export type Piece = {
  readonly team: string
  /** Calls that the vendor bills. */
  readonly billed: number
  /** Gives what the vendor names each of them: ids of completions and runs. */
  readonly run: () => Promise<readonly string[]>
}

const models = [
  'gpt-4-1106-preview',
  'gpt-3.5-turbo-1106',
  'gpt-4',
  'gpt-4-1106-preview',
  'gpt-3.5-turbo',
  'gpt-4-32k',
  'gpt-3.5-turbo-1106',
  'gpt-3.5-turbo-16k',
] as const

/** For each thousand calls: 300 whole chats, 200 streams, 100 with several choices, 25
 * conversations of 8 turns and 20 threads of 10 runs, in no helpful order. */
export const mixedLoad = (teams: readonly Team[], thousands: number): readonly Piece[] => {
  const many = (count: number, kind: string, make: (team: Team, seed: string, index: number) => Piece) =>
    Array.from({ length: count * thousands }, (_, index) => {
      const team = teams[seeded('team', kind, `${index}`).whole({ least: 0, most: teams.length - 1 })]
      if (team === undefined) throw new Error('There is no team.')
      return make(team, `${kind} ${index}`, index)
    })
  return shuffled(
    [
      ...many(300, 'whole', (team, seed, index) => oneChat(team, { seed, index, stream: false, choices: 1 })),
      ...many(200, 'stream', (team, seed, index) => oneChat(team, { seed, index, stream: true, choices: 1 })),
      ...many(100, 'choices', (team, seed, index) =>
        oneChat(team, { seed, index, stream: index % 2 === 0, choices: 2 + (index % 3) }),
      ),
      ...many(25, 'conversation', (team, seed, index) => conversation(team, { seed, index, turns: 8 })),
      ...many(20, 'thread', (team, seed, index) => thread(team, { seed, index, runs: 10 })),
    ],
    'mixed',
  )
}

type Messages = OpenAI.ChatCompletionMessageParam[]
type Shape = { readonly seed: string; readonly index: number }

const modelOf = (index: number): string => models[index % models.length] ?? models[0]

/** What a request may have besides its messages, and what changes its reply. */
const extrasOf = (index: number): Partial<OpenAI.ChatCompletionCreateParams> => {
  switch (index % 7) {
    case 0:
      return { max_tokens: 30 }
    case 1:
      return { stop: [' the', '.'] }
    case 2:
      return { temperature: 0.2, seed: 11 }
    default:
      return {}
  }
}

const oneChat = (
  team: Team,
  { seed, index, stream, choices }: Shape & { stream: boolean; choices: number },
): Piece => ({
  team: team.name,
  billed: 1,
  run: async () => {
    const messages: Messages = [
      ...(index % 3 === 0 ? [{ role: 'system' as const, content: saying(`system ${index % 5}`) }] : []),
      { role: 'user', content: saying(seed), ...(index % 4 === 0 && { name: `user_${index}` }) },
    ]
    const said = await chat(team, { index, messages, stream, choices })
    return [said.id]
  },
})

const conversation = (team: Team, { seed, index, turns }: Shape & { turns: number }): Piece => ({
  team: team.name,
  billed: turns,
  run: async () => {
    const ids: string[] = []
    const messages: Messages = [{ role: 'system', content: saying(`${seed} system`) }]
    for (let turn = 0; turn < turns; turn += 1) {
      messages.push({ role: 'user', content: saying(`${seed} turn ${turn}`) })
      const said = await chat(team, { index: index * 8, messages, stream: turn % 2 === 1, choices: 1 })
      messages.push({ role: 'assistant', content: said.text })
      ids.push(said.id)
    }
    return ids
  },
})

/** Asks, whole or streamed, and gives the first choice. */
const chat = async (
  { name, client }: Team,
  asked: { index: number; messages: Messages; stream: boolean; choices: number },
): Promise<{ id: string; text: string }> => {
  const { index, messages, stream, choices } = asked
  const request = {
    model: modelOf(index),
    messages: [...messages],
    user: name,
    ...(choices > 1 && { n: choices }),
    ...extrasOf(index),
  }
  if (!stream) {
    const reply = await client.chat.completions.create({ ...request, stream: false })
    return { id: reply.id, text: reply.choices[0]?.message.content ?? '' }
  }
  let [id, text] = ['', '']
  let ended = 0
  for await (const chunk of await client.chat.completions.create({ ...request, stream: true })) {
    id = chunk.id
    for (const choice of chunk.choices) {
      if (choice.index === 0) text += choice.delta.content ?? ''
      if (choice.finish_reason !== null) ended += 1
    }
  }
  if (ended !== choices) throw new Error(`A stream of ${choices} choices ended ${ended} of them.`)
  return { id, text }
}

const thread = (team: Team, { seed, index, runs }: Shape & { runs: number }): Piece => ({
  team: team.name,
  billed: runs,
  run: async () => {
    const { client } = team
    const headers = { headers: beta }
    const instructions = saying(`${seed} instructions`)
    const model = modelOf(index)
    const assistant = await client.beta.assistants.create({ model, instructions }, headers)
    const { id } = await client.beta.threads.create({}, headers)
    const ids: string[] = []
    for (let turn = 0; turn < runs; turn += 1) {
      const content = saying(`${seed} turn ${turn}`)
      await client.beta.threads.messages.create(id, { role: 'user', content }, headers)
      const run = await client.beta.threads.runs.create(id, { assistant_id: assistant.id }, headers)
      await completed(client, run)
      ids.push(run.id)
    }
    return ids
  },
})
