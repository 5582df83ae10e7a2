import { filesOf } from '../attachments.ts'
import { readFields } from '../fields.ts'
import { keep, refuse, the } from '../kept.ts'
import { listOf } from '../pages.ts'
import { Refusal } from '../refusal.ts'
import type { Place } from '../state.ts'
import { type Exchange, type Fields, isFields, seconds, type WireRoute, type World } from '../world.ts'
import { allCompleted, type ChunkingStrategy, type VectorStore, type VectorStoreBatch } from './objects-v2.ts'
import {
  addToStore,
  chunksUnlessSaid,
  dropStore,
  expireStores,
  expiryOf,
  makeStore,
  shownStore,
  storeFilePlace,
  storePlace,
  takeFromStore,
  theStore,
  touchStore,
} from './stores.ts'
import { readChoice, readNumber, readObject, readTexts } from './values.ts'

/** Vector stores, their files and their batches of files. All free; what is in them is billed by the day, above what
 * the account has free. */
export const vectorStores = (world: World): readonly WireRoute[] => [
  ...storeRoutes(world),
  ...fileRoutes(world),
  ...batchRoutes(world),
]

const route = (method: WireRoute['method'], path: string, handle: WireRoute['handle']): WireRoute => ({
  method,
  path: `/v1/vector_stores${path}`,
  family: 'vector-stores',
  beta: true,
  handle,
})

const storeRoutes = (world: World): readonly WireRoute[] => [
  route('POST', '', ({ body }) => {
    const draft = readStore(world, body)
    return {
      json: shownStore(
        world,
        world.state.together(() => makeStore(world, draft)),
      ),
    }
  }),
  route('GET', '', ({ query }) => {
    expireStores(world)
    return { json: listOf(world, storePlace, query, (store) => shownStore(world, store)) }
  }),
  route('GET', '/:store', ({ params }) => ({ json: shownStore(world, theStore(world, params['store'])) })),
  route('POST', '/:store', ({ params, body }) => {
    const modified = { ...theStore(world, params['store']), ...readChanges(world, body) }
    const touched = { ...modified, expires_at: expiryOf(modified.expires_after, modified.last_active_at) }
    world.state.replace(storePlace, touched)
    return { json: shownStore(world, touched) }
  }),
  route('DELETE', '/:store', ({ params }) => {
    const { id } = theStore(world, params['store'])
    world.state.together(() => dropStore(world, id))
    return { json: { id, object: 'vector_store.deleted', deleted: true } }
  }),
]

const fileRoutes = (world: World): readonly WireRoute[] => [
  route('POST', '/:store/files', ({ params, body }) => {
    const store = theLiveStore(world, params['store'])
    const reader = readFields(body, ['body'], ['file_id', 'chunking_strategy', 'attributes'])
    const id = reader.text('file_id', { most: 256, required: true }) ?? ''
    refuse(world, reader)
    const chunks = readChunks(body)
    world.state.together(() => addToStore(world, touchStore(world, store), [id], chunks))
    return { json: the(world, storeFilePlace(store.id), id) }
  }),
  route('GET', '/:store/files', ({ params, query }) => ({
    json: listOf(world, storeFilePlace(theStore(world, params['store']).id), query),
  })),
  route('GET', '/:store/files/:file', ({ params }) => ({
    json: the(world, storeFilePlace(theStore(world, params['store']).id), params['file']),
  })),
  route('DELETE', '/:store/files/:file', ({ params }) => {
    const store = theStore(world, params['store'])
    const { id } = the(world, storeFilePlace(store.id), params['file'])
    world.state.together(() => takeFromStore(world, store.id, id))
    return { json: { id, object: 'vector_store.file.deleted', deleted: true } }
  }),
]

const batchPlace = (store: string): Place<'vector_store_batch'> => ({
  kind: 'vector_store_batch',
  parent: store,
})

const shownBatch = ({ file_ids, ...batch }: VectorStoreBatch) => batch

const batchRoutes = (world: World): readonly WireRoute[] => {
  const theBatch = ({ params }: Exchange): VectorStoreBatch =>
    the(world, batchPlace(theStore(world, params['store']).id), params['batch'])
  return [
    route('POST', '/:store/file_batches', ({ params, body }) => {
      const store = theLiveStore(world, params['store'])
      return { json: shownBatch(world.state.together(() => makeBatch(world, store, body))) }
    }),
    route('GET', '/:store/file_batches/:batch', (exchange) => ({ json: shownBatch(theBatch(exchange)) })),
    route('POST', '/:store/file_batches/:batch/cancel', (exchange) => ({
      json: shownBatch(theBatch(exchange)),
    })),
    route('GET', '/:store/file_batches/:batch/files', (exchange) => {
      const { vector_store_id: store, file_ids } = theBatch(exchange)
      const data = file_ids.flatMap((id) => world.state.find(storeFilePlace(store), id) ?? [])
      const [first_id, last_id] = [data[0]?.id ?? null, data.at(-1)?.id ?? null]
      return { json: { object: 'list', data, first_id, last_id, has_more: false } }
    }),
  ]
}

/** Files that a store can be made with, and that can be added at once: the vendor's, of a batch. */
const batchFilesMax = 500

const makeBatch = (world: World, store: VectorStore, body: Fields): VectorStoreBatch => {
  const reader = readFields(body, ['body'], ['file_ids', 'chunking_strategy', 'attributes'])
  reader.list('file_ids', { most: batchFilesMax, required: true })
  refuse(world, reader)
  const file_ids = readTexts(body, 'file_ids', { most: batchFilesMax }) ?? []
  addToStore(world, touchStore(world, store), file_ids, readChunks(body))
  const batch: VectorStoreBatch = {
    id: world.newId('vsfb_'),
    object: 'vector_store.files_batch',
    created_at: seconds(world),
    vector_store_id: store.id,
    status: 'completed',
    file_counts: allCompleted(file_ids.length),
    file_ids,
  }
  keep(world, batchPlace(store.id), batch)
  return batch
}

/** A store into which files can be put: not one that has expired. The words are in the manner of their neighbours. */
const theLiveStore = (world: World, id: string | undefined): VectorStore => {
  const store = theStore(world, id)
  if (store.status !== 'expired') return store
  throw new Refusal(400, `Vector store ${store.id} is expired.`, { param: 'vector_store_id' })
}

const readStore = (world: World, body: Fields) => {
  const reader = readFields(
    body,
    ['body'],
    ['name', 'metadata', 'file_ids', 'expires_after', 'chunking_strategy'],
  )
  const name = reader.text('name', { most: 256 })
  const metadata = reader.metadata('metadata')
  refuse(world, reader)
  const files = readTexts(body, 'file_ids', { most: batchFilesMax }) ?? []
  filesOf(world, files)
  return {
    name: name ?? null,
    metadata: metadata ?? {},
    expires_after: readExpiry(body) ?? null,
    files,
    chunking_strategy: readChunks(body),
  }
}

/** What can be modified of a store. */
const readChanges = (world: World, body: Fields): Partial<VectorStore> => {
  const reader = readFields(body, ['body'], ['name', 'metadata', 'expires_after'])
  const [name, metadata] = [reader.text('name', { most: 256 }), reader.metadata('metadata')]
  refuse(world, reader)
  const expires_after = readExpiry(body)
  return {
    ...(name !== undefined && { name }),
    ...(metadata !== undefined && { metadata }),
    ...(expires_after !== undefined && { expires_after }),
  }
}

const daysMax = 365

const readExpiry = (body: Fields): VectorStore['expires_after'] | undefined => {
  if (body['expires_after'] === null) return null
  const value = readObject(body, 'expires_after')
  if (value === null) return undefined
  const anchor = readChoice(value, 'anchor', ['last_active_at'] as const, 'expires_after.anchor')
  const days = readNumber(value, 'days', { least: 1, most: daysMax, whole: true }, 'expires_after.days')
  return { anchor, days: days ?? 1 }
}

/** How files are cut: the vendor's chunks unless the request says others. */
export const readChunks = (body: Fields): ChunkingStrategy => {
  const value = readObject(body, 'chunking_strategy')
  const place = 'chunking_strategy'
  if (value === null) return chunksUnlessSaid
  const type = readChoice(value, 'type', ['auto', 'static'] as const, `${place}.type`)
  if (type === 'auto') return chunksUnlessSaid
  const given: Fields = isFields(value['static']) ? value['static'] : {}
  const size = { least: 100, most: 4096, whole: true }
  const max_chunk_size_tokens =
    readNumber(given, 'max_chunk_size_tokens', size, `${place}.static.max_chunk_size_tokens`) ?? 800
  const overlap = { least: 0, most: Math.floor(max_chunk_size_tokens / 2), whole: true }
  const chunk_overlap_tokens =
    readNumber(given, 'chunk_overlap_tokens', overlap, `${place}.static.chunk_overlap_tokens`) ?? overlap.most
  return { type, static: { max_chunk_size_tokens, chunk_overlap_tokens } }
}
