/** A value a statement takes or gives. */
export type SqlValue = string | number | bigint | null | Uint8Array

export type Row = Readonly<Record<string, SqlValue>>

/** A connection inside the writer's thread: synchronous, always inside a transaction that the thread opens
 * and commits. */
export type Connection = {
  /** `rowid`: that of the last row that was inserted. */
  readonly run: (
    sql: string,
    ...values: SqlValue[]
  ) => { readonly changes: number; readonly rowid: number | bigint }
  readonly get: (sql: string, ...values: SqlValue[]) => Row | undefined
  readonly all: (sql: string, ...values: SqlValue[]) => readonly Row[]
  /** Another object whenever anything was undone: what is remembered of the file is remembered with it, in a `WeakMap`. */
  readonly memory: () => object
}

/** A set of tables and the verbs on them. `module` is a `StoreModule`; `migrations` is a folder of `NNN-name.sql`,
 * applied in order, once. */
export type Store = { readonly name: string; readonly migrations: URL; readonly module: URL }

/** The verbs of a store. Those named in `gathering` may leave sums in memory, which `write` adds to the tables: once
 * before the commit, and before any verb that is not among them. */
export type StoreModule = {
  readonly verbs: Readonly<Record<string, Verb>>
  readonly gathering?: readonly string[]
  readonly write?: (connection: Connection) => void
}

/** Runs inside one atomic step: it does all of it or, when it throws, nothing. */
export type Verb = (connection: Connection, argument: never) => unknown

/** One database file and its one writer. `call` resolves when what the verb wrote is on the disk; calls that
 * arrive while a commit is in flight share the next one. Arguments and results are structured-cloned. */
export type Database = {
  readonly call: <Result>(store: string, verb: string, argument: unknown) => Promise<Result>
  readonly close: () => Promise<void>
}
