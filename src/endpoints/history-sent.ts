import { type Json, member } from './json.ts'

/** History that a request sends again, and all of its text, in bytes: what stands before the turns after the model's
 * last one. Instructions count in all of it and are not history. */
export const historySent = (
  turns: readonly Json[],
  wire: {
    /** Whether the model wrote a turn. */
    readonly isModels: (turn: Json) => boolean
    readonly isInstruction?: (turn: Json) => boolean
    readonly bytesOf: (turn: Json) => number
    /** The bytes of instructions that stand apart from the turns. */
    readonly instructions?: number
  },
): { readonly resent: number; readonly total: number } => {
  const { isModels, isInstruction = () => false, bytesOf, instructions = 0 } = wire
  const last = turns.findLastIndex(isModels)
  let [resent, total] = [0, instructions]
  turns.forEach((turn, index) => {
    const bytes = bytesOf(turn)
    total += bytes
    if (index <= last && !isInstruction(turn)) resent += bytes
  })
  return { resent, total }
}

/** Whether a turn of OpenAI's wires is an instruction. */
export const isInstruction = (turn: Json): boolean =>
  member(turn, 'role') === 'system' || member(turn, 'role') === 'developer'
