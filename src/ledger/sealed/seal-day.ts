import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { OctroiError } from '../../errors.ts'
import type { Instant } from '../../time.ts'
import type { Database } from '../database.ts'
import type { Difference } from '../ledger.ts'
import { type Day, formatDay, type KeptSeal, openSeals, type Seal } from '../seal.ts'
import { pathOf } from './day-file.ts'
import type { DayWorker } from './day-worker.ts'
import type { Written } from './write-day.ts'

/** Seals a day: writes all that the ledger has of it to a file of its own in `folder`, and records its hash. The file
 * appears whole or not at all; a day that is sealed already is left as it is, and a crash before the record leaves a
 * file that the next attempt replaces. The day must be over; it is not asked whether calls are open. */
export const sealDay = async (
  database: Database,
  {
    worker,
    folder,
    day,
    at,
  }: {
    readonly worker: Pick<DayWorker, 'write'>
    readonly folder: string
    readonly day: Day
    readonly at: Instant
  },
): Promise<KeptSeal> => {
  const seals = openSeals(database)
  const known = (await seals.list()).find((seal) => seal.day === day)
  if (known !== undefined) return known
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const file = `${formatDay(day)}.parquet`
  const last = await seals.lastSequence()
  const seal = await intoPlace({ folder, file, day }, ({ path, spill }) =>
    worker.write({ path, spill, day, last }),
  )
  return seals.record({ ...seal, lastSequence: last, at })
}

/** Writes a sealed day anew where its calls were corrected since, so that they may leave the entries again: what the
 * entries have, and what only its file has. The new file has another name, and is recorded in the place of the old one
 * before that goes. Nothing is done where nothing was corrected, or a call of the day is open. Throws `ledger_corrupt`
 * where the old file was changed. */
export const resealDay = async (
  database: Database,
  {
    worker,
    folder,
    day,
    at,
  }: {
    readonly worker: Pick<DayWorker, 'rewrite' | 'compare'>
    readonly folder: string
    readonly day: Day
    readonly at: Instant
  },
): Promise<boolean> => {
  const seals = openSeals(database)
  const changed = await seals.changed({ from: day, to: day })
  if (changed.length === 0 || (await seals.isOpen(day))) return false
  const old = await sealOf(database, day)
  const before = await checkFile(folder, old)
  refuseDifferent(day, before, await worker.compare({ path: before, seal: old }))
  const last = await seals.lastSequence()
  const file = nextName(old)
  const written = await intoPlace({ folder, file, day }, async ({ path, spill }) => {
    const said = await worker.rewrite({ path, spill, before, day, last })
    const seal = { ...old, ...said, lastSequence: last }
    refuseDifferent(day, path, await worker.compare({ path, seal }))
    return said
  })
  await seals.replace({ ...written, lastSequence: last, at })
  await rm(before, { force: true })
  return true
}

/** `2023-11-15.parquet`, then `2023-11-15.2.parquet`. */
const nextName = ({ day, file }: KeptSeal): string => {
  const [, written = '1'] = /\.(\d+)\.parquet$/.exec(file) ?? []
  return `${formatDay(day)}.${Number(written) + 1}.parquet`
}

/** Has a file written beside its place, brings it onto the disk and into its place, and gives what it is. */
const intoPlace = async (
  { folder, file, day }: { readonly folder: string; readonly file: string; readonly day: Day },
  write: (place: { readonly path: string; readonly spill: string }) => Promise<Written>,
): Promise<Omit<Seal, 'lastSequence' | 'at'>> => {
  const path = join(folder, `${file}.partial`)
  const spill = join(folder, `.spill-${formatDay(day)}`)
  await rm(path, { force: true })
  try {
    const written = await write({ path, spill })
    const bytes = await flush(path)
    const sha256 = await hashOf(path)
    await rename(path, join(folder, file))
    await flush(folder)
    return { day, file, sha256, bytes, ...written }
  } finally {
    await rm(path, { force: true })
    await rm(spill, { force: true, recursive: true })
  }
}

/** The seal of a day. Throws `bad_input` where there is none. */
export const sealOf = async (database: Database, day: Day): Promise<KeptSeal> => {
  const seal = (await openSeals(database).list()).find((each) => each.day === day)
  if (seal !== undefined) return seal
  throw new OctroiError('bad_input', `The day ${formatDay(day)} is not sealed.`)
}

/** The path of a day's file, which is as it was sealed. Throws `ledger_corrupt` where it is not. */
export const checkFile = async (folder: string, seal: KeptSeal): Promise<string> => {
  const path = pathOf(folder, seal)
  if ((await hashOf(path)) === seal.sha256) return path
  throw new OctroiError(
    'ledger_corrupt',
    `The sealed file "${path}" was changed since it was sealed. Bring back a copy of it.`,
  )
}

/** Throws `ledger_corrupt` where a day's file does not say what the entries say. */
export const refuseDifferent = (day: Day, path: string, differences: readonly Difference[]): void => {
  const [first] = differences
  if (first === undefined) return
  throw new OctroiError(
    'ledger_corrupt',
    `The sealed file "${path}" does not say what the ledger has of ${formatDay(day)}: ${first.key}. Nothing was removed. Bring back a copy of the file.`,
  )
}

/** The SHA-256 of a file, in hexadecimal digits. */
export const hashOf = async (path: string): Promise<string> => {
  const hash = createHash('sha256')
  for await (const part of createReadStream(path, { highWaterMark: 1_048_576 })) hash.update(part)
  return hash.digest('hex')
}

/** Brings a file or folder onto the disk, and gives its size. */
export const flush = async (path: string): Promise<number> => {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
    return (await handle.stat()).size
  } finally {
    await handle.close()
  }
}
