import { setImmediate as nextRound } from 'node:timers/promises'

/** Waits for its turn with a step that holds up the event loop for so many bytes: one such step is taken in each
 * round of the loop, however many calls are there at once, so that others are served between them. A step on few
 * bytes does not wait. */
export const turn = async (bytes: number): Promise<void> => {
  if (bytes < waitingBytesMin) return
  last = last.then(() => nextRound())
  await last
}

/** Decoding, parsing, sending: a millisecond or two for each megabyte. */
const waitingBytesMin = 100_000

let last: Promise<unknown> = Promise.resolve()
