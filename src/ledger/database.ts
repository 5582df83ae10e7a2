/** A value a statement takes or gives. */
export type SqlValue = string | number | bigint | null | Uint8Array

export type Row = Readonly<Record<string, SqlValue>>

/** A connection inside the writer's thread: synchronous, always inside a transaction that the thread opens
 * and commits. */
export type Connection = {
  readonly run: (sql: string, ...values: SqlValue[]) => { readonly changes: number }
  readonly get: (sql: string, ...values: SqlValue[]) => Row | undefined
  readonly all: (sql: string, ...values: SqlValue[]) => readonly Row[]
}

/** A set of tables and the verbs on them. `module` exports `verbs: Record<string, Verb>`; `migrations` is a
 * folder of `NNN-name.sql`, applied in order, once. */
export type Store = { readonly name: string; readonly migrations: URL; readonly module: URL }

/** Runs inside one atomic step: it does all of it or, when it throws, nothing. */
export type Verb = (connection: Connection, argument: never) => unknown

/** One database file and its one writer. `call` resolves when what the verb wrote is on the disk; calls that
 * arrive while a commit is in flight share the next one. Arguments and results are structured-cloned. */
export type Database = {
  readonly call: <Result>(store: string, verb: string, argument: unknown) => Promise<Result>
  readonly close: () => Promise<void>
}
