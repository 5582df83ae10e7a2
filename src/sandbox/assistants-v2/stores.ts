import { filesOf, tokensOf } from '../attachments.ts'
import { keep, the } from '../kept.ts'
import type { FileObject, Metadata } from '../objects.ts'
import type { Place } from '../state.ts'
import { seconds, type World } from '../world.ts'
import { allCompleted, type ChunkingStrategy, type VectorStore, type VectorStoreFile } from './objects-v2.ts'

export const storePlace: Place<'vector_store'> = { kind: 'vector_store', parent: null }
export const storeFilePlace = (store: string): Place<'vector_store_file'> => ({
  kind: 'vector_store_file',
  parent: store,
})

/** The vendor's chunks of April 2024: 800 tokens, of which 400 are those of the chunk before. */
export const chunksUnlessSaid: ChunkingStrategy = {
  type: 'static',
  static: { max_chunk_size_tokens: 800, chunk_overlap_tokens: 400 },
}

const daySeconds = 86_400

/** What a store is made of. */
export type StoreDraft = {
  readonly name: string | null
  readonly metadata: Metadata
  readonly expires_after: VectorStore['expires_after']
  readonly files: readonly string[]
  readonly chunking_strategy: ChunkingStrategy
}

/** Makes a store with its files, which are in it at once. Runs inside a transaction. */
export const makeStore = (world: World, draft: StoreDraft): VectorStore => {
  const now = seconds(world)
  const store: VectorStore = {
    id: world.newId('vs_'),
    object: 'vector_store',
    created_at: now,
    name: draft.name,
    metadata: draft.metadata,
    status: 'completed',
    expires_after: draft.expires_after,
    expires_at: expiryOf(draft.expires_after, now),
    last_active_at: now,
  }
  keep(world, storePlace, store)
  addToStore(world, store, draft.files, draft.chunking_strategy)
  return store
}

/** Puts files into a store, and stores them from now on. A file that is in it stays as it is. What is in a store
 * has the bytes of the file: the vendor measures what it made of it, and never said how. Inside a transaction. */
export const addToStore = (
  world: World,
  store: VectorStore,
  ids: readonly string[],
  chunking_strategy: ChunkingStrategy,
): void => {
  for (const file of filesOf(world, ids)) {
    if (world.state.find(storeFilePlace(store.id), file.id) !== null) continue
    keep(
      world,
      storeFilePlace(store.id),
      entryOf(world, store, file, chunking_strategy),
      tokensOf(world, file),
    )
    const holding = { assistant: store.id, file: file.id, source: store.id, bytes: file.bytes }
    world.state.hold({ ...holding, from: world.clock.now() })
  }
}

const entryOf = (
  world: World,
  store: VectorStore,
  file: FileObject,
  chunking_strategy: ChunkingStrategy,
): VectorStoreFile => ({
  id: file.id,
  object: 'vector_store.file',
  created_at: seconds(world),
  vector_store_id: store.id,
  usage_bytes: file.bytes,
  status: 'completed',
  last_error: null,
  chunking_strategy,
})

/** Takes a file out of a store. Inside a transaction. */
export const takeFromStore = (world: World, store: string, file: string): void => {
  world.state.detach(storeFilePlace(store), file)
  world.state.release({ assistant: store, file, source: store }, world.clock.now())
}

/** Deletes a store. Its files stay where they were uploaded. Inside a transaction. */
export const dropStore = (world: World, store: string): void => {
  world.state.remove(store)
  world.state.release({ assistant: store }, world.clock.now())
}

/** The store of that id as it is now, or the vendor's refusal. */
export const theStore = (world: World, id: string | undefined): VectorStore => {
  expireStores(world)
  return the(world, storePlace, id)
}

/** A store was used: what ends so many days after its last use ends later. */
export const touchStore = (world: World, store: VectorStore): VectorStore => {
  const last_active_at = seconds(world)
  const touched = { ...store, last_active_at, expires_at: expiryOf(store.expires_after, last_active_at) }
  world.state.replace(storePlace, touched)
  return touched
}

/** Ends the stores whose time has passed, each at its own second: what was in one is gone, and costs no more. */
export const expireStores = (world: World): void => {
  const now = seconds(world)
  const late = world.state
    .every('vector_store')
    .filter(({ status, expires_at }) => status !== 'expired' && expires_at !== null && expires_at <= now)
  for (const store of late) {
    for (const { id } of world.state.files(storeFilePlace(store.id))) {
      world.state.detach(storeFilePlace(store.id), id)
    }
    world.state.release({ assistant: store.id }, (store.expires_at ?? now) * 1000)
    world.state.replace(storePlace, { ...store, status: 'expired' })
  }
}

export const expiryOf = (after: VectorStore['expires_after'], lastActive: number): number | null =>
  after === null ? null : lastActive + after.days * daySeconds

/** A store as the vendor shows it: with what is in it. */
export const shownStore = (world: World, store: VectorStore) => {
  const files = world.state.listed(storeFilePlace(store.id))
  return {
    ...store,
    usage_bytes: files.reduce((sum, { usage_bytes }) => sum + usage_bytes, 0),
    file_counts: allCompleted(files.length),
  }
}
