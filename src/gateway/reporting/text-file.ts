import { closeSync, openSync, writeSync } from 'node:fs'

/** A file that text is written to. Both throw what the system says of the file; whoever opened it closes it. */
export type TextFile = { readonly write: (piece: string) => void; readonly close: () => void }

/** Opens a file anew for pieces of any length. They are encoded into one piece of memory, and each is with the system
 * when `write` returns: a stream would hand over new memory each time, which costs more than the writing. */
export const openTextFile = (file: string): TextFile => {
  const descriptor = openSync(file, 'w')
  const bytes = Buffer.allocUnsafeSlow(bytesHeld)
  return {
    write: (piece) => {
      for (let from = 0; from < piece.length; ) {
        const until = endOf(piece, from)
        const filled = bytes.write(piece.slice(from, until), 'utf8')
        for (let at = 0; at < filled; ) at += writeSync(descriptor, bytes, at, filled - at)
        from = until
      }
    },
    close: () => closeSync(descriptor),
  }
}

const bytesHeld = 262_144
/** As many code units as fit, whatever they are: three bytes each at most. */
const unitsMax = Math.floor(bytesHeld / 3)

/** Where the next part ends: never within a pair of surrogates. */
const endOf = (piece: string, from: number): number => {
  const until = from + unitsMax
  if (until >= piece.length) return piece.length
  const isLead = (piece.charCodeAt(until - 1) & 0xfc00) === 0xd800
  return isLead ? until - 1 : until
}
