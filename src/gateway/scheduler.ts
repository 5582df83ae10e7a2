const sweepMs = 10_000

/** Sweeps at once and then again and again, one sweep at a time, until stopped. A sweep that fails is told and tried
 * again; while one takes long, no others queue behind it. */
export const startScheduler = (sweep: () => Promise<void>, report: (error: unknown) => void) => {
  let running: Promise<void> | null = null
  const next = (): void => {
    running ??= sweep()
      .catch(report)
      .finally(() => {
        running = null
      })
  }
  next()
  const timer = setInterval(next, sweepMs)
  timer.unref()
  return {
    stop: async (): Promise<void> => {
      clearInterval(timer)
      await running
    },
  }
}
