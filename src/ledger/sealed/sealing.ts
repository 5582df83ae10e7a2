import { dirname, join } from 'node:path'
import type { Instant } from '../../time.ts'
import type { Database } from '../database.ts'
import { type Day, dayMs, dayOf, type KeptSeal, openSeals } from '../seal.ts'
import { type DayWorker, withDayWorker } from './day-worker.ts'
import { dropDay, pruneDay } from './pruning.ts'
import { type RollSteps, rollDays, wholeHours } from './rolling.ts'
import { resealDay, sealDay } from './seal-day.ts'
import { sumDays } from './sum-days.ts'

/** Where the sealed days of a ledger are unless said otherwise: in `sealed`, beside its file. */
export const sealedFolderOf = (ledgerFile: string): string => join(dirname(ledgerFile), 'sealed')

/** What was sealed, and days that have to wait: a call of them is open, or an accrual is not posted to their end. */
export type Sealed = { readonly seals: readonly KeptSeal[]; readonly waiting: readonly Day[] }

/** Seals every day that ended long enough ago, the oldest first, and up to and with `until` where that is given; then
 * brings what is sealed into the rollups, and its sums up to date. */
export const sealDays = async (
  database: Database,
  asked: {
    readonly folder: string
    readonly at: Instant
    readonly afterHours: number
    readonly until?: Day | undefined
    readonly onSeal?: (seal: KeptSeal) => void
    /** How many days are written at the same time, each in a thread of its own. */
    readonly together?: number
    readonly daysMax?: number | undefined
    readonly rolling?: RollSteps
    /** Ends it after the days in work. */
    readonly signal?: AbortSignal
  },
): Promise<Sealed> => {
  const {
    folder,
    at,
    afterHours,
    until = Number.MAX_SAFE_INTEGER,
    onSeal = () => {},
    together = 2,
    daysMax,
    rolling = wholeHours,
    signal,
  } = asked
  const before = Math.min(dayOf(at - afterHours * 3_600_000), until + 1)
  const { days, waiting } = await openSeals(database).daysToSeal(before)
  const seals: KeptSeal[] = []
  const left = days.slice(0, daysMax).reverse()
  const seal = (worker: Pick<DayWorker, 'write'>) => async (): Promise<void> => {
    for (let day = left.pop(); day !== undefined; day = left.pop()) {
      if (signal?.aborted === true) return
      const sealed = await sealDay(database, { worker, folder, day, at })
      seals.push(sealed)
      onSeal(sealed)
    }
  }
  await Promise.all(
    Array.from({ length: Math.min(together, left.length) }, () =>
      withDayWorker(database, (worker) => seal(worker)()),
    ),
  )
  await rollDays(database, rolling, signal)
  await withDayWorker(database, (worker) => sumDays(database, { worker, folder, daysMax, signal }))
  return { seals: seals.sort((a, b) => a.day - b.day), waiting }
}

/** What went: calls from the entries, by day; and days of which the file went. */
export type Pruned = {
  readonly days: readonly { readonly day: Day; readonly calls: number }[]
  readonly dropped: readonly Day[]
}

/** Keeps the calls of the last `keepDays` days among the entries and removes those of older sealed days, which are first
 * written anew where calls of them were corrected; gives up files of days older than `keepSealedDays`, where that is given,
 * of which the calls were removed. A day that is not sealed is kept whole. */
export const pruneDays = async (
  database: Database,
  asked: {
    readonly folder: string
    readonly at: Instant
    readonly keepDays: number
    readonly keepSealedDays?: number | undefined
    readonly onPruned?: (pruned: Pruned['days'][number]) => void
    /** How long others have the ledger's writer for themselves between two steps. */
    readonly pauseMs?: number
    readonly daysMax?: number | undefined
    /** Ends it after the step in work. */
    readonly signal?: AbortSignal
  },
): Promise<Pruned> => {
  const { folder, at, keepDays, keepSealedDays, onPruned = () => {}, pauseMs = 0, daysMax, signal } = asked
  const kept = (await openSeals(database).list()).filter(({ droppedAt }) => droppedAt === null)
  const olderThan = (days: number) => kept.filter(({ day }) => (day + 1) * dayMs <= at - days * dayMs)
  const changed = await changedDays(
    database,
    olderThan(keepDays).map(({ day }) => day),
  )
  const days: { day: Day; calls: number }[] = []
  await withDayWorker(database, async (worker) => {
    for (const { day } of olderThan(keepDays)) {
      if (signal?.aborted === true || days.length === daysMax) return
      if (changed.has(day)) await resealDay(database, { worker, folder, day, at })
      const calls = await pruneDay(database, { worker, folder, day, pauseMs, ...(signal && { signal }) })
      if (calls === 0) continue
      days.push({ day, calls })
      onPruned({ day, calls })
    }
  })
  if (signal?.aborted === true || days.length === daysMax) return { days, dropped: [] }
  const dropped = keepSealedDays === undefined ? [] : olderThan(Math.max(keepDays, keepSealedDays))
  for (const { day } of dropped) await dropDay(database, { folder, day, at })
  await withDayWorker(database, (worker) => sumDays(database, { worker, folder, daysMax, signal }))
  return { days, dropped: dropped.map(({ day }) => day) }
}

/** Those of some days, in order, of which calls were corrected since they were sealed. */
const changedDays = async (database: Database, days: readonly Day[]): Promise<ReadonlySet<Day>> => {
  const [from, to] = [days[0], days.at(-1)]
  if (from === undefined || to === undefined) return new Set()
  return new Set((await openSeals(database).changed({ from, to })).map(({ day }) => day))
}
