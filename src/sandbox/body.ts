import type { IncomingMessage } from 'node:http'

/** The largest request body that is read, in bytes. */
export const bodyBytesMax = 32 * 2 ** 20

/** Reads a whole body. Null when it is larger than `bodyBytesMax`: what comes beyond that is thrown away, so
 * that a client that is still sending hears the answer, up to as much again; then the connection is cut. */
export const readBody = async (request: IncomingMessage): Promise<Buffer | null> => {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request) {
    bytes += chunk.length
    if (bytes <= bodyBytesMax) chunks.push(chunk)
    else chunks.length = 0
    if (bytes > 2 * bodyBytesMax) {
      request.destroy()
      return null
    }
  }
  return bytes <= bodyBytesMax ? Buffer.concat(chunks, bytes) : null
}
