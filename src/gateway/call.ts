import { randomUUID } from 'node:crypto'
import type { RequestFacts } from '../endpoints/endpoint.ts'
import { OctroiError } from '../errors.ts'
import type { Call } from '../ledger/entry.ts'
import type { Instant } from '../time.ts'
import type { Caller } from './identify.ts'
import type { Target } from './route.ts'

/** Names the upstream attempt: who, when, what. A key's owner is never overridden by tags; without a key the
 * tags of the same names say who it is. Throws `bad_input` when no model is named. */
export const nameCall = (
  facts: RequestFacts,
  {
    caller,
    target,
    at,
    pseudonym,
  }: { caller: Caller; target: Target; at: Instant; pseudonym: (text: string) => string },
): Call => {
  if (facts.model === null) {
    throw new OctroiError(
      'bad_input',
      'The request names no model, so it has no price. Set "model" to a model id.',
    )
  }
  const tags = { ...facts.tags, ...caller.tags }
  const owner = caller.key ?? {
    organization: tags.organization ?? null,
    team: tags.team ?? null,
    project: tags.project ?? null,
    environment: tags.environment ?? null,
  }
  return {
    id: callId(at),
    at,
    provider: target.upstream.name,
    model: facts.model.slice(0, 200),
    endpoint: target.endpoint.id,
    key: caller.key?.id ?? null,
    organization: owner.organization,
    team: owner.team,
    project: owner.project,
    environment: owner.environment,
    endUser: facts.endUser === null ? null : pseudonym(facts.endUser),
    conversation: target.params.thread ?? tags.conversation ?? null,
    tags,
  }
}

/** Ordered by time, unique by chance: 48 bits of milliseconds, 74 random bits of a UUID. */
const callId = (at: Instant): string =>
  `call_${at.toString(16).padStart(12, '0')}${randomUUID().replaceAll('-', '').slice(0, 20)}`
