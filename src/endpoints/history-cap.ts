import { type Json, member } from './json.ts'

/** A cap that an operator sets on the history which a stateful wire sends again: so many of the newest messages, so
 * many prompt tokens, or whatever fits into the window. Null where it caps nothing. */
export type HistoryCap = {
  readonly lastMessages: number | null
  readonly promptTokens: number | null
  readonly truncation: 'auto' | null
}

/** What a cap adds to a request: fields of the wire, and how it is told. */
export type HistoryCapped = { readonly fields: Readonly<Record<string, Json>>; readonly told: string }

/** What caps the history of a request, where its wire has a field for it that the client left out; null where there is
 * nothing to add. `version`: as the call's header says it. */
export type CapHistory = (request: Json, cap: HistoryCap, version: string | null) => HistoryCapped | null

/** Caps the history of a response with `truncation` (OpenAI's API description): what does not fit into the window is
 * left out from the middle, where the call would be refused otherwise. The wire has no other field for it. */
export const capResponseHistory: CapHistory = (request, { truncation }) =>
  truncation === null || member(request, 'truncation') !== undefined
    ? null
    : { fields: { truncation }, told: `truncation=${truncation}` }

/** Caps the history of a run of Assistants v2 with the fields that version has: `truncation_strategy` and
 * `max_prompt_tokens` (OpenAI's API description since April 2024). What the client says itself stays, null included.
 * Version 1 has no such field: null, and nothing is changed. `version`: the header `OpenAI-Beta`. */
export const capRunHistory: CapHistory = (request, { lastMessages, promptTokens }, version) => {
  if (version === null || !/(?:^|[,\s])assistants=v2(?:$|[,\s])/.test(version)) return null
  const cuts = lastMessages !== null && member(request, 'truncation_strategy') === undefined
  const bounds = promptTokens !== null && member(request, 'max_prompt_tokens') === undefined
  if (!cuts && !bounds) return null
  return {
    fields: {
      ...(cuts && { truncation_strategy: { type: 'last_messages', last_messages: lastMessages } }),
      ...(bounds && { max_prompt_tokens: promptTokens }),
    },
    told: [
      ...(cuts ? [`last_messages=${lastMessages}`] : []),
      ...(bounds ? [`prompt_tokens=${promptTokens}`] : []),
    ].join(', '),
  }
}
