/** Tokens by what they are: the two have prices of their own. */
export type RealtimeTokens = { readonly text: number; readonly audio: number }

/** One turn of a realtime session: what the user says, and what the model answers. */
export type RealtimeTurn = { readonly user: RealtimeTokens; readonly assistant: RealtimeTokens }

/** What each turn of a realtime session sends: the instructions, everything said and answered before, and what the
 * user says now. The whole conversation is sent again at each response (OpenAI guide to the costs of realtime, read
 * 2026-11-23). */
export const realtimeInputs = (
  instructions: RealtimeTokens,
  turns: readonly RealtimeTurn[],
): readonly RealtimeTokens[] => {
  let held = instructions
  return turns.map(({ user, assistant }) => {
    const input = sum(held, user)
    held = sum(input, assistant)
    return input
  })
}

/** The most input tokens of a response of a realtime model, as the same guide says them: 28,224 for a window of
 * 32,000 and answers of up to 4,096. The two do not add up (28,224 + 4,096 = 32,320); the catalogue of windows says
 * 32,000. The guide's figure is kept for those two, and the window less the answer where it says nothing. */
export const realtimeInputMax = (model: {
  readonly contextWindow: number
  readonly outputTokensMax: number
}): number => {
  const { contextWindow, outputTokensMax } = model
  const isTheGuides = contextWindow === 32_000 && outputTokensMax === 4096
  return isTheGuides ? 28_224 : Math.max(0, contextWindow - outputTokensMax)
}

const sum = (a: RealtimeTokens, b: RealtimeTokens): RealtimeTokens => ({
  text: a.text + b.text,
  audio: a.audio + b.audio,
})
