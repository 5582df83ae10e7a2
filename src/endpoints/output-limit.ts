import { countOf, type Json, member } from './json.ts'

/** Where a member stands in a request: the names on the way to it, from the top. */
export type MemberPath = readonly [string, ...string[]]

/** The limit that a request puts on the tokens of its reply. */
export type OutputLimit = {
  /** The members that say it: more than one where a request says it in two manners. */
  readonly fields: readonly MemberPath[]
  /** What it is: as the request says, else what the wire or the model takes where it says nothing. */
  readonly asked: number
  /** Whether the request says it itself. */
  readonly said: boolean
  /** The least it may be: whatever the model may think, and the shortest answer. */
  readonly floor: number
}

/** The shortest answer that is worth asking for, in tokens: the least that Responses takes as `max_output_tokens`
 * (the vendor's refusal of less, as earendil-works/pi issue 6265 has it, 2026-07-02). Other wires take less. */
export const answerTokensLeast = 16

/** Finds the limit of a request: in the members that say it, else the one it would stand in with what holds `unsaid`.
 * Null where nobody knows what holds, or where what stands there is no number. */
export const findOutputLimit = (
  request: Json,
  {
    fields,
    unsaid,
    thinking = 0,
  }: {
    readonly fields: readonly MemberPath[]
    readonly unsaid: { readonly field: MemberPath; readonly asked: number | null }
    /** The tokens that the model is told to think with, which the limit has in it. */
    readonly thinking?: number
  },
): OutputLimit | null => {
  const floor = thinking + answerTokensLeast
  const said = fields.filter((field) => (memberAt(request, field) ?? null) !== null)
  if (said.length === 0) {
    return unsaid.asked === null ? null : { fields: [unsaid.field], asked: unsaid.asked, said: false, floor }
  }
  const limits = said.map((field) => countOf(memberAt(request, field)))
  const counts = limits.filter((limit) => limit !== null)
  return counts.length < limits.length
    ? null
    : { fields: said, asked: Math.max(...counts), said: true, floor }
}

/** The same request with another limit, no field of it higher than before. */
export const withOutputLimit = (request: Json, { fields }: OutputLimit, outputTokens: number): Json =>
  fields.reduce((changed, field) => setAt(changed, field, loweredAt(request, field, outputTokens)), request)

/** What a field says once the limit is lowered. */
export const loweredAt = (request: Json, field: MemberPath, outputTokens: number): number =>
  Math.min(countOf(memberAt(request, field)) ?? outputTokens, outputTokens)

const memberAt = (request: Json, field: MemberPath): Json =>
  field.reduce<Json>((value, name) => member(value, name), request)

const setAt = (value: Json, [name, ...rest]: readonly string[], limit: number): Json =>
  name === undefined ? limit : { ...Object(value), [name]: setAt(member(value, name), rest, limit) }
