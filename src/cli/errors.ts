import { errorCodes, OctroiError } from '../errors.ts'
import type { Io } from './command.ts'

/** Says on standard error what went wrong, with its code, and returns the exit code the table gives it.
 * What is not an `OctroiError` is a fault of Octroi: exit code 1, and its stack when `OCTROI_DEBUG` is set. */
export const reportError = (error: unknown, io: Pick<Io, 'err' | 'environment'>): number => {
  if (error instanceof OctroiError) {
    io.err(`octroi: ${error.message} [${error.code}]\n`)
    return errorCodes[error.code].exit
  }
  const known = error instanceof Error
  io.err(`octroi: ${known ? error.message : String(error)} [internal]\n`)
  if (known && io.environment.OCTROI_DEBUG) io.err(`${error.stack}\n`)
  return errorCodes.internal.exit
}
