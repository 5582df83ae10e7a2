import { backupData, backupPepper, restoreData } from '../gateway/data-backup.ts'
import { type Verification, verify } from '../ledger/ledger.ts'
import type { Io } from './command.ts'
import { formatJson } from './json.ts'
import { formatCount, withLedger } from './reports.ts'

type Options = Readonly<Record<string, unknown>>

/** Copies the ledger of a data folder, and reads the copy once through: a backup that nobody has read is none.
 * Exit code 1 where it does not agree with itself. */
export const backupLedger = async (file: string, options: Options, io: Io): Promise<number> => {
  const pepper = backupPepper(file)
  await backupData(String(options['data']), file, { replace: options['force'] === true })
  const verification = await withLedger({ ledger: file }, verify)
  const { agrees, entries, calls } = verification
  if (options['json'] === true) {
    io.out(`${formatJson({ schema: 'octroi-ledger-copy/1', agrees, entries, calls, file, pepper })}\n`)
  } else if (agrees) {
    io.out(`${file}: ${sizeOf(verification)}. It agrees.\n`)
    io.err(`octroi: its pepper is in ${pepper}. Keep it apart: without it no key opens anything.\n`)
  }
  return saidDifferences(verification, file, io)
}

/** Puts a backup in the place of a data folder's ledger. Exit code 1, and nothing changed, where it does not agree
 * with itself. */
export const restoreLedger = async (file: string, options: Options, io: Io): Promise<number> => {
  const pepper = options['pepper'] === undefined ? backupPepper(file) : String(options['pepper'])
  const folder = String(options['data'])
  const verification = await restoreData({ file, pepper }, folder, { replace: options['force'] === true })
  const { agrees, entries, calls } = verification
  if (options['json'] === true) {
    io.out(`${formatJson({ schema: 'octroi-ledger-copy/1', agrees, entries, calls, file, pepper })}\n`)
  } else if (agrees) io.out(`${folder}: ${sizeOf(verification)} restored. They agree.\n`)
  return saidDifferences(verification, file, io)
}

const sizeOf = ({ entries, calls }: Verification): string =>
  `${formatCount(entries)} entries of ${formatCount(calls)} calls`

const saidDifferences = ({ agrees, differenceCount }: Verification, file: string, io: Io): number => {
  if (agrees) return 0
  io.err(
    `octroi: ${file} differs from its entries in ${formatCount(differenceCount)} places. ` +
      `They are listed by: octroi ledger verify --ledger ${file}\n`,
  )
  return 1
}
