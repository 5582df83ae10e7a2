import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Difference } from '../ledger.ts'
import type { KeptSeal } from '../seal.ts'
import { madeOf, type SealedSums } from '../sealed-sums.ts'
import type { DayWorker } from './day-worker.ts'
import { hashOf } from './seal-day.ts'
import { sealsWithin } from './sum-days.ts'

/** Verifies the sums of sealed days whose files are as they were sealed: the hash of each file of sums, and that it comes to
 * what its day's calls come to, or the sums of its days. Sums of days that were sealed otherwise since are of no use, and
 * are not looked at. */
export const verifySums = async (
  worker: Pick<DayWorker, 'checkSums'>,
  asked: {
    readonly folder: string
    readonly seals: readonly KeptSeal[]
    readonly sums: readonly SealedSums[]
    /** Files of sums may be missing. */
    readonly isSpare: boolean
  },
): Promise<readonly Difference[]> => {
  const { folder, seals, isSpare } = asked
  const differences: Difference[] = []
  const sound: { sums: SealedSums; path: string }[] = []
  for (const sums of asked.sums) {
    const days = sealsWithin(seals, sums)
    if (sums.file === null || days.length === 0 || madeOf(days) !== sums.madeOf) continue
    const path = join(folder, sums.file)
    const hash = existsSync(path) ? await hashOf(path) : null
    if (hash === sums.sha256) sound.push({ sums, path })
    else if (hash !== null || !isSpare) {
      differences.push({ where: 'sealed days', key: sums.file, folded: hash, kept: sums.sha256 })
    }
  }
  const check = async (files: readonly string[], isDay: boolean, some: typeof sound): Promise<void> => {
    if (some.length === 0) return
    const wrong = await worker.checkSums({
      ...{ files, isDay, sums: some.map(({ sums }) => sums), at: some.map(({ path }) => path) },
    })
    for (const { file } of wrong) {
      differences.push({ where: 'sealed days', key: `${file}: its sums`, folded: null, kept: null })
    }
  }
  for (const seal of seals) {
    const ofDay = sound.filter(({ sums }) => sums.days === 1 && sums.day === seal.day)
    await check([join(folder, seal.file)], true, ofDay)
  }
  for (const ten of sound.filter(({ sums }) => sums.days > 1)) {
    const { name } = ten.sums
    const days = sealsWithin(seals, ten.sums).map(({ day }) => day)
    const files = sound.flatMap(({ sums, path }) =>
      sums.days === 1 && sums.name === name && days.includes(sums.day) ? [path] : [],
    )
    if (files.length === days.length) await check(files, false, [ten])
  }
  return differences
}
