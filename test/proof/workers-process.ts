import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import OpenAI from 'openai'
import { until } from './work.ts'

const launcher = fileURLToPath(new URL('../../bin/octroi.mjs', import.meta.url))

/** A limit as the control plane shows it. */
export type ShownLimit = Readonly<
  Record<'limit' | 'cap' | 'settled' | 'held' | 'unresolved' | 'free' | 'over', string>
>

type Line = Readonly<Record<string, unknown>>

/** `octroi serve --workers N`, as it is installed. */
export type ServedByWorkers = {
  readonly url: string
  readonly keeper: ChildProcess
  /** What it has logged so far. */
  readonly log: readonly Line[]
  /** The processes of the workers that listen now. */
  readonly workers: () => readonly number[]
  /** Asks the control plane; without a body by GET. */
  readonly control: <Answer>(path: string, body?: object, method?: string) => Promise<Answer>
  readonly createKey: (owner: object) => Promise<{ readonly id: string; readonly secret: string }>
  /** The official SDK with a new key of a team. */
  readonly client: (team: string) => Promise<OpenAI>
  readonly limits: () => Promise<readonly ShownLimit[]>
  /** The first limit when nothing is held any more, or after a while: what workers have unused they give back. */
  readonly limitAtRest: () => Promise<ShownLimit | undefined>
  /** Puts other settings in its configuration, and tells it to reload. Resolves when it says that it has, or has not. */
  readonly reload: (config?: object | string) => Promise<Line>
  /** Ends it in good order. */
  readonly stop: () => Promise<number | null>
  /** `kill -9`, of the keeper alone. */
  readonly kill: () => Promise<void>
}

/** Starts a gateway on a data folder, with its clock standing at an instant. */
export const serveByWorkers = async (
  folder: string,
  workers: number,
  config: object,
  { at = '2023-11-15T12:00:00Z', drain = '10s', port = '0' } = {},
): Promise<ServedByWorkers> => {
  const file = join(folder, 'config.json')
  await writeFile(file, JSON.stringify(config))
  const words = ['serve', '--workers', String(workers), '--config', file, '--data', join(folder, 'data')]
  const more = ['--port', port, '--control-port', '0', '--clock', `${at},fixed`, '--drain', drain]
  const keeper = spawn(process.execPath, [launcher, ...words, ...more, '--log', 'json', '--quiet'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, VENDOR_KEY: 'sk-vendor' },
  })
  const exited = once(keeper, 'exit')
  const log: Line[] = []
  const listening = new Set<number>()
  let rest = ''
  const note = (line: Line): void => {
    log.push(line)
    if (line['event'] !== 'worker') return
    if (line['is'] === 'ready') listening.add(Number(line['pid']))
    else listening.delete(Number(line['pid']))
  }
  keeper.stderr.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString('utf8')).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) note(line.startsWith('{') ? (JSON.parse(line) as Line) : { event: line })
  })
  const saidOf = (event: string, from = 0): Line | undefined =>
    log.slice(from).find((line) => line['event'] === event)
  await until(() => saidOf('listening') !== undefined || keeper.exitCode !== null)
  const said = saidOf('listening')
  if (said === undefined) throw new Error(`The gateway did not start: ${JSON.stringify(log)}`)
  const [url, controlUrl] = [String(said['url']), String(said['controlUrl'])]

  const control = async <Answer>(path: string, body?: object, method = 'POST'): Promise<Answer> => {
    const asked = { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
    const answer = await fetch(controlUrl + path, body === undefined ? {} : asked)
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
    return (await answer.json()) as Answer
  }
  const createKey = async (owner: object) => {
    const { secret, key } = await control<{ secret: string; key: { id: string } }>('/octroi/v1/keys', owner)
    return { id: key.id, secret }
  }
  const limits = async () => (await control<{ limits: readonly ShownLimit[] }>('/octroi/v1/limits')).limits
  return {
    ...{ url, keeper, log, control, createKey, limits },
    limitAtRest: async () => {
      for (let looks = 0; looks < 100; looks += 1) {
        const [limit] = await limits()
        if (limit?.held === '0') return limit
        await sleep(100)
      }
      return (await limits())[0]
    },
    workers: () => [...listening],
    client: async (team) => {
      const { secret } = await createKey({ team })
      return new OpenAI({ apiKey: secret, baseURL: `${url}/v1`, maxRetries: 0 })
    },
    reload: async (next) => {
      if (next !== undefined) await writeFile(file, typeof next === 'string' ? next : JSON.stringify(next))
      const from = log.length
      keeper.kill('SIGHUP')
      const done = () => saidOf('reloaded', from) ?? saidOf('not reloaded', from)
      await until(() => done() !== undefined)
      return done() ?? {}
    },
    stop: async () => {
      if (keeper.exitCode === null && keeper.signalCode === null) keeper.kill('SIGTERM')
      const [code] = (await exited) as [number | null]
      return code
    },
    kill: async () => {
      keeper.kill('SIGKILL')
      await exited
    },
  }
}
