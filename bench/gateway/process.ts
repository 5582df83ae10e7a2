import { fork } from 'node:child_process'
import { once } from 'node:events'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { FromChild, LoopDelay } from './child.ts'

/** A server in a process of its own. */
export type ServerProcess = {
  readonly url: string
  readonly key: string | null
  readonly pid: number
  /** Processor time of all its threads so far, and its memory now. */
  readonly used: () => Promise<{ readonly cpuMicroseconds: number; readonly rssBytes: number }>
  /** Watches its event loop until the returned function is called, which says what kept it. */
  readonly watch: () => () => Promise<LoopDelay>
  /** Ends it, and gives what it says about itself. */
  readonly end: () => Promise<string | null>
}

/** Starts a script that answers its parent. */
export const startServer = async (file: URL, ...args: readonly string[]): Promise<ServerProcess> => {
  const script = basename(file.pathname)
  const child = fork(fileURLToPath(file), args, { execArgv: ['--disable-warning=ExperimentalWarning'] })
  const broken = once(child, 'exit').then(([code]): never => {
    throw new Error(`${script} ended (${code}) before it answered.`)
  })
  broken.catch(() => {})
  const hear = async (): Promise<FromChild> =>
    Promise.race([once(child, 'message').then(([message]) => message as FromChild), broken])
  const up = await hear()
  if (!('url' in up)) throw new Error(`${script} did not say where it listens.`)
  return {
    url: up.url,
    key: up.key ?? null,
    pid: child.pid ?? 0,
    used: async () => {
      child.send('used')
      const told = await hear()
      if (!('cpuMicroseconds' in told)) throw new Error(`${script} did not say what it used.`)
      return told
    },
    watch: () => {
      child.send('watch')
      return async () => {
        child.send('delay')
        const told = await hear()
        if (!('late' in told)) throw new Error(`${script} did not say what kept its loop.`)
        return told
      }
    },
    end: async () => {
      const exited = once(child, 'exit')
      child.send('end')
      const told = await hear()
      await exited
      return 'ended' in told ? told.ended : null
    },
  }
}
