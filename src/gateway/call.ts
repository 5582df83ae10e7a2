import { randomUUID } from 'node:crypto'
import type { RequestFacts } from '../endpoints/endpoint.ts'
import { OctroiError } from '../errors.ts'
import type { Call } from '../ledger/entry.ts'
import type { Instant } from '../time.ts'
import type { Caller } from './identify.ts'
import { permitModel } from './permission.ts'
import type { Target } from './route.ts'

/** Names the upstream attempt: who, when, what. A key's owner is never overridden by tags; without a key the
 * tags of the same names say who it is. Throws `bad_input` when no model is named, and `not_allowed`
 * when the key may not use it. */
export const nameCall = async (
  facts: RequestFacts,
  {
    caller,
    target,
    at,
    pseudonym,
  }: { caller: Caller; target: Target; at: Instant; pseudonym: (name: string) => Promise<string> },
): Promise<Call> => {
  if (facts.model === null) {
    throw new OctroiError(
      'bad_input',
      'The request names no model, so it has no price. Set "model" to a model id.',
    )
  }
  permitModel(caller.key, facts.model)
  const owner = ownerOf({ key: caller.key, tags: { ...facts.tags, ...caller.tags } })
  return {
    id: callId(at),
    at,
    provider: target.upstream.name,
    model: facts.model.slice(0, 200),
    endpoint: target.endpoint.id,
    ...owner,
    endUser: facts.endUser === null ? null : await pseudonym(facts.endUser),
    conversation: target.params.thread ?? owner.tags.conversation ?? facts.conversation ?? null,
  }
}

/** Whose a call is. */
export const ownerOf = ({
  key,
  tags,
}: Pick<Caller, 'key' | 'tags'>): Pick<
  Call,
  'key' | 'organization' | 'team' | 'project' | 'environment' | 'tags'
> => {
  const { organization, team, project, environment } = key ?? {
    organization: tags.organization ?? null,
    team: tags.team ?? null,
    project: tags.project ?? null,
    environment: tags.environment ?? null,
  }
  return {
    ...{ key: key?.id ?? null, organization, team, project, environment },
    tags: { ...tags, ...key?.tags },
  }
}

/** Ordered by time, unique by chance: 48 bits of milliseconds, 74 random bits of a UUID. */
const callId = (at: Instant): string =>
  `call_${at.toString(16).padStart(12, '0')}${randomUUID().replaceAll('-', '').slice(0, 20)}`
