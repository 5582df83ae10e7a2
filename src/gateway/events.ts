/** The most bytes one part of a stream may have and be read: a picture of 10 MB in base64. */
export const pieceBytesMax = 16_000_000

/** Cuts a stream of server-sent events into its events, each with the blank line that ends it. What follows
 * the last blank line is kept until more arrives, and given by `rest`. Every byte is looked at once, so that an
 * event of many chunks, as one with a picture, takes no longer than its bytes do. */
export const createEventCutter = () => {
  let pending: Buffer[] = []
  let pendingBytes = 0
  /** The last bytes of what is pending: a blank line may have begun in them. */
  let tail: Buffer = Buffer.alloc(0)

  const keep = (chunk: Buffer): void => {
    if (chunk.length === 0) return
    pending.push(chunk)
    pendingBytes += chunk.length
    tail = Buffer.concat([tail, chunk.subarray(-blankBytesMax)]).subarray(-blankBytesMax)
  }
  const take = (): Buffer => {
    const taken = pending.length === 1 && pending[0] !== undefined ? pending[0] : Buffer.concat(pending)
    pending = []
    pendingBytes = 0
    tail = Buffer.alloc(0)
    return taken
  }

  return {
    cut: (chunk: Buffer): readonly Buffer[] => {
      const events: Buffer[] = []
      const begun = tail.length
      const seam = begun === 0 ? chunk : Buffer.concat([tail, chunk])
      const first = endOfEvent(seam)
      let rest = chunk
      if (first !== -1) {
        keep(chunk.subarray(0, first - begun))
        events.push(take())
        rest = chunk.subarray(first - begun)
        for (let end = endOfEvent(rest); end !== -1; end = endOfEvent(rest)) {
          events.push(rest.subarray(0, end))
          rest = rest.subarray(end)
        }
      }
      keep(rest)
      if (pendingBytes > pieceBytesMax) events.push(take())
      return events
    },
    rest: (): Buffer => Buffer.concat(pending),
  }
}

/** One byte less than the longest blank line. */
const blankBytesMax = 3

/** Where the first event ends: after a blank line, whichever line ends the stream uses. */
const endOfEvent = (bytes: Buffer): number => {
  const lf = bytes.indexOf('\n\n')
  const crlf = bytes.indexOf('\r\n\r\n')
  if (lf === -1 && crlf === -1) return -1
  return crlf === -1 || (lf !== -1 && lf < crlf) ? lf + 2 : crlf + 4
}
