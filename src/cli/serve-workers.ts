import cluster from 'node:cluster'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { OctroiError } from '../errors.ts'
import type { Gateway } from '../gateway/app.ts'
import type { GatewayConfig } from '../gateway/config.ts'
import { type Crew, type CrewEvent, type Start, startCrew } from '../gateway/workers/crew.ts'
import { type Clock, formatInstant } from '../time.ts'
import type { Io } from './command.ts'
import type { ServeLog } from './serve-log.ts'
import type { Settings } from './serve-settings.ts'

type Options = Readonly<Record<string, unknown>>

/** How many worker processes are asked for; null where none are. Throws `bad_number`. */
export const workersOf = ({ workers }: Options): number | null => {
  if (workers === undefined) return null
  const number = Number(workers)
  if (/^\d{1,3}$/.test(String(workers)) && number >= 1 && number <= 128) return number
  throw new OctroiError(
    'bad_number',
    `--workers: "${String(workers)}" is not a number of processes, 1 to 128.`,
  )
}

/** True in a process that a gateway has started as one of its workers. */
export const isWorker = (): boolean => cluster.isWorker

/** Longer paths no socket can have; some systems have room for less than others. */
const pathBytesMax = 100

/** Where the data plane of the keeper listens, for its workers alone: in the data folder, or in a new folder of this user
 * where the path would be too long. What an earlier process left there is removed. */
export const keeperPathIn = async (folder: string): Promise<string> => {
  if (process.platform === 'win32') {
    throw new OctroiError('bad_input', '--workers needs a system with sockets in its file system.')
  }
  const path = join(resolve(folder), 'keeper.sock')
  if (Buffer.byteLength(path) > pathBytesMax)
    return join(await mkdtemp(join(tmpdir(), 'octroi-')), 'keeper.sock')
  await rm(path, { force: true })
  return path
}

/** Worker processes that run, and where they listen. */
export type Workers = { readonly url: string; readonly stop: () => Promise<void> }

/** Starts the workers of a gateway, and others in their place whenever it is told to reload: with the code, the
 * configuration and the prices that are on the disk then. Those that cannot be used change nothing, and the log says so. */
export const startWorkers = async (
  given: {
    readonly gateway: Gateway
    readonly size: number
    readonly settings: Settings
    readonly read: () => Promise<Settings>
    readonly keeperPath: string
    readonly place: { readonly host: string; readonly port: number }
    readonly clock: Clock
    readonly clockText: string | undefined
    readonly drainMs: number
    readonly log: ServeLog
  },
  io: Io,
): Promise<Workers> => {
  const { gateway, keeperPath, place, clock, log, drainMs, size } = given
  const { host } = place
  let settings = given.settings
  const startBy =
    ({ json, prices }: Settings) =>
    (): Start => ({
      ...{ config: json, prices, keeperPath },
      clock: clockNow(given.clockText, clock),
    })
  const told = (event: CrewEvent): void => log.said(eventLine(event), 'worker', { ...event })
  const { keeper } = gateway
  const crew: Crew = await startCrew({
    ...{ size, keeper, place, drainMs, told },
    start: startBy(settings),
  })
  let last: Promise<void> = Promise.resolve()

  const reload = async (): Promise<void> => {
    log.said('octroi: reloading', 'reloading')
    try {
      const next = await given.read()
      const { config } = next
      await crew.replace(startBy(next), () => gateway.reload(next))
      const stays = isSame(settings.config, config) ? '' : keptLine
      settings = next
      log.said(`octroi: reloaded${stays}`, 'reloaded')
    } catch (error) {
      const why = error instanceof OctroiError ? error.message : 'a fault'
      if (!(error instanceof OctroiError)) log.fault(error)
      log.said(`octroi: not reloaded, all stays as it was: ${why}`, 'not reloaded', { why })
    }
  }
  io.onReload?.(() => {
    last = last.then(reload)
  })
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${crew.port}`,
    stop: async () => {
      await last
      await crew.stop()
    },
  }
}

const keptLine =
  '; when reservations are written, and the alerts, change when it is stopped and started again'

const isSame = (before: GatewayConfig, now: GatewayConfig): boolean =>
  before.journal === now.journal && JSON.stringify(before.alerts) === JSON.stringify(now.alerts)

/** A worker's clock goes on from where that of the keeper is. */
const clockNow = (text: string | undefined, clock: Clock): string | null => {
  if (text === undefined) return null
  return text.endsWith(',fixed') ? text : `${formatInstant(clock.now())},running`
}

const eventLine = ({ worker, pid, is, by, again = 0 }: CrewEvent): string => {
  const who = `octroi: worker ${worker} (process ${pid})`
  if (is !== 'ended') return `${who} ${is === 'ready' ? 'is ready' : 'has retired'}`
  return `${who} ended by itself (${by}); another one starts ${again === 0 ? 'at once' : `in ${again} ms`}`
}
