/** Remembers how many tokens pieces have, by their hash. It never grows: each piece has one place, and takes it from
 * whatever was there. */
export type PieceCache = {
  /** The tokens of a piece, 0 where it is not remembered. */
  readonly get: (hash: number, bytes: Uint8Array, start: number, end: number) => number
  readonly set: (hash: number, bytes: Uint8Array, start: number, end: number, tokens: number) => void
  readonly clear: () => void
}

/** A cache of 280 KB. Pieces of more than 32 bytes seldom come back, and are not remembered. */
export const newPieceCache = (): PieceCache => {
  const texts = new Uint8Array(places * bytesMax)
  const lengths = new Uint8Array(places)
  const counts = new Uint8Array(places)
  return {
    get: (hash, bytes, start, end) => {
      const place = hash & (places - 1)
      if (lengths[place] !== end - start) return 0
      for (let at = start, own = place * bytesMax; at < end; at++, own++) {
        if (texts[own] !== bytes[at]) return 0
      }
      return counts[place] ?? 0
    },
    set: (hash, bytes, start, end, tokens) => {
      if (end - start > bytesMax) return
      const place = hash & (places - 1)
      for (let at = start, own = place * bytesMax; at < end; at++, own++) texts[own] = bytes[at] ?? 0
      lengths[place] = end - start
      counts[place] = tokens
    },
    clear: () => {
      lengths.fill(0)
    },
  }
}

const places = 2 ** 13
const bytesMax = 32
