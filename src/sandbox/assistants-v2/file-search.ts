import { assistantPlace } from '../assistants.ts'
import type { Run } from '../objects.ts'
import type { ServedModel } from '../profiles/profile.ts'
import { threadPlace } from '../threads.ts'
import type { World } from '../world.ts'
import type { ChunkingStrategy, VectorStore } from './objects-v2.ts'
import { expireStores, storeFilePlace, storePlace, touchStore } from './stores.ts'

/** Chunks that a search adds unless the tool says: 20, of GPT-3.5 5 (the vendor's page on file search, April 2024;
 * 16,000 and 4,000 tokens with chunks of 800). */
const chunksMost = 20
const chunksOfOlder = 5

/** The tokens that one search of a run adds to what its model reads: as many chunks as it may have, from the first
 * file on. Which of them fit the question best is not played. */
export const searchTokens = (world: World, run: Run, model: ServedModel): number => {
  const tool = run.tools.find((each) => each.type === 'file_search')
  const unlessSaid = model.id.startsWith('gpt-3.5') ? chunksOfOlder : chunksMost
  let left = tool?.file_search?.max_num_results ?? unlessSaid
  let found = 0
  for (const store of storesOf(world, run)) {
    const tokens = new Map(world.state.files(storeFilePlace(store.id)).map((file) => [file.id, file.tokens]))
    for (const { id, chunking_strategy } of world.state.listed(storeFilePlace(store.id))) {
      const chunks = chunksOf(tokens.get(id) ?? 0, chunking_strategy, left)
      found += chunks.reduce((sum, chunk) => sum + chunk, 0)
      left -= chunks.length
    }
  }
  return found
}

/** The first chunks of a text: each begins where the one before it ends, less the overlap. */
const chunksOf = (tokens: number, { static: size }: ChunkingStrategy, most: number): readonly number[] => {
  const { max_chunk_size_tokens: length, chunk_overlap_tokens: overlap } = size
  const chunks: number[] = []
  for (let from = 0; chunks.length < most && from < tokens; from += length - overlap) {
    chunks.push(Math.min(length, tokens - from))
    if (from + length >= tokens) break
  }
  return chunks
}

/** The stores of a run's assistant and of its thread. */
const storesOf = (world: World, run: Run): readonly VectorStore[] => {
  const assistant = world.state.find(assistantPlace, run.assistant_id)
  const thread = world.state.find(threadPlace, run.thread_id)
  const ids = [assistant, thread].flatMap(
    (owner) => owner?.v2?.tool_resources.file_search?.vector_store_ids ?? [],
  )
  return [...new Set(ids)].flatMap((id) => world.state.find(storePlace, id) ?? [])
}

/** A run that may search uses its stores, so that they end later. Gives the id of one that has expired already: the
 * vendor lets the run fail. */
export const useStores = (world: World, run: Run): string | null => {
  if (!run.tools.some(({ type }) => type === 'file_search')) return null
  expireStores(world)
  const stores = storesOf(world, run)
  const expired = stores.find(({ status }) => status === 'expired')
  if (expired !== undefined) return expired.id
  for (const store of stores) touchStore(world, store)
  return null
}
