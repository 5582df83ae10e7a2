import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { checkpointLines, foldCalls } from '../checkpoint.ts'
import type { Database } from '../database.ts'
import { emptyBooks } from '../fold.ts'
import type { Difference } from '../ledger.ts'
import { entryOfLine } from '../lines.ts'
import { type EntryColumn, formatDay, type KeptSeal, openSeals, type SealLedger } from '../seal.ts'
import { openSums } from '../sealed-sums.ts'
import { isOfCallSql, readDay } from './day-file.ts'
import { withDayWorker } from './day-worker.ts'
import { type Duck, withDuck } from './duck.ts'
import { hashOf } from './seal-day.ts'
import { verifySums } from './verify-sums.ts'

/** Whether sealed days are as they were sealed, and their files say what was removed from the entries. */
export type DaysVerification = { readonly days: number; readonly differences: readonly Difference[] }

/** Verifies the files of sealed days: the hash of each; that it says what the entries say, as far as they have its calls,
 * entry by entry; and, of a day of which calls were removed, that those come to what was kept of them. Then their sums, against
 * a plain fold of what they sum. A file that was given up is not missed; with `isSpare`, none whose day the entries still
 * have, and no sums. */
export const verifyDays = async (
  database: Database,
  folder: string,
  { isSpare = false }: { readonly isSpare?: boolean } = {},
): Promise<DaysVerification> => {
  const seals = openSeals(database)
  const all = await seals.list()
  const columns = await seals.columns()
  const differences: Difference[] = []
  const whole: KeptSeal[] = []
  await withDayWorker(database, async (worker) => {
    for (const seal of all) {
      if (seal.droppedAt !== null) continue
      const path = join(folder, seal.file)
      const hash = existsSync(path) ? await hashOf(path) : null
      if (hash === null && isSpare && !seal.isPruned) continue
      if (hash !== seal.sha256) {
        differences.push({ where: 'sealed days', key: seal.file, folded: hash, kept: seal.sha256 })
        continue
      }
      differences.push(...(await worker.compare({ path, seal })))
      whole.push(seal)
      if (!seal.isPruned) continue
      differences.push(
        ...(await withDuck({}, (duck) => compareCheckpoint(duck, { seals, seal, path, columns }))),
      )
    }
    const sums = await openSums(database).list()
    differences.push(...(await verifySums(worker, { folder, seals: whole, sums, isSpare })))
  })
  return { days: all.length, differences }
}

/** Folds what only a file has. */
const compareCheckpoint = async (
  duck: Duck,
  {
    seals,
    seal,
    path,
    columns,
  }: {
    readonly seals: SealLedger
    readonly seal: KeptSeal
    readonly path: string
    readonly columns: readonly EntryColumn[]
  },
): Promise<readonly Difference[]> => {
  const books = emptyBooks()
  const kept = new Set(await seals.kept(seal.day))
  for await (const groups of readDay(duck, path, columns, isOfCallSql)) {
    for (const group of groups) {
      if (!kept.has(group[0].call_id)) foldCalls(books, group.map(entryOfLine))
    }
  }
  const folded = new Map(checkpointLines(books))
  const differences: Difference[] = []
  const differ = (key: string, folded: string | null, kept: string | null): void => {
    differences.push({ where: 'sealed days', key: `${formatDay(seal.day)} ${key}`, folded, kept })
  }
  for (const [key, sums] of await seals.checkpoint(seal.day)) {
    const said = folded.get(key) ?? null
    folded.delete(key)
    if (said !== sums && !(said === null && isNothing(sums))) differ(key, said, sums)
  }
  for (const [key, sums] of folded) differ(key, sums, null)
  return differences
}

/** A balance of which all that was removed was put back. */
const isNothing = (sums: string): boolean => /^[0 ]+$/.test(sums)
