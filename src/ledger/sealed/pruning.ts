import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Instant } from '../../time.ts'
import type { Database } from '../database.ts'
import { type Day, openSeals } from '../seal.ts'
import { isOfCallSql, readDay } from './day-file.ts'
import type { DayWorker } from './day-worker.ts'
import { quoted, withDuck } from './duck.ts'
import { checkFile, refuseDifferent, sealOf } from './seal-day.ts'

/** How many calls a step takes, where others use the ledger between two of them, and where nobody does. */
const callsPerStep = { shared: 100, alone: 500 }

/** Removes the calls of a sealed day from the entries, in steps between which others are served, and gives how many.
 * Before anything goes, the day's file is found to be as it was sealed, and to say what the entries say, entry by entry.
 * Throws `ledger_corrupt` where it does not. */
export const pruneDay = async (
  database: Database,
  {
    worker,
    folder,
    day,
    pauseMs = 0,
    signal,
  }: {
    readonly worker: Pick<DayWorker, 'compare'>
    readonly folder: string
    readonly day: Day
    readonly pauseMs?: number
    /** Ends it after the step in work. */
    readonly signal?: AbortSignal
  },
): Promise<number> => {
  const seals = openSeals(database)
  const seal = await sealOf(database, day)
  if (!(await seals.isPrunable(day))) return 0
  const path = await checkFile(folder, seal)
  refuseDifferent(day, path, await worker.compare({ path, seal }))
  const limit = pauseMs > 0 ? callsPerStep.shared : callsPerStep.alone
  let removed = 0
  for (let after: number | null = 0; after !== null && signal?.aborted !== true; ) {
    const step = await seals.prune({ day, after, limit })
    removed += step.removed
    after = step.after
    if (pauseMs > 0) await sleep(pauseMs)
  }
  return removed
}

/** Puts removed calls of a day (null: all) back among the entries, as they were, so that they can be corrected; gives how
 * many.
 * Throws `ledger_corrupt` where the day's file is not as it was sealed. */
export const thawCalls = async (
  database: Database,
  {
    folder,
    day,
    callIds,
  }: { readonly folder: string; readonly day: Day; readonly callIds: readonly string[] | null },
): Promise<number> => {
  if (callIds?.length === 0) return 0
  const seals = openSeals(database)
  const seal = await sealOf(database, day)
  if (!seal.isPruned) return 0
  const path = await checkFile(folder, seal)
  const columns = await seals.columns()
  return withDuck({}, async (duck) => {
    let back = 0
    const named = callIds === null ? 'true' : `call_id IN (${callIds.map(quoted).join(', ')})`
    const only = `${isOfCallSql} AND ${named}`
    for await (const groups of readDay(duck, path, columns, only)) {
      for (let first = 0; first < groups.length; first += callsPerStep.shared) {
        const lines = groups.slice(first, first + callsPerStep.shared).flat()
        back += await seals.thaw({ day, lines })
      }
    }
    return back
  })
}

/** Gives up the file of a day: its calls can no longer be read or corrected, what they came to stays in the folds and is
 * verified by its checkpoint. The entries that are left of it stay. */
export const dropDay = async (
  database: Database,
  { folder, day, at }: { readonly folder: string; readonly day: Day; readonly at: Instant },
): Promise<void> => {
  const { file } = await sealOf(database, day)
  await openSeals(database).drop({ day, at })
  await rm(join(folder, file), { force: true })
}
