import { createHash } from 'node:crypto'
import type { Database } from './database.ts'
import { ownerParts, serviceParts } from './rollup.ts'
import { type Day, dayMs, type KeptSeal } from './seal.ts'

/** What sums of sealed days are by, each in a file of its own. */
export const sumsNames = ['end-users', 'tags', 'conversations'] as const
export type SumsName = (typeof sumsNames)[number]

/** What sums can be grouped by and chosen by, beside currency and basis. `tags`: all tags of a call together. */
export const sumsParts = [...ownerParts, ...serviceParts, 'endUser', 'conversation', 'tags'] as const
export type SumsPart = (typeof sumsParts)[number]

/** Sums of a sealed day, or of those of ten days, in a file beside. They are never the truth: what they do not know is
 * read from the days themselves. */
export type SealedSums = {
  readonly name: SumsName
  readonly day: Day
  readonly days: number
  /** `madeOf` of the days: they hold only while those are sealed as they were then. */
  readonly madeOf: string
  /** Null where it is not worth it: they would be hardly fewer than what they sum. */
  readonly file: string | null
  readonly sha256: string | null
  readonly bytes: number
  readonly rows: number
  readonly parts: readonly SumsPart[]
  /** Names of tags that are left out, since they have too many values. */
  readonly without: readonly string[]
  readonly hasMeters: boolean
}

/** What sums of days are made of: a hash of what is sealed of them. */
export const madeOf = (seals: readonly Pick<KeptSeal, 'sha256'>[]): string =>
  createHash('sha256')
    .update(seals.map(({ sha256 }) => sha256).join(' '))
    .digest('hex')

/** A third of a calendar month: its first day, and how many there are. Months are three of them. */
export type Ten = { readonly day: Day; readonly days: number }

/** The third of a month that a day is in: to the 10th, to the 20th, and the rest. */
export const tenOf = (day: Day): Ten => {
  const date = new Date(day * dayMs)
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()]
  const first = Math.min(20, Math.floor((date.getUTCDate() - 1) / 10) * 10) + 1
  const start = Date.UTC(year, month, first) / dayMs
  const end = (first > 20 ? Date.UTC(year, month + 1, 1) : Date.UTC(year, month, first + 10)) / dayMs
  return { day: start, days: end - start }
}

/** The verbs of sums of sealed days. */
export type SumsLedger = {
  readonly list: () => Promise<readonly SealedSums[]>
  /** Puts sums in the place of those of the same name and days. */
  readonly record: (sums: readonly SealedSums[]) => Promise<void>
  readonly forget: (sums: readonly Pick<SealedSums, 'name' | 'day' | 'days'>[]) => Promise<void>
}

/** The verbs of sums of sealed days in a database that was opened with `ledgerStore`. */
export const openSums = (database: Database): SumsLedger => ({
  list: () => database.call('ledger', 'sealedSums', null),
  record: (sums) => database.call('ledger', 'recordSums', sums),
  forget: (sums) => database.call('ledger', 'forgetSums', sums),
})
