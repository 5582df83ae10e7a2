import { createServer, type RequestListener, type Server } from 'node:http'
import { OctroiError } from '../errors.ts'

/** Strict parsing, and bounds on slow and large heads. The official clients keep connections for less than
 * `keepAliveTimeout`. */
export const serverOptions = {
  headersTimeout: 30_000,
  requestTimeout: 300_000,
  keepAliveTimeout: 75_000,
  maxHeaderSize: 65_536,
  insecureHTTPParser: false,
  noDelay: true,
} as const

const idleMs = 50

/** Where a data plane listens: an address of this machine's network, or a socket in its file system. */
export type Place = { readonly host: string; readonly port: number } | { readonly path: string }

/** Listens with the bounds of the data plane. A socket is for the user of this process alone. Throws `bad_input` where the place is taken. */
export const listen = (answer: RequestListener, place: Place): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server = createServer(serverOptions, answer)
    const where = 'path' in place ? place.path : `${place.host}:${place.port}`
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        new OctroiError('bad_input', `Cannot listen on ${where} (${error.code}). Choose another --port.`),
      )
    })
    const before = 'path' in place ? process.umask(0o177) : null
    server.listen(place, () => resolve(server))
    if (before !== null) process.umask(before)
  })

/** Takes no more connections, and resolves when all have ended; those still open after `waitMs` are broken off. */
export const stop = (server: Server, waitMs: number): Promise<void> =>
  new Promise((resolve) => {
    const force = setTimeout(() => server.closeAllConnections(), waitMs)
    // A kept connection is closed when its last reply has left, not when its client gives it up.
    const idle = setInterval(() => server.closeIdleConnections(), idleMs)
    server.close(() => {
      clearTimeout(force)
      clearInterval(idle)
      resolve()
    })
  })
