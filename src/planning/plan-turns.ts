import { type CacheRule, type CacheSplit, cacheRuleOf, splitPrompt } from './caching.ts'
import type { PlanRequest } from './plan-request.ts'

/** One call of a planned turn, in tokens. `history`: the part of `input` that was sent before, the instructions
 * excepted. `cache`: how the input is billed. */
export type PlannedCall = {
  readonly input: number
  readonly history: number
  readonly output: number
  readonly cache: CacheSplit
}

/** One turn of a planned conversation: the sums of its calls, of which a turn without tools has one. */
export type PlannedTurn = {
  readonly turn: number
  readonly input: number
  readonly history: number
  readonly output: number
  readonly calls: readonly PlannedCall[]
}

/** What changes the tokens of a plan. */
type PlanTokens = Omit<PlanRequest, 'retrievalGigabytes' | 'assistants' | 'days' | 'conversationsPerMonth'>

/** The turns of a conversation in tokens, message by message: what stays of the history is the last
 * `keepTurns` turns, and of these the newest whole messages that fit under `capTokens`. A tool's call and its
 * result are one message, sent again in every later call. `rule`: how the cache bills them; that of the model
 * unless given. */
export const planTurns = (
  request: PlanTokens,
  rule: CacheRule | null = ruleOf(request),
): readonly PlannedTurn[] => {
  const { system, priming, keepTurns, capTokens, toolRounds, assistant } = request
  const user = userTokens(request)
  const messages = [user, ...toolRounds.map(({ call, result }) => call + result), assistant]
  const turns: PlannedTurn[] = []
  let [history, oldest, dropped] = [0, 0, false]
  let before: number | null = null
  const drop = (): void => {
    history -= messages[oldest % messages.length] ?? 0
    oldest += 1
    dropped = true
  }
  const expires = (rule?.lifetimeMinutes ?? Number.POSITIVE_INFINITY) < request.minutesBetween
  for (let turn = 1; turn <= request.turns; turn++) {
    const firstKept = keepTurns === null ? 0 : messages.length * (turn - 1 - keepTurns)
    while (oldest < firstKept) drop()
    if (expires) before = null
    const calls: PlannedCall[] = []
    let grown = 0
    for (let round = 0; round <= toolRounds.length; round++) {
      const fixed = system + priming + user + grown
      while (capTokens !== null && fixed + history > capTokens) drop()
      const input = fixed + history
      const shared = before === null ? 0 : dropped ? system : before
      calls.push({
        input,
        history: round === 0 ? history : history + user + grown - lastOf(messages, round),
        output: toolRounds[round]?.call ?? assistant,
        cache: splitPrompt(rule, { input, shared, whole: !dropped, tail: priming }),
      })
      ;[before, dropped] = [input - priming, false]
      grown += messages[round + 1] ?? 0
    }
    turns.push(turnOf(turn, calls))
    history += messages.reduce((sum, tokens) => sum + tokens, 0)
  }
  return turns
}

/** All input tokens of a conversation at once, by the closed form; null under a cap of tokens, where whole
 * messages are dropped and only counting them tells. With S fixed, u and a tokens a turn, c priming, n turns
 * of which k are kept: n(S + u + c) + (u + a)(kn - k(k + 1)/2). With tools every one of the turn's calls sends
 * this history, and its own rounds so far: r rounds of t tokens add t, 2t ... rt, and rt to what a turn leaves. */
export const totalInput = (request: PlanTokens): number | null => {
  if (request.capTokens !== null) return null
  const { system, assistant, priming, turns, toolRounds } = request
  const user = userTokens(request)
  const kept = Math.min(request.keepTurns ?? turns, turns - 1)
  const calls = toolRounds.length + 1
  const rounds = toolRounds.map(({ call, result }) => call + result)
  const left = user + assistant + rounds.reduce((sum, tokens) => sum + tokens, 0)
  const sentAgain = rounds.reduce((sum, tokens, index) => sum + tokens * (rounds.length - index), 0)
  const history = left * (kept * turns - (kept * (kept + 1)) / 2)
  return turns * (calls * (system + user + priming) + sentAgain) + calls * history
}

/** The rule by which a plan's prompts are cached; null where it asks for none, or none is known. */
export const ruleOf = ({ cache, provider, model, at }: PlanTokens): CacheRule | null =>
  cache === 'none' ? null : cacheRuleOf({ provider, model, at, lifetime: cache === 'auto' ? null : cache })

/** A user's message with its images. */
const userTokens = ({ user, imagesPerTurn }: PlanTokens): number => user + (imagesPerTurn?.tokens ?? 0)

/** The call and the result that a round sends for the first time. */
const lastOf = (messages: readonly number[], round: number): number => messages[round] ?? 0

const turnOf = (turn: number, calls: readonly PlannedCall[]): PlannedTurn => {
  const sum = (name: 'input' | 'history' | 'output'): number =>
    calls.reduce((total, call) => total + call[name], 0)
  return { turn, input: sum('input'), history: sum('history'), output: sum('output'), calls }
}
