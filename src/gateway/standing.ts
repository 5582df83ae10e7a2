import type { StandingChange } from '../endpoints/endpoint.ts'
import { countOf, member } from '../endpoints/json.ts'
import { OctroiError } from '../errors.ts'
import type { AccrualOwner } from '../ledger/accrual.ts'
import type { Instant } from '../time.ts'
import { type Asking, ask, askFileBytes, betaOf, unlessGone } from './ask.ts'
import type { Parts } from './parts.ts'
import type { KeptPlace } from './registry/kept.ts'

/** Whose it is, and who can ask for what is not known. */
type Standing = {
  readonly asking: Asking
  readonly owner: AccrualOwner
  readonly endpoint: string
  readonly at: Instant
}

/** Begins and ends what costs with time, as a wire says it of a call that the vendor has done. What is kept because of
 * several sources is kept once, until the last of them is gone. Throws `upstream_broken` where a size cannot be had:
 * what is kept for an unknown size would be kept for nothing. */
export const applyStanding = async (
  parts: Parts,
  standing: Standing,
  changes: readonly StandingChange[],
): Promise<void> => {
  const { asking, at } = standing
  const upstream = asking.upstream.name
  for (const change of changes) {
    if (change.change === 'holds') await hold(parts, standing, change)
    else if (change.change === 'look') {
      const shown = await ask(parts, asking, change.path).catch(unlessGone)
      if (shown !== null) await applyStanding(parts, standing, change.read(shown))
    } else if (change.change === 'store') await keepStore(parts, standing, change)
    else if (change.change === 'store-gone') await parts.vectorStorage.gone({ upstream, id: change.id }, at)
    else if (change.change === 'look-at-stores') {
      await lookAtStores(parts, standing, change.read)
    } else {
      const { holder, object, source } = change
      await release(parts, { upstream, holder, object, source }, at)
    }
  }
}

/** The stores of whoever did it. Vector stores are asked for with the header that opens them, which calls about files
 * do not carry. */
const lookAtStores = async (
  parts: Parts,
  standing: Standing,
  read: (id: string) => StandingChange,
): Promise<void> => {
  const { asking, owner } = standing
  const stores = await parts.vectorStorage.storesOf(asking.upstream.name)
  const own = stores.filter((store) => store.owner.key === owner.key)
  const headers = { ...asking.headers, 'openai-beta': betaOf(asking) ?? 'assistants=v2' }
  const looks = own.map(({ id }) => read(id))
  await applyStanding(parts, { ...standing, asking: { ...asking, headers } }, looks)
}

const keepStore = async (
  parts: Parts,
  { asking: { upstream }, owner, endpoint, at }: Standing,
  { id, bytes, endsAt }: Extract<StandingChange, { change: 'store' }>,
): Promise<void> => {
  const { name, pricesFrom } = upstream
  await parts.vectorStorage.seen({ upstream: name, id, bytes, endsAt, pricesFrom, endpoint, owner }, at)
}

const hold = async (
  parts: Parts,
  { asking, owner, endpoint, at }: Standing,
  change: Extract<StandingChange, { change: 'holds' }>,
): Promise<void> => {
  const { upstream } = asking
  const { meter, holder, source, objects, attributes } = change
  const before = await parts.registry.kept({ upstream: upstream.name, holder, object: null, source })
  const known = new Set(before.map(({ object }) => object))
  for (const { id, path } of objects) {
    if (known.has(id)) continue
    const bytes = await sizeOf(parts, asking, { id, path, isThere: change.exact })
    if (bytes === null) continue
    const standing = { owner, upstream: upstream.name, pricesFrom: upstream.pricesFrom, endpoint, attributes }
    await parts.accruals.keep({ ...standing, meter, holder, object: id, bytes, at })
    await parts.registry.keep({ upstream: upstream.name, meter, holder, object: id, source })
  }
  if (!change.exact) return
  const kept = new Set(objects.map(({ id }) => id))
  for (const object of known) {
    if (!kept.has(object)) await release(parts, { upstream: upstream.name, holder, object, source }, at)
  }
}

/** The size of a file; null where it is gone, which is asked unless the vendor has just named it. */
const sizeOf = async (
  parts: Parts,
  asking: Asking,
  { isThere, ...file }: { id: string; path: string; isThere: boolean },
): Promise<number | null> => {
  const shown = isThere ? null : await ask(parts, asking, file.path).catch(unlessGone)
  if (!isThere && shown === null) return null
  const bytes = isThere ? await askFileBytes(parts, asking, file) : countOf(member(shown, 'bytes'))
  if (bytes !== null) return bytes
  throw new OctroiError('upstream_broken', `The provider does not say how large the file ${file.id} is.`)
}

const release = async (parts: Parts, place: KeptPlace, at: Instant): Promise<void> => {
  for (const gone of await parts.registry.onlyKept(place)) await parts.accruals.end({ ...gone, at })
  await parts.registry.release(place)
}
