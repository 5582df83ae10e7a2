import type { Io } from './command.ts'

/** Writes lines in pieces of a useful size. */
export type LineWriter = {
  /** Takes a line; resolves when there is room for another one. */
  readonly write: (line: string) => Promise<void>
  /** Writes what is still held. */
  readonly flush: () => void
}

/** The size of a piece, in characters. */
const pieceLength = 65_536

/** Lines go out when there is a piece of them, or as soon as no other one is at hand: who waits for an answer has it at
 * once, and a million of them make few writes. No more than a piece is held, however slow the reader is. */
export const lineWriter = (io: Pick<Io, 'out' | 'drained'>): LineWriter => {
  let held = ''
  let due = false
  const flush = (): void => {
    if (held === '') return
    const piece = held
    held = ''
    io.out(piece)
  }
  const flushLater = (): void => {
    if (due) return
    due = true
    setImmediate(() => {
      due = false
      flush()
    })
  }
  return {
    write: async (line) => {
      held += line
      if (held.length < pieceLength) return flushLater()
      flush()
      await io.drained?.()
    },
    flush,
  }
}
