import { copyFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Database } from '../../src/ledger/database.ts'
import { formatDay, openSeals } from '../../src/ledger/seal.ts'
import { withDayWorker } from '../../src/ledger/sealed/day-worker.ts'
import { quoted, withDuck } from '../../src/ledger/sealed/duck.ts'
import { hashOf } from '../../src/ledger/sealed/seal-day.ts'
import { sumDays } from '../../src/ledger/sealed/sum-days.ts'
import { madeOf, openSums, type SealedSums, tenOf } from '../../src/ledger/sealed-sums.ts'

/** Gives repeated days their sums: the first of them as sealed days get them, and those that repeat it as copies, each with
 * its own day and conversations; in the same way those of ten days of each length. */
export const repeatSums = async (database: Database, folder: string): Promise<void> => {
  const seals = await openSeals(database).list()
  const ledger = openSums(database)
  const sum = (): Promise<void> =>
    withDayWorker(database, (worker) => sumDays(database, { worker, folder, daysMax: 1 }))
  await sum()
  const [first] = seals
  for (const seal of seals.slice(1)) {
    const sums = (await ledger.list()).filter(({ day, days }) => day === first?.day && days === 1)
    const made: SealedSums[] = []
    for (const each of sums) made.push(await repeated(folder, each, seal.day, madeOf([seal])))
    await ledger.record(made)
  }
  const last = seals.at(-1)?.day ?? 0
  const likes = new Map<number, number>()
  for (const [day, some] of Map.groupBy(seals, (seal) => tenOf(seal.day).day)) {
    const { days } = tenOf(day)
    if (day + days - 1 > last) continue
    const like = likes.get(days)
    if (like === undefined || some.length < days) {
      await sum()
      if (some.length === days) likes.set(days, day)
      continue
    }
    const made: SealedSums[] = []
    for (const each of (await ledger.list()).filter((other) => other.day === like && other.days === days)) {
      made.push(await repeated(folder, each, day, madeOf(some)))
    }
    await ledger.record(made)
  }
}

const repeated = async (folder: string, sums: SealedSums, day: number, of: string): Promise<SealedSums> => {
  if (sums.file === null) return { ...sums, day, madeOf: of }
  const start = `${formatDay(day)}${sums.days === 1 ? '' : `+${sums.days}`}`
  const file = `${start}.${sums.name}.${of.slice(0, 12)}.parquet`
  const [from, path] = [join(folder, sums.file), join(folder, file)]
  if (sums.days === 1) {
    const conversation =
      sums.name === 'conversations' ? `, call_conversation || '${day}' AS call_conversation` : ''
    await withDuck({ memoryMb: 1_000, spill: join(folder, '.spill') }, (duck) =>
      duck.run(`COPY (SELECT * REPLACE (${day}::BIGINT AS day${conversation}) FROM read_parquet(${quoted(from)}))
        TO ${quoted(path)} (FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v2)`),
    )
  } else await copyFile(from, path)
  const { size } = await stat(path)
  return { ...sums, day, madeOf: of, file, bytes: size, sha256: await hashOf(path) }
}
