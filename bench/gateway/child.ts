import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What a measured process says: where it listens, what it has used so far, and, at its end, whether what it
 * wrote is right. */
export type FromChild =
  | { readonly url: string; readonly key?: string }
  | { readonly cpuMicroseconds: number; readonly rssBytes: number }
  | { readonly ended: string | null }

/** Answers for a server in a process of its own until its parent ends it. `end` may tell what was found when
 * it closed. */
export const answerParent = (
  server: { readonly url: string; readonly key?: string },
  end: () => Promise<string | null>,
): void => {
  const tell = (message: FromChild): void => {
    process.send?.(message)
  }
  process.on('message', (asked) => {
    if (asked === 'end') {
      void end().then((ended) => {
        tell({ ended })
        process.disconnect()
      })
      return
    }
    const { user, system } = process.cpuUsage()
    tell({ cpuMicroseconds: user + system, rssBytes: process.memoryUsage.rss() })
  })
  process.on('disconnect', () => process.exit())
  tell(server)
}

/** Listens on any free port of loopback. */
export const listen = async (server: Server): Promise<string> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
