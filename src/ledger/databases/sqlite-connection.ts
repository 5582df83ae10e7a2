import { existsSync, mkdirSync, realpathSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { OctroiError } from '../../errors.ts'
import type { Connection, SqlValue } from '../database.ts'
import { isBusy } from './sqlite-error.ts'

/** A connection with the means to open and end transactions, which only the thread has. */
export type SqliteConnection = Connection & {
  readonly begin: () => void
  /** Runs `body`; what it wrote is undone when it throws. */
  readonly step: <Result>(body: () => Result) => Result
  readonly commit: () => void
  readonly rollback: () => void
  readonly isOpenTransaction: () => boolean
  /** Brings what the log has into the file, as far as no reader needs it. */
  readonly checkpoint: () => void
  /** Runs several statements without values. */
  readonly execute: (sql: string) => void
  readonly close: () => void
}

/** Opens the file. A writer first takes the writer's lock, which the system frees when the process dies. */
export const openConnection = ({
  file,
  readOnly,
}: {
  readonly file: string
  readonly readOnly: boolean
}): SqliteConnection => {
  if (readOnly) {
    if (!existsSync(file)) {
      throw new OctroiError(
        'bad_input',
        `There is no ledger at "${file}". Check the path, or start with octroi serve.`,
      )
    }
    return connect(new DatabaseSync(file, { readOnly: true }), { readOnly, unlock: () => {} })
  }
  mkdirSync(dirname(file), { recursive: true })
  const unlock = lockWriter(file)
  try {
    return connect(new DatabaseSync(file), { readOnly, unlock })
  } catch (error) {
    unlock()
    throw error
  }
}

/** Takes the writer's lock of a file: holds a second, empty database exclusively, until it is let go or the process
 * dies. Throws `ledger_locked` when another process has it. */
export const lockWriter = (file: string): (() => void) => {
  const lock = new DatabaseSync(`${existsSync(file) ? realpathSync(file) : file}-writer`)
  try {
    lock.exec('BEGIN EXCLUSIVE')
    return () => lock.close()
  } catch (error) {
    lock.close()
    if (!isBusy(error)) throw error
    throw new OctroiError(
      'ledger_locked',
      `Another process writes the ledger "${file}". Stop it first, or give this one a ledger of its own.`,
    )
  }
}

/** Write-ahead log, and a flush to the disk at each commit (on macOS down to the medium). The log is brought into the
 * file when nothing is asked, at the latest when it has 32 MB: pages that many commits write are copied once. */
const writerPragmas = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA fullfsync = ON;
  PRAGMA checkpoint_fullfsync = ON;
  PRAGMA journal_size_limit = 67108864;
  PRAGMA wal_autocheckpoint = 8000;
`
/** What refers to what is checked by `verify`, all at once, instead of at each row. */
const pragmas =
  'PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16000; PRAGMA foreign_keys = OFF;'

const connect = (
  database: DatabaseSync,
  { readOnly, unlock }: { readonly readOnly: boolean; readonly unlock: () => void },
): SqliteConnection => {
  const statements = new Map<string, StatementSync>()

  const prepare = (sql: string): StatementSync => {
    const known = statements.get(sql)
    if (known !== undefined) return known
    const statement = database.prepare(sql)
    statement.setReadBigInts(true)
    statements.set(sql, statement)
    return statement
  }

  let memory = {}
  const forget = (): void => {
    memory = {}
  }

  const run: Connection['run'] = (sql, ...values) => {
    const { changes, lastInsertRowid } = prepare(sql).run(...bound(values))
    return { changes: Number(changes), rowid: lastInsertRowid }
  }

  const close = (): void => {
    database.close()
    unlock()
  }

  try {
    database.exec(readOnly ? pragmas : writerPragmas + pragmas)
    if (database.prepare('PRAGMA journal_mode').get()?.['journal_mode'] !== 'wal') {
      throw new OctroiError(
        'ledger_unavailable',
        'The disk of the ledger does not support a write-ahead log.',
      )
    }
  } catch (error) {
    database.close()
    throw error
  }

  return {
    run,
    get: (sql, ...values) => prepare(sql).get(...bound(values)),
    all: (sql, ...values) => prepare(sql).all(...bound(values)),
    memory: () => memory,
    begin: () => run(readOnly ? 'BEGIN' : 'BEGIN IMMEDIATE'),
    step: (body) => {
      run('SAVEPOINT step')
      try {
        const result = body()
        run('RELEASE step')
        return result
      } catch (error) {
        forget()
        if (database.isTransaction) {
          run('ROLLBACK TO step')
          run('RELEASE step')
        }
        throw error
      }
    },
    commit: () => run('COMMIT'),
    rollback: () => {
      forget()
      if (database.isTransaction) run('ROLLBACK')
    },
    isOpenTransaction: () => database.isTransaction,
    checkpoint: () => {
      if (!readOnly) prepare('PRAGMA wal_checkpoint(PASSIVE)').all()
    },
    execute: (sql) => database.exec(sql),
    close,
  }
}

/** Whole numbers are bound as integers; SQLite would take them for floats. In place: the array is the caller's rest. */
const bound = (values: SqlValue[]): SqlValue[] => {
  for (let index = 0; index < values.length; index += 1) {
    const value = values[index]
    if (typeof value === 'number' && Number.isInteger(value)) values[index] = BigInt(value)
  }
  return values
}
