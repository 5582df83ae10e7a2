import { type AddressInfo, createServer, type Socket } from 'node:net'
import { OctroiError } from '../../errors.ts'

/** Somebody who takes connections. `give` hands one over; `taken` is called when it is theirs, and `lost` when they cannot
 * take it any more. */
export type Taker = {
  readonly give: (socket: Socket, ends: { readonly taken: () => void; readonly lost: () => void }) => void
}

/** The one place where clients connect. It stays open whatever becomes of those who answer. */
export type Door = {
  readonly port: number
  /** Whose turn it is from now on, one after the other; with none, clients wait. */
  readonly open: (takers: readonly Taker[]) => void
  /** Nobody comes in any more. */
  readonly close: () => void
}

/** Clients that wait for somebody to take them. */
const waitingMax = 10_000

/** Opens a port. A connection that nobody has taken yet is given to the next, so that none is lost with a process that
 * dies. Throws `bad_input` where the port is taken. */
export const openDoor = async ({
  host,
  port,
}: {
  readonly host: string
  readonly port: number
}): Promise<Door> => {
  const waiting: Socket[] = []
  let takers: readonly Taker[] = []
  let turn = 0

  const give = (socket: Socket): void => {
    if (socket.destroyed) return
    turn = (turn + 1) % Math.max(1, takers.length)
    const taker = takers[turn]
    if (taker !== undefined) {
      // What this process has of it is closed when another has it; the connection lives on there.
      taker.give(socket, { taken: () => socket.destroy(), lost: () => give(socket) })
    } else if (waiting.length < waitingMax) waiting.push(socket)
    else socket.destroy()
  }

  const server = createServer({ pauseOnConnect: true, noDelay: true }, (socket) => {
    socket.on('error', () => {})
    give(socket)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        new OctroiError(
          'bad_input',
          `Cannot listen on ${host}:${port} (${error.code}). Choose another --port.`,
        ),
      )
    })
    server.listen({ host, port, exclusive: true }, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    open: (next) => {
      takers = next
      if (takers.length > 0) for (const socket of waiting.splice(0)) give(socket)
    },
    close: () => {
      server.close()
      for (const socket of waiting.splice(0)) socket.destroy()
    },
  }
}
