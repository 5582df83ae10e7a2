import { OctroiError } from '../../errors.ts'
import { number } from '../columns.ts'
import type { Database } from '../database.ts'
import {
  type AccruedRow,
  type CallLife,
  type CallRow,
  type ImportedRow,
  readAccrued,
  readImported,
  type SpendAsked,
} from '../reading.ts'
import { dayMs, dayOf, openSeals, type SealLedger } from '../seal.ts'
import { callRowOf } from './call-row.ts'
import { isOfCallSql, type LineGroup, pathOf, readDay } from './day-file.ts'
import { dayLives, lifeOf } from './day-lives.ts'
import { openDuck } from './duck.ts'

/** All detail of a ledger, wherever it lies: pages of the same rows as `readCalls`, `readLives`, `readAccrued` and
 * `readImported` give. */
export type Detail = {
  readonly calls: (period: SpendAsked) => AsyncGenerator<readonly CallRow[]>
  readonly lives: (period: SpendAsked) => AsyncGenerator<readonly CallLife[]>
  readonly accrued: (period: SpendAsked) => AsyncGenerator<readonly AccruedRow[]>
  readonly imported: (period: SpendAsked) => AsyncGenerator<readonly ImportedRow[]>
}

/** Opens the detail of a ledger and the folder of its sealed days. Calls come day by day: first those that only a sealed
 * file has, then those of the entries. Throws `ledger_unavailable` where a file that is needed is not there, and
 * `overloaded` where calls were removed or put back in the middle of a reading: read again. */
export const openDetail = (database: Database, folder: string): Detail => ({
  async *calls(period) {
    for await (const page of undisturbed(database, folder, period)) {
      yield page.flatMap((life) => callRowOf(life) ?? [])
    }
  },
  lives: (period) => undisturbed(database, folder, period),
  accrued: (period) => readAccrued(database, period),
  imported: (period) => readImported(database, period),
})

/** Fails at the end where calls went from the entries to the files, or back, meanwhile: some may be missing or doubled. */
async function* undisturbed(
  database: Database,
  folder: string,
  period: SpendAsked,
): AsyncGenerator<readonly CallLife[]> {
  const seals = openSeals(database)
  const before = await seals.mark()
  yield* prunedLives(seals, folder, period)
  for (const day of await seals.callDays()) {
    if (day < dayOf(period.from) || day * dayMs >= period.to) continue
    for await (const page of dayLives(seals, day)) {
      yield page.filter(({ reserved: { call } }) => call.at >= period.from && call.at < period.to)
    }
  }
  if (before === (await seals.mark())) return
  throw new OctroiError('overloaded', 'Calls were removed or put back while they were read. Read them again.')
}

/** Calls of a period that only files have. */
async function* prunedLives(
  seals: SealLedger,
  folder: string,
  { from, to }: SpendAsked,
): AsyncGenerator<readonly CallLife[]> {
  const pruned = (await seals.list()).filter(
    ({ day, isPruned }) => isPruned && day >= dayOf(from) && day * dayMs < to,
  )
  if (pruned.length === 0) return
  const columns = await seals.columns()
  const duck = await openDuck({})
  try {
    for (const seal of pruned) {
      const kept = new Set(await seals.kept(seal.day))
      const isAsked = ([first]: LineGroup): boolean => {
        const at = number(first['at'])
        return at >= from && at < to && !kept.has(first.call_id)
      }
      for await (const groups of readDay(duck, pathOf(folder, seal), columns, isOfCallSql)) {
        yield groups.filter(isAsked).flatMap((group) => lifeOf(group) ?? [])
      }
    }
  } finally {
    duck.close()
  }
}
