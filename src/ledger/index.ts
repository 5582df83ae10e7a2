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
  Basis,
  Call,
  LedgerEntry,
  Release,
  Resent,
  Reservation,
  Settlement,
  StoredEntry,
} from './entry.ts'
export {
  type Adjusted,
  type Difference,
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
  readAccrued,
  readCalls,
  readSpend,
  type SpendAsked,
  type SpendRow,
  type SpendScope,
} from './reading.ts'
