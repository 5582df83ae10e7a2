import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Stands before a server, lets everything pass as it is, and counts who came. */
export type Doorkeeper = {
  readonly url: string
  /** Requests since the last time this was asked. */
  readonly came: () => number
  readonly close: () => void
}

export const startDoorkeeper = async (target: string): Promise<Doorkeeper> => {
  let count = 0
  const server = createServer((incoming, outgoing) => {
    count += 1
    const { method, headers, url = '' } = incoming
    const passed = request(new URL(url, target), { method, headers }, (reply) => {
      outgoing.writeHead(reply.statusCode ?? 502, reply.rawHeaders)
      reply.pipe(outgoing)
    })
    passed.on('error', () => outgoing.destroy())
    incoming.pipe(passed)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    came: () => {
      const came = count
      count = 0
      return came
    },
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
