import type { RawBytePairRanks } from 'gpt-tokenizer/BytePairEncodingCore'

/** The tokens of an encoding, to be found by their bytes. A token's rank is its place in the table of the vendor; of
 * two merges the one that makes the token of lower rank goes first. */
export type Vocabulary = {
  /** The bytes of all tokens, one behind the other; the token of rank r is from `starts[r]` to `starts[r + 1]`. */
  readonly bytes: Uint8Array
  readonly starts: Uint32Array
  /** Open addressing: 0 is free, else a rank and 1. The size is a power of two. */
  readonly slots: Int32Array
  /** The rank of each token of two bytes, at `first * 256 + second`; -1 where there is none. */
  readonly pairs: Int32Array
  readonly bytesMax: number
}

/** Packs rank data: 200,000 strings become five arrays. */
export const openVocabulary = (ranks: RawBytePairRanks): Vocabulary => {
  const { bytes, starts } = concatenate(ranks)
  const slots = new Int32Array(2 ** Math.ceil(Math.log2(2 * ranks.length)))
  const pairs = new Int32Array(2 ** 16).fill(-1)
  let bytesMax = 0
  for (let rank = 0; rank < ranks.length; rank++) {
    const start = starts[rank] ?? 0
    const end = starts[rank + 1] ?? 0
    if (start === end) continue
    if (end - start === 2) pairs[(bytes[start] ?? 0) * 256 + (bytes[start + 1] ?? 0)] = rank
    bytesMax = Math.max(bytesMax, end - start)
    let slot = hashOf(bytes, start, end) & (slots.length - 1)
    while (slots[slot] !== 0) slot = (slot + 1) & (slots.length - 1)
    slots[slot] = rank + 1
  }
  return { bytes, starts, slots, pairs, bytesMax }
}

/** A hash of some bytes, 32 bits. */
export const hashOf = (bytes: Uint8Array, start: number, end: number): number => {
  let hash = 0x811c9dc5
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193)
  return hash ^ (hash >>> 15)
}

/** The rank of the token that these bytes are, -1 where they are none. `hash`: that of the same bytes. */
export const rankOf = (
  vocabulary: Vocabulary,
  hash: number,
  text: Uint8Array,
  start: number,
  end: number,
): number => {
  const { bytes, starts, slots } = vocabulary
  for (let slot = hash & (slots.length - 1); ; slot = (slot + 1) & (slots.length - 1)) {
    const rank = (slots[slot] ?? 0) - 1
    if (rank === -1) return -1
    let own = starts[rank] ?? 0
    if ((starts[rank + 1] ?? 0) - own !== end - start) continue
    let at = start
    while (at < end && bytes[own] === text[at]) {
      own += 1
      at += 1
    }
    if (at === end) return rank
  }
}

/** A token is text, or bytes where it is a part of a character; a rank may be of no token. */
const concatenate = (ranks: RawBytePairRanks): Pick<Vocabulary, 'bytes' | 'starts'> => {
  const units = ranks.reduce((sum, token) => sum + (token?.length ?? 0), 0)
  const bytes = new Uint8Array(units * 3)
  const starts = new Uint32Array(ranks.length + 1)
  const encoder = new TextEncoder()
  let at = 0
  for (let rank = 0; rank < ranks.length; rank++) {
    const token = ranks[rank] ?? ''
    if (typeof token === 'string') at += encoder.encodeInto(token, bytes.subarray(at)).written
    else {
      bytes.set(token, at)
      at += token.length
    }
    starts[rank + 1] = at
  }
  return { bytes: bytes.slice(0, at), starts }
}
