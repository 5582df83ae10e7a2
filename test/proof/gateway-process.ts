import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Verification } from '../../src/ledger/ledger.ts'
import type { LimitState } from '../../src/limits/admit.ts'

/** What a gateway says when it is up. `secret` is that of the key it made, if its folder had none. */
type Up = {
  readonly url: string
  readonly secret: string | null
  /** Of the ledger as it was found, before anything was done to it. */
  readonly verification: Verification
  readonly limits: readonly LimitState[]
}

/** What travels between a test and its gateway. */
export type FromChild =
  | { readonly up: Up }
  | { readonly limits: readonly LimitState[] }
  | { readonly fault: string }
export type ToChild = 'limits' | 'close'

/** A gateway that runs in a process of its own. */
export type GatewayProcess = Up & {
  readonly faults: readonly string[]
  readonly limitsNow: () => Promise<readonly LimitState[]>
  /** `kill -9`: resolves when the process is no more. */
  readonly kill: () => Promise<void>
  /** Closes it in good order. */
  readonly close: () => Promise<void>
}

/** Starts a gateway on a data folder, before a vendor, with its clock standing at an instant. */
export const startGatewayProcess = async (
  folder: string,
  baseUrl: string,
  at: string,
): Promise<GatewayProcess> => {
  const script = fileURLToPath(new URL('./gateway-child.ts', import.meta.url))
  const child = fork(script, [folder, baseUrl, at], { execArgv: [], serialization: 'advanced' })
  const exited = once(child, 'exit')
  const faults: string[] = []
  const answer = async <Answer>(pick: (message: FromChild) => Answer | null): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const hear = (message: unknown): void => {
        const picked = pick(message as FromChild)
        if (picked === null) return
        child.off('message', hear)
        child.off('exit', end)
        resolve(picked)
      }
      const end = (code: number | null): void =>
        reject(new Error(`The gateway ended (${code}) before it answered.`))
      child.on('message', hear)
      child.once('exit', end)
    })
  child.on('message', (message: FromChild) => {
    if ('fault' in message) faults.push(message.fault)
  })
  const up = await answer((message) => ('up' in message ? message.up : null))
  const end = async (signal: NodeJS.Signals | null): Promise<void> => {
    const [, by] = await exited
    if (by !== signal) throw new Error(`The gateway ended by ${by}, not by ${signal}.`)
  }
  return {
    ...up,
    faults,
    limitsNow: async () => {
      const told = answer((message) => ('limits' in message ? message.limits : null))
      child.send('limits' satisfies ToChild)
      return told
    },
    kill: async () => {
      child.kill('SIGKILL')
      await end('SIGKILL')
    },
    close: async () => {
      child.send('close' satisfies ToChild)
      await end(null)
    },
  }
}
