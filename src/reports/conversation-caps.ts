import { type Picos, post } from '../money/money.ts'
import { multiply, type Rational, rational } from '../money/rational.ts'
import { turnsWorthKeeping } from '../planning/plan-choices.ts'

/** A call of a conversation as a cap sees it, in tokens. `history`: the part of `input` that was sent before.
 * `answer`: the part of its output that is sent again later. `inputCost`: what the input tokens came to, exactly. */
export type CappedTurn = {
  readonly input: number
  readonly history: number
  readonly answer: number
  readonly inputCost: Rational
}

/** How much of a history is sent again: that of the last turns, or what fits into a prompt of so many tokens. */
export type HistoryCap =
  | { readonly keepTurns: number; readonly capTokens: null }
  | { readonly keepTurns: null; readonly capTokens: number }

/** What a cap would have left out: on how many turns, how many input tokens, and what these cost. */
export type CapSaving = HistoryCap & {
  readonly turns: number
  readonly tokens: bigint
  readonly saved: Picos
}

/** The caps that a report proposes, as a plan does, and one of tokens where it is asked for. */
export const historyCaps = (capTokens: number | null = null): readonly HistoryCap[] => [
  ...turnsWorthKeeping.map((keepTurns) => ({ keepTurns, capTokens: null })),
  ...(capTokens === null ? [] : [{ keepTurns: null, capTokens }]),
]

/** What each cap would have saved of the turns of one conversation, which come in their order. It takes the answers
 * for what they were, and prices what is left out at what that call's input came to a token: with the price row
 * of the whole prompt, and its share of what a cache gave. A turn whose history is not known saves nothing; nor do
 * the turns kept that were held before the first one given. */
export const capSavings = (
  turns: readonly CappedTurn[],
  caps: readonly HistoryCap[],
): readonly CapSaving[] => {
  const ends = messageEnds(turns)
  return caps.map((cap) => {
    const sum = { turns: 0, tokens: 0n, saved: 0n }
    turns.forEach((turn, index) => {
      const left = turn.history - Math.min(turn.history, keptOf(turn, index, cap, ends))
      if (left === 0) return
      sum.turns += 1
      sum.tokens += BigInt(left)
      sum.saved += post(multiply(turn.inputCost, rational(BigInt(left), BigInt(turn.input))))
    })
    return { ...cap, ...sum }
  })
}

/** Adds savings, cap by cap. Both must be of the same caps. */
export const addSavings = (
  sums: readonly CapSaving[] | undefined,
  savings: readonly CapSaving[],
): readonly CapSaving[] =>
  savings.map((saving, index) => {
    const sum = sums?.[index]
    if (sum === undefined) return saving
    const [turns, tokens] = [sum.turns + saving.turns, sum.tokens + saving.tokens]
    return { ...saving, turns, tokens, saved: sum.saved + saving.saved }
  })

/** Where each message of a conversation ends, in tokens from its beginning: for each turn what the user's side
 * added, and then the answer. Both together are what the next history is longer by, unless the client cut it. That
 * shows in the new part of the input: less the instructions, which are in every one of them, it is what the user
 * said. The instructions are learnt where nothing can have been cut, at the beginning. */
const messageEnds = (turns: readonly CappedTurn[]): readonly number[] => {
  const ends = [0]
  let end = 0
  let instructions: number | null = null
  turns.forEach(({ input, history, answer }, index) => {
    const fresh = input - history
    const added = (turns[index + 1]?.history ?? 0) - history - answer
    const isBeginning = history === 0 || instructions === null
    if (isBeginning && added >= 0 && added <= fresh) instructions = fresh - added
    const said = instructions === null ? (added < 0 ? fresh : 0) : fresh - instructions
    const user = Math.max(0, added, said)
    ends.push(end + user, end + user + answer)
    end += user + answer
  })
  return ends
}

/** How much of a turn's history a cap would have kept: whole turns, or the newest whole messages that fit. */
const keptOf = (
  { input, history }: CappedTurn,
  index: number,
  { keepTurns, capTokens }: HistoryCap,
  ends: readonly number[],
): number => {
  const sofar = ends[2 * index] ?? 0
  if (keepTurns !== null) return index < keepTurns ? history : sofar - (ends[2 * (index - keepTurns)] ?? 0)
  const room = Math.max(0, capTokens - (input - history))
  return history <= room ? history : sofar - firstEnd(ends, { from: sofar - room, before: 2 * index })
}

/** The first end of a message at or after `from`; found by halving. */
const firstEnd = (
  ends: readonly number[],
  { from, before }: { readonly from: number; readonly before: number },
): number => {
  let [low, high] = [0, before]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if ((ends[middle] ?? 0) < from) low = middle + 1
    else high = middle
  }
  return ends[low] ?? 0
}
