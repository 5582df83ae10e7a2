import { type ErrorCode, errorCodes, OctroiError } from '../../errors.ts'

/** An error as data, so that it can cross from the writer's thread. */
export type Fault = {
  readonly code: ErrorCode
  readonly message: string
  readonly details: Readonly<Record<string, unknown>>
}

/** Result codes of SQLite that are about the disk, the file or another process, not about our statements.
 * Source: https://www.sqlite.org/rescode.html (2026-11). */
const outside: Readonly<Record<number, string>> = {
  3: 'SQLITE_PERM',
  5: 'SQLITE_BUSY',
  6: 'SQLITE_LOCKED',
  7: 'SQLITE_NOMEM',
  8: 'SQLITE_READONLY',
  10: 'SQLITE_IOERR',
  11: 'SQLITE_CORRUPT',
  13: 'SQLITE_FULL',
  14: 'SQLITE_CANTOPEN',
  15: 'SQLITE_PROTOCOL',
  22: 'SQLITE_NOLFS',
  23: 'SQLITE_AUTH',
  26: 'SQLITE_NOTADB',
}

/** True when another connection holds what was asked for. */
export const isBusy = (error: unknown): boolean => resultCode(error) === 5

/** Names what went wrong: our own errors as they are, troubles of the disk as `ledger_unavailable` with their
 * cause, everything else as `internal`. */
export const faultOf = (error: unknown, file: string): Fault => {
  if (error instanceof OctroiError) {
    return { code: error.code, message: error.message, details: error.details }
  }
  const text = error instanceof Error ? error.message : String(error)
  const cause = outside[resultCode(error) ?? 0] ?? systemCode(error)
  if (cause === undefined) return { code: 'internal', message: text, details: {} }
  const message = `The ledger "${file}" cannot be used: ${text} (${cause}). Check the disk and the file's rights.`
  return { code: 'ledger_unavailable', message, details: { cause } }
}

/** The error that a fault describes. */
export const errorOf = (fault: Fault): OctroiError =>
  new OctroiError(
    Object.hasOwn(errorCodes, fault.code) ? fault.code : 'internal',
    fault.message,
    fault.details,
  )

const resultCode = (error: unknown): number | undefined =>
  error instanceof Error && 'errcode' in error && typeof error.errcode === 'number'
    ? error.errcode & 0xff
    : undefined

/** The code of a failed system call: ENOENT, EACCES, ENOSPC ... */
const systemCode = (error: unknown): string | undefined =>
  error instanceof Error && 'syscall' in error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined
