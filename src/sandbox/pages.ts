import type { Kinds } from './objects.ts'
import type { RequestFault } from './profiles/profile.ts'
import type { PageRequest, Place } from './state.ts'
import type { World } from './world.ts'

/** A list as the vendor answers it, of objects as `shown` shows them. */
export const listOf = <K extends keyof Kinds>(
  world: World,
  place: Place<K>,
  query: URLSearchParams,
  shown: (object: Kinds[K]) => unknown = (object) => object,
) => {
  const { data, hasMore } = world.state.page(place, readPage(world, place, query))
  return {
    object: 'list',
    data: data.map(shown),
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: hasMore,
  }
}

const readPage = (world: World, place: Place<keyof Kinds>, query: URLSearchParams): PageRequest => {
  const faults: RequestFault[] = []
  const [limit, order] = [query.get('limit') ?? '20', query.get('order') ?? 'desc']
  if (!/^\d{1,9}$/.test(limit)) {
    faults.push({
      place: ['query', 'limit'],
      message: 'value is not a valid integer (type=type_error.integer)',
    })
  } else if (Number(limit) < 1 || Number(limit) > 100) {
    const message = 'ensure this value is from 1 to 100 (type=value_error.number; limit_value=100)'
    faults.push({ place: ['query', 'limit'], message })
  }
  if (order !== 'asc' && order !== 'desc') {
    const message = "value is not a valid enumeration member; permitted: 'asc', 'desc' (type=type_error.enum)"
    faults.push({ place: ['query', 'order'], message })
  }
  if (faults.length > 0) throw world.profile.refusals.invalidRequest(faults)
  return {
    limit: Number(limit),
    order: order === 'asc' ? 'asc' : 'desc',
    after: cursor(world, place, query.get('after')),
    before: cursor(world, place, query.get('before')),
  }
}

const cursor = (world: World, place: Place<keyof Kinds>, id: string | null): string | null => {
  if (id === null || id === '') return null
  if (world.state.find(place, id) !== null) return id
  throw world.profile.refusals.notFound({ kind: place.kind, id: id.slice(0, 100) })
}
