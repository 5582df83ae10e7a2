import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createHistogram, type Histogram, monitorEventLoopDelay } from 'node:perf_hooks'

/** What a measured process says: where it listens, what it has used so far, and, at its end, whether what it
 * wrote is right. */
export type FromChild =
  | { readonly url: string; readonly key?: string }
  | { readonly cpuMicroseconds: number; readonly rssBytes: number }
  | LoopDelay
  | { readonly ended: string | null }

/** What kept its event loop since it was told to watch, from one turn of a timer of every millisecond to the next:
 * `late`, how late the timer was, also where the machine did other work meanwhile; `worked`, the processor time of
 * the loop's own thread. */
export type LoopDelay = { readonly late: Spread; readonly worked: Spread }
export type Spread = { readonly p50Ms: number; readonly p99Ms: number; readonly mostMs: number }

/** Answers for a server in a process of its own until its parent ends it. `end` may tell what was found when
 * it closed. */
export const answerParent = (
  server: { readonly url: string; readonly key?: string },
  end: () => Promise<string | null>,
): void => {
  const tell = (message: FromChild): void => {
    process.send?.(message)
  }
  const loop = watchLoop()
  process.on('message', (asked) => {
    if (asked === 'watch') {
      loop.start()
      return
    }
    if (asked === 'delay') {
      tell(loop.stop())
      return
    }
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

const watchEachMs = 1

const watchLoop = (): { start: () => void; stop: () => LoopDelay } => {
  const delays = monitorEventLoopDelay({ resolution: watchEachMs })
  let worked = createHistogram()
  let timer: NodeJS.Timeout | undefined
  return {
    start: () => {
      delays.reset()
      delays.enable()
      worked = createHistogram()
      let before = process.threadCpuUsage()
      timer = setInterval(() => {
        const { user, system } = process.threadCpuUsage(before)
        before = process.threadCpuUsage()
        worked.record(Math.max(1, Math.round(user + system)))
      }, watchEachMs)
    },
    stop: () => {
      delays.disable()
      clearInterval(timer)
      // The one holds nanoseconds from tick to tick, the other microseconds.
      return {
        late: spreadOf(delays, (nanoseconds) => Math.max(0, nanoseconds / 1_000_000 - watchEachMs)),
        worked: spreadOf(worked, (microseconds) => microseconds / 1_000),
      }
    },
  }
}

const spreadOf = (times: Histogram, inMs: (time: number) => number): Spread => ({
  p50Ms: inMs(times.percentile(50)),
  p99Ms: inMs(times.percentile(99)),
  mostMs: inMs(times.max),
})

/** Listens on any free port of loopback. */
export const listen = async (server: Server): Promise<string> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
