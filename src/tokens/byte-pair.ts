import { hashOf, rankOf, type Vocabulary } from './vocabulary.ts'

/** Merges the bytes of a piece as the vendor does: of all neighbours that make a token together, those of the lowest
 * rank first, the leftmost among equals; until no two do. Gives how many tokens are left. */
export type Merge = (bytes: Uint8Array, start: number, end: number) => number

/** Merges in order of rank without looking through the piece for it: n bytes take n log n steps, whatever they say.
 *
 * A long piece is merged block by block, in memory that does not grow. That is exact: parts are the tokens of a piece
 * if and only if every two neighbours, merged alone, stay these two. For the first merge across a border needs
 * nothing from outside the two parts beside it, so it happens in those two alone as well, or nowhere. */
export const newMerge = (vocabulary: Vocabulary, blockBytes = 8192): Merge => {
  /** The last tokens of a block are seldom those of the text; the next block begins before them. */
  const tailBytes = blockBytes >> 4
  const room = newRoom(blockBytes)
  const seam = newRoom(2 * vocabulary.bytesMax)
  const starts = new Int32Array(blockBytes)

  const staysTwo = (bytes: Uint8Array, start: number, border: number, end: number): boolean =>
    merge(vocabulary, bytes.subarray(start, end), seam) === 2 && seam.next[0] === border - start

  const mergeBlocks = (bytes: Uint8Array, start: number, end: number): number => {
    let from = start
    let tokens = 0
    let known = 0
    let stepsBack = 0
    for (;;) {
      const to = Math.min(from + blockBytes, end)
      const parts = merge(vocabulary, bytes.subarray(from, to), room)
      const before = starts[known - 1] ?? 0
      if (from > start && !staysTwo(bytes, before, from, from + (room.next[0] ?? 0))) {
        // The block began within a token: begin again one token earlier.
        if (known === 1 || stepsBack === stepsBackMax) break
        known -= 1
        tokens -= 1
        stepsBack += 1
        from = before
        continue
      }
      if (to === end) return tokens + parts
      known = 0
      stepsBack = 0
      let at = 0
      while (at < blockBytes - tailBytes) {
        starts[known++] = from + at
        at = room.next[at] ?? 0
      }
      tokens += known
      from += at
    }
    return merge(vocabulary, bytes.subarray(start, end), newRoom(end - start))
  }

  return (bytes, start, end) =>
    end - start <= blockBytes
      ? merge(vocabulary, bytes.subarray(start, end), room)
      : mergeBlocks(bytes, start, end)
}

/** So often a block begins anew before the piece is merged as a whole, in 36 bytes of memory a byte. */
const stepsBackMax = 8

/** A part of a piece is known by the place where it begins. `next` and `previous` chain the parts; `ranks` says which
 * token a part makes with its next one, -1 where none. What may be merged is an entry, `rank * 2^32 + place`: the
 * least goes first. Those of single bytes are sorted, those that merges lead to are in a heap. An entry that `ranks`
 * no longer agrees with is passed over. */
type Room = {
  readonly next: Int32Array
  readonly previous: Int32Array
  readonly ranks: Int32Array
  readonly sorted: Float64Array
  readonly heap: Heap
}

type Heap = { readonly entries: Float64Array; size: number }

/** There is one merge less than there are bytes, and each puts at most two entries into the heap. */
const newRoom = (bytes: number): Room => ({
  next: new Int32Array(bytes + 1),
  previous: new Int32Array(bytes + 1),
  ranks: new Int32Array(bytes + 1),
  sorted: new Float64Array(bytes),
  heap: { entries: new Float64Array(2 * bytes), size: 0 },
})

const rankFactor = 2 ** 32

const merge = (vocabulary: Vocabulary, piece: Uint8Array, room: Room): number => {
  const { next, previous, ranks, sorted, heap } = room
  const length = piece.length
  const offer = (place: number, behindBoth: number): void => {
    const rank = rankBetween(vocabulary, piece, place, behindBoth)
    ranks[place] = rank
    if (rank !== -1) push(heap, rank * rankFactor + place)
  }

  const sortedSize = sortPairs(vocabulary, piece, room)
  let parts = length
  for (let at = 0; at < sortedSize || heap.size > 0; ) {
    const early = at < sortedSize ? (sorted[at] ?? 0) : Number.POSITIVE_INFINITY
    const late = heap.size > 0 ? (heap.entries[0] ?? 0) : Number.POSITIVE_INFINITY
    const entry = Math.min(early, late)
    if (early < late) at += 1
    else pop(heap)
    const rank = Math.floor(entry / rankFactor)
    const place = entry - rank * rankFactor
    if (ranks[place] !== rank) continue

    const taken = next[place] ?? 0
    const behind = next[taken] ?? 0
    ranks[taken] = -1
    next[place] = behind
    previous[behind] = place
    parts -= 1
    if (behind < length) offer(place, next[behind] ?? 0)
    else ranks[place] = -1
    const before = previous[place] ?? -1
    if (before >= 0) offer(before, behind)
  }
  return parts
}

/** Makes every byte a part, and sorts the pairs that are tokens; gives how many are. */
const sortPairs = ({ pairs }: Vocabulary, piece: Uint8Array, room: Room): number => {
  const { next, previous, ranks, sorted } = room
  const last = piece.length - 1
  let size = 0
  for (let place = 0; place <= last; place++) {
    next[place] = place + 1
    previous[place] = place - 1
    const pair = (piece[place] ?? 0) * 256 + (piece[place + 1] ?? 0)
    const rank = place < last ? (pairs[pair] ?? -1) : -1
    ranks[place] = rank
    if (rank !== -1) sorted[size++] = rank * rankFactor + place
  }
  sorted.subarray(0, size).sort()
  return size
}

const rankBetween = (vocabulary: Vocabulary, piece: Uint8Array, start: number, end: number): number =>
  end - start > vocabulary.bytesMax ? -1 : rankOf(vocabulary, hashOf(piece, start, end), piece, start, end)

const push = (heap: Heap, entry: number): void => {
  const { entries } = heap
  let at = heap.size
  heap.size += 1
  while (at > 0) {
    const parent = (at - 1) >> 1
    const above = entries[parent] ?? 0
    if (above <= entry) break
    entries[at] = above
    at = parent
  }
  entries[at] = entry
}

/** Takes the least entry out. */
const pop = (heap: Heap): void => {
  const { entries } = heap
  const size = heap.size - 1
  heap.size = size
  const entry = entries[size] ?? 0
  let at = 0
  for (let child = 1; child < size; child = 2 * at + 1) {
    if (child + 1 < size && (entries[child + 1] ?? 0) < (entries[child] ?? 0)) child += 1
    const below = entries[child] ?? 0
    if (below >= entry) break
    entries[at] = below
    at = child
  }
  entries[at] = entry
}
