import type { Leases } from './leases.ts'

const sweepMs = 10_000

/** Sweeps the leases, one sweep at a time, until stopped. A sweep that fails is told and tried again. */
export const startScheduler = (leases: Leases, report: (error: unknown) => void) => {
  let running: Promise<void> = Promise.resolve()
  const sweep = (): void => {
    running = running.then(async () => {
      await leases.sweep().catch(report)
    })
  }
  const timer = setInterval(sweep, sweepMs)
  timer.unref()
  return {
    stop: async (): Promise<void> => {
      clearInterval(timer)
      await running
    },
  }
}
