import type { CapHistory, HistoryCap } from '../endpoints/history-cap.ts'
import type { Json } from '../endpoints/json.ts'
import type { Call } from '../ledger/entry.ts'
import { askingAs, betaOf } from './ask.ts'
import { ownerOf } from './call.ts'
import type { Exchange } from './exchange.ts'
import { withFields } from './member-text.ts'

/** A cap on history that an operator configured, and whose calls it holds for: those of every part that is named.
 * Of several the first that fits holds. */
export type ConfiguredCap = HistoryCap & {
  readonly match: Readonly<
    Partial<Record<'key' | 'organization' | 'team' | 'project' | 'environment', string>>
  >
}

/** The tag under which a call's settlement says that its history was capped, and how. */
export const historyCapTag = 'history_cap'

/** The exchange as it is sent where a cap holds and the wire has a field for it that the client left out: the fields
 * stand in front of the client's own bytes, which stay as they came. `told` is null where nothing was changed. */
export const capHistory = (
  exchange: Exchange,
  wire: { readonly capHistory?: CapHistory },
  caps: readonly ConfiguredCap[],
): { readonly exchange: Exchange; readonly told: string | null } => {
  const owner = ownerOf(exchange.caller)
  const cap = caps.find(({ match }) =>
    (Object.keys(match) as (keyof ConfiguredCap['match'])[]).every((part) => owner[part] === match[part]),
  )
  const capped =
    cap === undefined || wire.capHistory === undefined
      ? null
      : wire.capHistory(exchange.request, cap, betaOf(askingAs(exchange)))
  if (capped === null) return { exchange, told: null }
  const { fields, told } = capped
  const request: Json = { ...Object(exchange.request), ...fields }
  return {
    exchange: { ...exchange, request, body: withFields(exchange.body, JSON.stringify(fields).slice(1, -1)) },
    told,
  }
}

/** The call that a cap was put on says so. */
export const withCap = (call: Call, told: string | null): Call =>
  told === null ? call : { ...call, tags: { ...call.tags, [historyCapTag]: told } }

/** How a reply tells of a cap. */
export const capHeaders = (told: string | null): Record<string, string> =>
  told === null ? {} : { 'octroi-history-cap': told }
