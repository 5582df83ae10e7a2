/** A conversation as a team holds it. Sizes are in tokens. */
export type Conversation = {
  readonly name: string
  readonly kind: 'chat' | 'stream' | 'assistant'
  readonly model: string
  /** Instructions, sent again at every turn. */
  readonly system: number
  /** Each question. */
  readonly user: number
  readonly turns: number
  /** What the request allows a reply; without it the model's own cap is held. */
  readonly maxTokens?: number
}

/** What a team does. */
export type Team = {
  readonly team: string
  readonly conversations: readonly Conversation[]
}

/** A budget of a team for a calendar month, in US dollars. */
export type TeamBudget = { readonly team: string; readonly cap: string }

/** Every reply has this many tokens, so that the plan can be held against what happened. */
export const replyTokens = 200

/** The founding article's conversation: 0.805 USD, of which 0.475 for history that is sent again. */
export const articleConversation: Conversation = {
  name: 'the article',
  kind: 'assistant',
  model: 'gpt-4-1106-preview',
  system: 1000,
  user: 50,
  turns: 20,
}

/** One afternoon of November 2023: four teams, one of which reaches its budget. */
export const afternoon: readonly Team[] = [
  {
    team: 'support',
    conversations: [
      articleConversation,
      { name: 'refunds', kind: 'assistant', model: 'gpt-3.5-turbo-1106', system: 600, user: 80, turns: 6 },
    ],
  },
  {
    team: 'search',
    conversations: [1, 2, 3, 4].map((each) => ({
      name: `query rewriting ${each}`,
      kind: 'chat',
      model: 'gpt-3.5-turbo-1106',
      system: 300,
      user: 120,
      turns: 5,
    })),
  },
  {
    team: 'product',
    conversations: [1, 2, 3].map((each) => ({
      name: `writing ${each}`,
      kind: 'stream',
      model: 'gpt-4-1106-preview',
      system: 400,
      user: 150,
      turns: 6,
    })),
  },
  {
    team: 'research',
    conversations: [1, 2, 3].map((each) => ({
      name: `analysis ${each}`,
      kind: 'chat',
      model: 'gpt-4',
      system: 500,
      user: 200,
      turns: 8,
      maxTokens: 300,
    })),
  },
]

/** Set so that `research` reaches it in the middle of its afternoon. */
export const afternoonBudgets: readonly TeamBudget[] = [
  { team: 'support', cap: '20' },
  { team: 'research', cap: '0.75' },
]

/** A working day of the simulated month. */
export const workingDay: readonly Team[] = [
  {
    team: 'support',
    conversations: [1, 2].map((each) => ({
      name: `ticket ${each}`,
      kind: 'assistant',
      model: 'gpt-4-1106-preview',
      system: 1000,
      user: 50,
      turns: 5,
    })),
  },
  {
    team: 'search',
    conversations: [1, 2, 3].map((each) => ({
      name: `query rewriting ${each}`,
      kind: 'chat',
      model: 'gpt-3.5-turbo-1106',
      system: 300,
      user: 120,
      turns: 4,
    })),
  },
  {
    team: 'product',
    conversations: [1, 2].map((each) => ({
      name: `writing ${each}`,
      kind: 'stream',
      model: 'gpt-4-1106-preview',
      system: 400,
      user: 150,
      turns: 4,
    })),
  },
  {
    team: 'research',
    conversations: [
      { name: 'analysis', kind: 'chat', model: 'gpt-4', system: 500, user: 200, turns: 4, maxTokens: 300 },
    ],
  },
]

/** Set so that `research` reaches it in the second half of the month. */
export const monthBudgets: readonly TeamBudget[] = [
  { team: 'support', cap: '50' },
  { team: 'research', cap: '4' },
]
