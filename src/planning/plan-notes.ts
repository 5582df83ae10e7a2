import type { ModelFact } from '../pricing/model-facts.ts'
import type { Plan } from './conversation.ts'

/** Where a plan meets the limits of its model: an answer longer than the model gives, a turn that no longer
 * fits into its window. Empty when nothing does, or when nothing is known of the model. */
export const planNotes = ({ request, turns }: Plan, fact: ModelFact | null): readonly string[] => {
  if (fact === null) return []
  const notes: string[] = []
  const { assistant } = request
  const { contextWindow, inputTokensMax, outputTokensMax } = fact
  if (outputTokensMax !== null && assistant > outputTokensMax) {
    notes.push(`${fact.model} answers with at most ${outputTokensMax} tokens, not ${assistant}.`)
  }
  if (contextWindow === null) return notes
  const room = Math.min(inputTokensMax ?? contextWindow, contextWindow - assistant)
  const tooLong = turns.find(({ input }) => input > room)
  if (tooLong !== undefined) {
    const remedy = room > 0 ? ` Plan with capTokens ${room}, or keep fewer turns.` : ''
    notes.push(
      `From turn ${tooLong.turn} on, ${tooLong.input} tokens and the answer do not fit into the window of ${fact.model} (${contextWindow} tokens).${remedy}`,
    )
  }
  return notes
}
