import type { ModelFact } from '../pricing/model-facts.ts'
import type { Plan } from './conversation.ts'
import { firstShortRun } from './run-budget.ts'

/** Where a plan meets the limits of its model: an answer longer than the model gives, a turn that no longer
 * fits into its window; and by which rule its prompts are cached. Empty when there is nothing of this to say. */
export const planNotes = (plan: Plan, fact: ModelFact | null): readonly string[] => [
  ...(fact === null ? [] : windowNotes(plan, fact)),
  ...cacheNotes(plan),
  ...budgetNotes(plan),
]

const budgetNotes = ({ request: { runBudget }, turns }: Plan): readonly string[] => {
  const short = runBudget === null ? null : firstShortRun(turns, runBudget)
  if (runBudget === null || short === null) return []
  const { promptTokens, completionTokens } = runBudget
  return [
    `The run of turn ${short.turn} ends early, at its call ${short.call}: its calls together may use ${promptTokens} tokens in and ${completionTokens} out.`,
  ]
}

/** A cache is planned as one that always hits, and where no rule or no price is known none is planned. */
const cacheNotes = ({ request, cacheRule }: Plan): readonly string[] => {
  const { cache, provider, model } = request
  if (cache === 'none') return []
  if (cacheRule === null) {
    return [
      `No cache of ${model} (${provider}) is known on that day, with its rule and its price: every token is priced as fresh.`,
    ]
  }
  const lifetime =
    provider === 'anthropic' || cache === 'auto' ? '' : ` The lifetime ${cache} is Anthropic's.`
  return [
    `Cached by ${cacheRule.rule}, as if every turn found what the one before left: real caches find less.${lifetime}`,
  ]
}

const windowNotes = ({ request, turns }: Plan, fact: ModelFact): readonly string[] => {
  const notes: string[] = []
  const { assistant } = request
  const { contextWindow, inputTokensMax, outputTokensMax } = fact
  if (outputTokensMax !== null && assistant > outputTokensMax) {
    notes.push(`${fact.model} answers with at most ${outputTokensMax} tokens, not ${assistant}.`)
  }
  if (contextWindow === null) return notes
  const room = Math.min(inputTokensMax ?? contextWindow, contextWindow - assistant)
  const tooLong = turns
    .flatMap(({ turn, calls }) => calls.map(({ input }) => ({ turn, input })))
    .find(({ input }) => input > room)
  if (tooLong !== undefined) {
    const remedy = room > 0 ? ` Plan with capTokens ${room}, or keep fewer turns.` : ''
    notes.push(
      `From turn ${tooLong.turn} on, ${tooLong.input} tokens and the answer do not fit into the window of ${fact.model} (${contextWindow} tokens).${remedy}`,
    )
  }
  return notes
}
