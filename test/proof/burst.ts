import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** One completion, to be asked for so many times at once. */
export type Burst = {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly calls: number
}

/** Sends a burst from a process of its own, whose sockets are not those of the gateway; gives how many calls were answered
 * with which status. */
export const sendBurst = async (burst: Burst): Promise<Readonly<Record<string, number>>> => {
  const script = fileURLToPath(new URL('./burst-child.ts', import.meta.url))
  const child = fork(script, { execArgv: ['--disable-warning=ExperimentalWarning'] })
  const exited = once(child, 'exit')
  const told = Promise.race([
    once(child, 'message').then(([counts]) => counts as Record<string, number>),
    exited.then(([code]): never => {
      throw new Error(`The burst ended (${code}) before it told of its answers.`)
    }),
  ])
  child.send(burst)
  const counts = await told
  await exited
  return counts
}
