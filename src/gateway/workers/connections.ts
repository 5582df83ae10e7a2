import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { serverOptions } from '../listening.ts'

/** A server that is handed its connections, and that is to end without cutting one under a request that is on its way. */
export type Connections = {
  readonly take: (socket: Socket) => void
  /** Each that there is gets one more answer, which says that it ends; one that stays quiet is closed after a while, and
   * at once with `atOnce`. Resolves when all have ended; what is open after `waitMs` is broken off. */
  readonly end: (waits: { readonly waitMs: number; readonly atOnce: boolean }) => Promise<void>
}

const lookMs = 50

/** So long a kept connection may be quiet before it is closed: longer than clients keep one by themselves, mostly. */
const quietMs = 5_000

export const openConnections = (answer: RequestListener): Connections => {
  /** Since when nothing is answered on each; null while something is. */
  const quiet = new Map<Socket, number | null>()
  let isEnding = false

  const answering = (outgoing: ServerResponse): void => {
    if (isEnding) outgoing.shouldKeepAlive = false
    const { socket } = outgoing
    if (socket === null) return
    quiet.set(socket, null)
    outgoing.once('close', () => {
      if (!socket.destroyed) quiet.set(socket, performance.now())
    })
  }

  const server = createServer(serverOptions, (incoming, outgoing) => {
    answering(outgoing)
    answer(incoming, outgoing)
  })
  // From then on Node looks for slow heads and bodies; it does not matter to it where connections come from.
  server.emit('listening')

  const closeQuiet = (): void => {
    for (const [socket, since] of quiet) {
      if (since !== null && performance.now() - since > quietMs) socket.destroy()
    }
  }

  return {
    take: (socket) => {
      quiet.set(socket, performance.now())
      socket.once('close', () => quiet.delete(socket))
      socket.setNoDelay(true)
      server.emit('connection', socket)
      socket.resume()
    },
    end: ({ waitMs, atOnce }) =>
      new Promise((resolve) => {
        isEnding = true
        const force = setTimeout(() => server.closeAllConnections(), waitMs)
        const look = setInterval(() => {
          if (atOnce) server.closeIdleConnections()
          else closeQuiet()
          if (quiet.size > 0) return
          clearTimeout(force)
          clearInterval(look)
          server.close(() => resolve())
        }, lookMs)
      }),
  }
}
