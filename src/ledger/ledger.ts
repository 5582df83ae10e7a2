import type { Balance, Hold } from '../limits/hold.ts'
import type { Instant } from '../time.ts'
import type { AccrualLedger } from './accrual.ts'
import type { Database, Store } from './database.ts'
import type { Adjustment, Release, Reservation, Settlement } from './entry.ts'
import type { ClosedPeriod, Imported, ImportOutcome } from './imported.ts'
import { moduleUrl } from './module-url.ts'
import type { CallLife } from './reading.ts'

/** `done`: written. `repeated`: the same was written before. `conflict`: another content stands under this
 * id; the first stays, and a conflict is noted. `late`: the reservation had expired, so the end was written as
 * a correction of the `expired` entry. `unknown`: no such reservation. */
export type Outcome = 'done' | 'repeated' | 'conflict' | 'late' | 'unknown'

/** What became of an adjustment, and what it moved in the windows of limits: by how much more or less is settled,
 * and unresolved. Nothing moves unless the outcome is `done`. */
export type Adjusted = {
  readonly outcome: Outcome
  readonly settled: readonly Hold[]
  readonly unresolved: readonly Hold[]
}

/** The verbs of the ledger. Each promise resolves when the entry is on the disk, not before.
 * All are idempotent by call id. Rejects with `ledger_unavailable` when the disk refuses. */
export type Ledger = {
  readonly reserve: (reservation: Reservation) => Promise<Outcome>
  /** Rejects with `currency_mismatch` when the reservation is in another currency. */
  readonly settle: (settlement: Settlement) => Promise<Outcome>
  readonly release: (release: Release) => Promise<Outcome>
  /** Puts a better truth in the place of a settlement, or of an earlier adjustment of it. `unknown`: the call is not
   * settled. `conflict`: something else than `corrects` stands now. Rejects as `settle` does. */
  readonly adjust: (adjustment: Adjustment) => Promise<Adjusted>
  /** Lengthens the leases of calls that still live. */
  readonly renew: (lease: { callIds: readonly string[]; until: Instant }) => Promise<void>
  /** Ends every reservation whose lease has passed: it becomes `expired`, and its holds unresolved. */
  readonly expire: (at: Instant) => Promise<readonly Reservation[]>
  /** The reservation of a call whose truth is not known: open, or expired and not corrected. Else null. */
  readonly unended: (callId: string) => Promise<Reservation | null>
  /** All that was written of a call; null where nothing was. */
  readonly life: (callId: string) => Promise<CallLife | null>
  /** Balances of every limit and window that has any. */
  readonly balances: () => Promise<readonly Balance[]>
  readonly accruals: AccrualLedger
  readonly imports: ImportLedger
  /** Closes a period. Rejects with `period_closed` where it overlaps one that is closed for the same provider, or for
   * all; and with `bad_input` where it is no time. */
  readonly closePeriod: (period: ClosedPeriod) => Promise<void>
  /** Closes the database. */
  readonly close: () => Promise<void>
}

/** The verb of imports, idempotent by line id. */
export type ImportLedger = {
  /** Posts lines in order, in steps of at most 1,000, each whole or not at all. A line that says what the one that
   * stands under its id says (whenever it was imported) is repeated; another takes its place. Rejects with `bad_input`
   * for a line of no time, of less than no calls, of a bill with charges or under the id of something else; with
   * `period_closed` for one that would change a period of its provider that is closed, unless `correctClosed`. */
  readonly post: (
    lines: readonly Imported[],
    options?: { readonly correctClosed?: boolean },
  ) => Promise<ImportOutcome>
}

/** One place where what the ledger kept is not what its entries come to. `key` names it, as a call id or a
 * JSON array of names; `folded` is what the entries come to, `kept` what the ledger kept. Null: not there. */
export type Difference = {
  readonly where:
    | 'file'
    | 'entries'
    | 'open reservations'
    | 'balances'
    | 'charges by hour'
    | 'calls by hour'
    | 'rollups'
    | 'accruals'
    | 'sealed days'
  readonly key: string
  readonly folded: string | null
  readonly kept: string | null
}

/** Whether the ledger agrees with itself. The first 1,000 differences are listed, all are counted. */
export type Verification = {
  readonly agrees: boolean
  readonly entries: number
  readonly calls: number
  readonly differenceCount: number
  readonly differences: readonly Difference[]
}

/** Lines that are posted in one atomic step. */
export type ImportPost = { readonly lines: readonly Imported[]; readonly correctClosed: boolean }

/** How many those are at most, so that others are not kept waiting. */
const linesPerStep = 1_000

/** The tables and verbs of the ledger, to open a database with. */
export const ledgerStore: Store = {
  name: 'ledger',
  migrations: new URL('./migrations/', import.meta.url),
  module: moduleUrl('./sql-ledger.ts', import.meta.url),
}

/** The ledger in a database that was opened with `ledgerStore`. */
export const openLedger = (database: Database): Ledger => {
  const call = <Result>(verb: string, argument: unknown): Promise<Result> =>
    database.call('ledger', verb, argument)
  return {
    reserve: (reservation) => call('reserve', reservation),
    settle: (settlement) => call('settle', settlement),
    release: (release) => call('release', release),
    adjust: (adjustment) => call('adjust', adjustment),
    renew: (lease) => call('renew', lease),
    expire: async (at) => {
      const all: Reservation[] = []
      for (;;) {
        const some = await call<readonly Reservation[]>('expire', at)
        if (some.length === 0) return all
        all.push(...some)
      }
    },
    unended: (callId) => call('unended', callId),
    life: (callId) => call('life', callId),
    balances: () => call('balances', null),
    accruals: {
      use: (use) => call('useTool', use),
      keep: (kept) => call('keepObject', kept),
      end: (ended) => call('endObjects', ended),
      due: (asked) => call('dueStays', asked),
      post: (posts) => call('postStays', posts),
      open: (at) => call('openAccruals', at),
    },
    imports: {
      post: async (lines, { correctClosed = false } = {}) => {
        const total = { written: 0, repeated: 0, replaced: 0 }
        for (let from = 0; from < lines.length; from += linesPerStep) {
          const asked: ImportPost = { lines: lines.slice(from, from + linesPerStep), correctClosed }
          const { written, repeated, replaced } = await call<ImportOutcome>('postImports', asked)
          total.written += written
          total.repeated += repeated
          total.replaced += replaced
        }
        return total
      },
    },
    closePeriod: (period) => call('closePeriod', period),
    close: () => database.close(),
  }
}

/** Folds all entries anew and compares with what the ledger kept. Reads one consistent view; through a
 * reader's database it disturbs no writer. `linesMost`: how many sums by hour are folded in memory at most; more are put
 * aside by day. */
export const verify = (
  database: Database,
  options: { readonly linesMost?: number } = {},
): Promise<Verification> => database.call('ledger', 'verify', options)
