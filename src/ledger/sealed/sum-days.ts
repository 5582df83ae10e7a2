import { existsSync } from 'node:fs'
import { readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Database } from '../database.ts'
import { type Day, formatDay, type KeptSeal, openSeals } from '../seal.ts'
import { madeOf, openSums, type SealedSums, type SumsName, sumsNames, tenOf } from '../sealed-sums.ts'
import type { DayWorker } from './day-worker.ts'
import { flush, hashOf } from './seal-day.ts'
import type { SumsLimits, WrittenSums } from './write-sums.ts'

/** Sums may have three quarters of the rows that they sum, and those of a day half of its bytes. */
const usualLimits: SumsLimits = { rows: 0.75, bytes: 0.5, calls: 1_000 }

/** Brings the sums of sealed days up to date: of each day that has none, or was written anew since; and of ten days that
 * are all sealed. What a crash or `signal` ends goes on where it was. Files that are of no sums any more are removed. */
export const sumDays = async (
  database: Database,
  asked: {
    readonly worker: Pick<DayWorker, 'sumDay' | 'sumTen'>
    readonly folder: string
    readonly limits?: SumsLimits
    readonly daysMax?: number | undefined
    readonly signal?: AbortSignal | undefined
  },
): Promise<void> => {
  const { worker, folder, limits = usualLimits, daysMax, signal } = asked
  const ledger = openSums(database)
  const all = await openSeals(database).list()
  const seals = all.filter((seal) => seal.droppedAt === null && existsSync(join(folder, seal.file)))
  let known = await ledger.list()
  const put = async (sums: readonly SealedSums[]): Promise<void> => {
    await ledger.record(sums)
    known = await ledger.list()
  }
  const undone = seals.filter((seal) => sumsAt(known, seal.day, 1, madeOf([seal])).length < sumsNames.length)
  for (const seal of undone.slice(0, daysMax)) {
    if (signal?.aborted === true) return
    await put(await sumDay(worker, { folder, limits, seal }))
  }
  const isUndone = ({ day, days, seals }: SealedTen): boolean =>
    sumsAt(known, day, days, madeOf(seals)).length < sumsNames.length
  for (const ten of tensOf(seals).filter(isUndone).slice(0, daysMax)) {
    if (signal?.aborted === true) return
    await put(await sumTen(worker, { folder, limits, ten, known }))
  }
  await clear(ledger, { folder, known, all })
}

/** The sums of some days that hold, by name. */
const sumsAt = (known: readonly SealedSums[], day: Day, days: number, of: string): readonly SealedSums[] =>
  known.filter((sums) => sums.day === day && sums.days === days && sums.madeOf === of)

type Summing = { readonly folder: string; readonly limits: SumsLimits }

const sumDay = async (
  worker: Pick<DayWorker, 'sumDay'>,
  { folder, limits, seal }: Summing & { readonly seal: KeptSeal },
): Promise<readonly SealedSums[]> => {
  const { day, bytes } = seal
  const place = placeOf(folder, { day, days: 1, madeOf: madeOf([seal]) })
  const paths = {
    'end-users': place.partial('end-users'),
    tags: place.partial('tags'),
    conversations: place.partial('conversations'),
  }
  return place.clean(async (spill) => {
    const written = await worker.sumDay({
      ...{ spill, limits, bytes, day, paths },
      file: join(folder, seal.file),
    })
    return Promise.all(sumsNames.map((name) => place.record(name, written[name])))
  })
}

/** Ten days that are over and of which some sealed days follow one another; their sums. */
type SealedTen = { readonly day: Day; readonly days: number; readonly seals: readonly KeptSeal[] }

/** Those of which two days or more are sealed, and none is to come. */
const tensOf = (seals: readonly KeptSeal[]): readonly SealedTen[] => {
  const last = seals.at(-1)?.day ?? 0
  return [...Map.groupBy(seals, ({ day }) => tenOf(day).day).values()].flatMap((some) => {
    const ten = tenOf(some[0]?.day ?? 0)
    return some.length < 2 || ten.day + ten.days - 1 > last ? [] : [{ ...ten, seals: some }]
  })
}

const sumTen = async (
  worker: Pick<DayWorker, 'sumTen'>,
  asked: Summing & { readonly ten: SealedTen; readonly known: readonly SealedSums[] },
): Promise<readonly SealedSums[]> => {
  const { folder, limits, ten, known } = asked
  const { day, days, seals } = ten
  const of = madeOf(seals)
  const made = sumsAt(known, day, days, of)
  const place = placeOf(folder, { day, days, madeOf: of })
  const bytes = seals.reduce((sum, seal) => sum + seal.bytes, 0)
  const all: SealedSums[] = []
  for (const name of sumsNames) {
    if (made.some((sums) => sums.name === name)) continue
    const each = seals.map((seal) =>
      sumsAt(known, seal.day, 1, madeOf([seal])).find((sums) => sums.name === name),
    )
    if (each.includes(undefined)) continue
    const [first, ...others] = each.flatMap((sums) => (sums === undefined || sums.file === null ? [] : sums))
    if (first === undefined || others.length + 1 < each.length) {
      all.push(await place.record(name, null))
      continue
    }
    const has = {
      parts: first.parts.filter((part) => others.every(({ parts }) => parts.includes(part))),
      without: [...new Set([first, ...others].flatMap(({ without }) => without))].sort(),
      hasMeters: [first, ...others].every(({ hasMeters }) => hasMeters),
    }
    const files = [first, ...others].map(({ file }) => join(folder, file ?? ''))
    const path = place.partial(name)
    const sums = await place.clean(async (spill) =>
      place.record(name, await worker.sumTen({ name, path, spill, limits, bytes, files, has })),
    )
    all.push(sums)
  }
  return all
}

/** Where the sums of some days go: a name that no other sums have, so that who still reads earlier ones is not disturbed. */
const placeOf = (folder: string, of: Pick<SealedSums, 'day' | 'days' | 'madeOf'>) => {
  const { day, days, madeOf } = of
  const start = `${formatDay(day)}${days === 1 ? '' : `+${days}`}`
  const fileOf = (name: SumsName): string => `${start}.${name}.${madeOf.slice(0, 12)}.parquet`
  const partial = (name: SumsName): string => join(folder, `${fileOf(name)}.partial`)
  return {
    partial,
    record: async (name: SumsName, written: WrittenSums): Promise<SealedSums> => {
      const none = { file: null, sha256: null, bytes: 0, rows: 0, parts: [], without: [], hasMeters: false }
      if (written === null) return { name, ...of, ...none }
      const bytes = await flush(partial(name))
      const sha256 = await hashOf(partial(name))
      await rename(partial(name), join(folder, fileOf(name)))
      await flush(folder)
      return { name, ...of, ...written, file: fileOf(name), sha256, bytes }
    },
    /** Leaves nothing behind that was not recorded. */
    clean: async <Result>(write: (spill: string) => Promise<Result>): Promise<Result> => {
      const spill = join(folder, `.spill-${start}`)
      try {
        return await write(spill)
      } finally {
        for (const name of sumsNames) await rm(partial(name), { force: true })
        await rm(spill, { force: true, recursive: true })
      }
    },
  }
}

/** Names of files of sums, and of those that were not finished. */
const sumsFile =
  /^\d{4}-\d{2}-\d{2}(\+\d+)?\.(end-users|tags|conversations)\.[0-9a-f]{12}\.parquet(\.partial)?$/

/** Forgets sums of days that are sealed otherwise since, or whose file was given up, and removes files that are of none. */
const clear = async (
  ledger: ReturnType<typeof openSums>,
  asked: {
    readonly folder: string
    readonly known: readonly SealedSums[]
    readonly all: readonly KeptSeal[]
  },
): Promise<void> => {
  const { folder, known, all } = asked
  const kept = all.filter(({ droppedAt }) => droppedAt === null)
  const old = known.filter(({ day, days, madeOf: of }) => of !== madeOf(sealsWithin(kept, { day, days })))
  if (old.length > 0) await ledger.forget(old.map(({ name, day, days }) => ({ name, day, days })))
  if (!existsSync(folder)) return
  const files = new Set(known.filter((sums) => !old.includes(sums)).map(({ file }) => file))
  for (const name of await readdir(folder)) {
    if (sumsFile.test(name) && !files.has(name)) await rm(join(folder, name), { force: true })
  }
}

/** The seals of some days, in order. */
export const sealsWithin = <Seal extends Pick<KeptSeal, 'day'>>(
  seals: readonly Seal[],
  { day, days }: { readonly day: Day; readonly days: number },
): readonly Seal[] => seals.filter((seal) => seal.day >= day && seal.day < day + days)
