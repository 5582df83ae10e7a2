import type { Picos } from '../money/money.ts'
import type { Instant } from '../time.ts'
import type { Database } from './database.ts'
import type { EntryLine } from './lines.ts'

/** A day of UTC, in days since 1970. */
export type Day = number

export const dayMs = 86_400_000

/** The day of an instant. */
export const dayOf = (at: Instant): Day => Math.floor(at / dayMs)

/** `2023-11-15`. */
export const formatDay = (day: Day): string => new Date(day * dayMs).toISOString().slice(0, 10)

/** A day whose entries are also in a file: every entry of the calls made that day, and every accrual and imported line
 * that begins in it, up to the entry `lastSequence`. */
export type Seal = {
  readonly day: Day
  /** Its name in the folder of sealed days. */
  readonly file: string
  readonly sha256: string
  /** The SHA-256 of what its rows say, one after another. */
  readonly content: string
  readonly bytes: number
  readonly lastSequence: number
  readonly calls: number
  readonly entries: number
  readonly charges: number
  /** What the charges of all its entries come to, also of those that were corrected later. */
  readonly sums: Readonly<Record<string, Picos>>
  readonly at: Instant
}

/** A seal as it stands. */
export type KeptSeal = Seal & {
  /** Some of its calls are in the file only. */
  readonly isPruned: boolean
  /** When its file was given up; null while it is kept. */
  readonly droppedAt: Instant | null
}

/** Days before one day: `days` can be sealed now; `waiting` cannot, since a call made then is open, or an accrual is not
 * posted to its end. */
export type DaysToSeal = { readonly days: readonly Day[]; readonly waiting: readonly Day[] }

/** A column of the rows of entries: its type in SQLite; `ANY` is an amount. `isName`: it refers to a name. */
export type EntryColumn = { readonly name: string; readonly type: string; readonly isName: boolean }

/** A page of what a day holds, each entry a line of JSON: the columns of its row that are not null, the names it refers
 * to, its charges and its holds. `after` is where the next page begins; null at the end. */
export type DayPage = { readonly lines: readonly string[]; readonly after: number | null }

/** Which entries of a day: those of calls, or those that are of no call. */
export type DayPart = 'calls' | 'posts'

/** How many calls a step looked at and removed, and where the next begins; null when the day is done. */
export type PruneStep = { readonly removed: number; readonly after: number | null }

/** The verbs of sealed days. */
export type SealLedger = {
  readonly daysToSeal: (before: Day) => Promise<DaysToSeal>
  readonly lastSequence: () => Promise<number>
  /** Days of which the entries have calls. */
  readonly callDays: () => Promise<readonly Day[]>
  readonly columns: () => Promise<readonly EntryColumn[]>
  /** The ledger's own file, to be read beside its writer. */
  readonly ledgerFile: () => Promise<string>
  readonly page: (asked: {
    readonly day: Day
    readonly part: DayPart
    readonly last: number
    readonly after: number
    readonly limit: number
  }) => Promise<DayPage>
  /** Records a seal; the first of a day stands, and is given back. */
  readonly record: (seal: Seal) => Promise<KeptSeal>
  /** Records a day that was written anew in the place of its seal: with no less in it, and up to a later entry. */
  readonly replace: (seal: Seal) => Promise<KeptSeal>
  /** True while a call of the day is open. */
  readonly isOpen: (day: Day) => Promise<boolean>
  /** All seals, by day. */
  readonly list: () => Promise<readonly KeptSeal[]>
  /** Removes the next calls of a sealed day from the entries, and keeps what they came to. Calls stay whose truth is not
   * known or that were corrected after the seal. */
  readonly prune: (asked: {
    readonly day: Day
    readonly after: number
    readonly limit: number
  }) => Promise<PruneStep>
  /** True where a step of `prune` may find something to remove. */
  readonly isPrunable: (day: Day) => Promise<boolean>
  /** Puts the removed entries of calls back; gives how many calls came back. */
  readonly thaw: (asked: { readonly day: Day; readonly lines: readonly EntryLine[] }) => Promise<number>
  /** The calls of sealed days (from one day, up to and with another) that have entries the file of their day lacks. */
  readonly changed: (days: {
    readonly from: Day
    readonly to: Day
  }) => Promise<readonly { readonly day: Day; readonly callId: string }[]>
  /** Ids of the calls of a day that the entries have. */
  readonly kept: (day: Day) => Promise<readonly string[]>
  /** Grows whenever entries are removed or put back. */
  readonly mark: () => Promise<number>
  /** What the removed entries of a day came to, as lines: a key and its sums. */
  readonly checkpoint: (day: Day) => Promise<readonly (readonly [key: string, sums: string])[]>
  /** Notes that the file of a day was given up; its checkpoint stays. */
  readonly drop: (asked: { readonly day: Day; readonly at: Instant }) => Promise<void>
}

/** The verbs of sealed days in a database that was opened with `ledgerStore`. */
export const openSeals = (database: Database): SealLedger => {
  const call = <Result>(verb: string, argument: unknown): Promise<Result> =>
    database.call('ledger', verb, argument)
  return {
    daysToSeal: (before) => call('daysToSeal', before),
    lastSequence: () => call('lastSequence', null),
    callDays: () => call('callDays', null),
    columns: () => call('entryColumns', null),
    ledgerFile: () => call('ledgerFile', null),
    page: (asked) => call('dayPage', asked),
    record: (seal) => call('recordSeal', seal),
    replace: (seal) => call('replaceSeal', seal),
    isOpen: (day) => call('isOpenDay', day),
    list: () => call('seals', null),
    prune: (asked) => call('pruneDay', asked),
    isPrunable: (day) => call('isPrunable', day),
    thaw: (asked) => call('thawCalls', asked),
    changed: (days) => call('changedCalls', days),
    kept: (day) => call('keptCalls', day),
    mark: () => call('pruneMark', null),
    checkpoint: (day) => call('dayCheckpoint', day),
    drop: (asked) => call('dropSealed', asked),
  }
}
