import type { FieldReader } from './fields.ts'
import type { Kinds } from './objects.ts'
import { Refusal } from './refusal.ts'
import type { Place } from './state.ts'
import type { World } from './world.ts'

/** The object of that id, or the vendor's refusal. */
export const the = <K extends keyof Kinds>(
  world: World,
  place: Place<K>,
  id: string | undefined,
): Kinds[K] => {
  const found = id === undefined ? null : world.state.find(place, id)
  if (found !== null) return found
  throw world.profile.refusals.notFound({
    kind: place.kind.replaceAll('_', ' '),
    id: (id ?? '').slice(0, 100),
  })
}

/** Keeps an object, up to a bound that no test and no demo comes near. */
export const keep = <K extends keyof Kinds>(
  world: World,
  place: Place<K>,
  object: Kinds[K],
  tokens = 0,
): void => {
  if (world.state.count() >= objectsMax) {
    throw new Refusal(
      400,
      `The sandbox keeps at most ${objectsMax} objects. Delete some, or start it with --reset.`,
    )
  }
  world.state.add(place, object, tokens)
}

const objectsMax = 1_000_000

/** Throws the vendor's refusal when anything was wrong. */
export const refuse = (world: World, ...readers: readonly FieldReader[]): void => {
  const faults = readers.flatMap((reader) => reader.faults)
  if (faults.length > 0) throw world.profile.refusals.invalidRequest(faults)
}
