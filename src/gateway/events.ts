/** The most bytes one event of a stream may have before it is passed on unread. */
const eventBytesMax = 4_000_000

/** Cuts a stream of server-sent events into its events, each with the blank line that ends it. What follows
 * the last blank line is kept until more arrives, and given by `rest`. */
export const createEventCutter = () => {
  let pending: Buffer = Buffer.alloc(0)
  return {
    cut: (chunk: Buffer): readonly Buffer[] => {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
      const events: Buffer[] = []
      for (let end = endOfEvent(pending); end !== -1; end = endOfEvent(pending)) {
        events.push(pending.subarray(0, end))
        pending = pending.subarray(end)
      }
      if (pending.length > eventBytesMax) {
        events.push(pending)
        pending = Buffer.alloc(0)
      }
      return events
    },
    rest: (): Buffer => pending,
  }
}

/** Where the first event ends: after a blank line, whichever line ends the stream uses. */
const endOfEvent = (bytes: Buffer): number => {
  const lf = bytes.indexOf('\n\n')
  const crlf = bytes.indexOf('\r\n\r\n')
  if (lf === -1 && crlf === -1) return -1
  return crlf === -1 || (lf !== -1 && lf < crlf) ? lf + 2 : crlf + 4
}
