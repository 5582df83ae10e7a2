/** The ledger of Octroi: durable, append-only, verified. `octroi/ledger`. */
export type {
  AccrualLedger,
  AccrualOwner,
  Accrued,
  EndedObjects,
  KeptObject,
  Posted,
  SessionUse,
  Stay,
  StayPosts,
} from './accrual.ts'
export type { Connection, Database, Row, SqlValue, Store, Verb } from './database.ts'
export { openSqlite, type SqliteSettings } from './databases/sqlite.ts'
export type {
  Adjustment,
  Attempt,
  Basis,
  Call,
  LedgerEntry,
  Release,
  Resent,
  Reservation,
  Settlement,
  StoredEntry,
} from './entry.ts'
export type { ClosedPeriod, Imported, ImportOutcome, Reported } from './imported.ts'
export {
  type Adjusted,
  type Difference,
  type ImportLedger,
  type Ledger,
  ledgerStore,
  type Outcome,
  openLedger,
  type Verification,
  verify,
} from './ledger.ts'
export {
  type AccruedRow,
  type CallRow,
  type ClosedRow,
  type ImportedAsked,
  type ImportedRow,
  readAccrued,
  readCalls,
  readClosed,
  readImported,
  readSpend,
  type SpendAsked,
  type SpendRow,
  type SpendScope,
} from './reading.ts'
export { type Detail, openDetail } from './sealed/detail.ts'
export type { Dimension, Group, GroupsAsked } from './sealed/grouping.ts'
export { groupDetail } from './sealed/groups.ts'
export { thawCalls } from './sealed/pruning.ts'
export { type Pruned, pruneDays, type Sealed, sealDays, sealedFolderOf } from './sealed/sealing.ts'
export { type DaysVerification, verifyDays } from './sealed/verify-days.ts'
