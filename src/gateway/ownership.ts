import { type Json, member, textOf } from '../endpoints/json.ts'
import type { KnownObjects, Names, ObjectFacts, ObjectKind } from '../endpoints/objects.ts'
import { OctroiError } from '../errors.ts'
import type { Caller } from './identify.ts'
import { idsNamed } from './named-ids.ts'
import type { ObjectName, Registry } from './registry/registry.ts'
import type { Target } from './route.ts'

const kinds: readonly ObjectKind[] = [
  'assistant',
  'thread',
  'run',
  'file',
  'job',
  'response',
  'conversation',
  'vector_store',
  'container',
]

/** The objects that a request names, in its path or its body. With an Octroi key, each must be one that this
 * key created: to anyone else it does not exist. Without one, the client's own credential decides at the
 * vendor. Throws `unknown_object`. */
export const ownedObjects = async (
  registry: Registry,
  asked: { target: Target; caller: Caller; request: Json },
): Promise<KnownObjects> => {
  const { target, caller, request } = asked
  const owner = caller.key?.id ?? null
  const objects: Partial<Record<ObjectKind, ObjectFacts>> = {}
  for (const kind of kinds) {
    const id = target.params[kind] ?? textOf(member(request, `${kind}_id`))
    if (id === null || id === undefined) continue
    const found = await registry.object({ upstream: target.upstream.name, kind, id })
    const own = found !== null && found.owner === owner
    if (!own && owner !== null) throw unknownObject(kind, id)
    if (own) objects[kind] = found.facts
  }
  for (const { kind, id } of namedIn(target, request)) {
    const found = await registry.object({ upstream: target.upstream.name, kind, id })
    const own = found !== null && found.owner === owner
    // Items are made in many ways, and not all of them are seen.
    if (kind === 'item' && found === null) continue
    if (!own && owner !== null) throw unknownObject(kind, id)
    if (own) objects[kind] ??= found.facts
  }
  return objects
}

/** The known objects that a request names whose path no wire has: each must be the caller's own. What is not known here
 * is not asked after. Throws `unknown_object`. */
export const ownAmong = async (
  registry: Pick<Registry, 'among'>,
  { target, caller, request }: { target: Target; caller: Caller; request: Json },
): Promise<readonly ObjectName[]> => {
  const owner = caller.key?.id ?? null
  const known = await registry.among(target.upstream.name, await idsNamed(target.path, request))
  const ofOther = known.find((each) => each.owner !== owner)
  if (ofOther !== undefined) throw unknownObject(ofOther.kind, ofOther.id)
  return known
}

/** Those that the body names in lists, or deeper down. */
const namedIn = ({ route }: Target, request: Json): ReturnType<Names> =>
  'names' in route && route.names !== undefined ? route.names(request) : []

const unknownObject = (kind: ObjectKind, id: string): OctroiError =>
  new OctroiError('unknown_object', `No ${kind} found with id '${id.slice(0, 128)}' for this key.`)
