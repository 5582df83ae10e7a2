import { existsSync } from 'node:fs'
import { copyFile, mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { OctroiError } from '../errors.ts'
import { openSqlite } from '../ledger/databases/sqlite.ts'
import { copySqlite, restoreSqlite } from '../ledger/databases/sqlite-backup.ts'
import { ledgerStore, type Verification, verify } from '../ledger/ledger.ts'
import { sealedFolderOf } from '../ledger/sealed/sealing.ts'
import { verifyDays } from '../ledger/sealed/verify-days.ts'
import { ledgerFile, pepperFile } from './data-folder.ts'
import { registryStore } from './registry/registry.ts'

/** The file that holds the pepper of a backup: apart, so that the two can be kept apart. */
export const backupPepper = (file: string): string => `${file}.pepper`

/** The folder that holds the sealed days of a backup. */
const backupSealed = (file: string): string => `${file}.sealed`

/** Copies the ledger of a data folder, with its keys and objects, into one file, its pepper and its sealed days beside
 * it; a gateway may go on writing meanwhile. Throws `bad_input` when there is nothing to copy, or a file that is not to be
 * replaced. */
export const backupData = async (
  folder: string,
  file: string,
  { replace }: { readonly replace: boolean },
): Promise<void> => {
  for (const taken of [file, backupPepper(file)]) {
    if (existsSync(taken) && !replace) {
      throw new OctroiError('bad_input', `There is a file at "${taken}". Replace it with --force.`)
    }
  }
  await copySqlite({ from: ledgerFile(folder), to: file })
  await copySecret(pepperFile(folder), backupPepper(file))
  await copySealed(sealedFolderOf(ledgerFile(folder)), backupSealed(file))
}

/** Copies sealed days. */
const copySealed = async (from: string, to: string): Promise<void> => {
  const files = existsSync(from) ? (await readdir(from)).filter((name) => name.endsWith('.parquet')) : []
  if (files.length === 0) return
  await mkdir(to, { recursive: true, mode: 0o700 })
  for (const file of files) await copySecret(join(from, file), join(to, file))
}

/** Puts a backup in the place of a data folder's ledger and pepper, when its entries agree with what it kept. A
 * backup of an older version is brought up to date on the way. What was there is kept as `ledger.sqlite.replaced` and
 * `pepper.replaced`. Nothing is changed where the answer does not agree. Throws `ledger_locked` while a gateway holds the folder,
 * and `bad_input` without a pepper, or for a folder in use without `replace`. */
export const restoreData = async (
  { file, pepper }: { readonly file: string; readonly pepper: string },
  folder: string,
  { replace }: { readonly replace: boolean },
): Promise<Verification> => {
  if (!existsSync(pepper)) {
    throw new OctroiError(
      'bad_input',
      `There is no pepper at "${pepper}", and without it no key of this backup opens anything. Name it with --pepper; ` +
        'reports read a backup as it is: --ledger FILE.',
    )
  }
  const verifications: Verification[] = []
  await restoreSqlite({ from: file, to: ledgerFile(folder), replace }, async (copy) => {
    const verification = await verifyCopy(copy, backupSealed(file))
    verifications.push(verification)
    if (verification.agrees) {
      await putPepper(pepper, pepperFile(folder))
      await copySealed(backupSealed(file), sealedFolderOf(ledgerFile(folder)))
    }
    return verification.agrees
  })
  const [verification] = verifications
  if (verification === undefined) throw new OctroiError('internal', 'The copy was not verified.')
  return verification
}

const putPepper = async (from: string, to: string): Promise<void> => {
  if (existsSync(to)) await copySecret(to, `${to}.replaced`)
  await copySecret(from, to)
}

const verifyCopy = async (copy: string, sealed: string): Promise<Verification> => {
  const database = await openSqlite({ file: copy, stores: [ledgerStore, registryStore] })
  try {
    const { differences, differenceCount, ...counted } = await verify(database)
    const days = (await verifyDays(database, sealed, { isSpare: true })).differences
    const count = differenceCount + days.length
    return {
      ...counted,
      agrees: count === 0,
      differences: [...days, ...differences],
      differenceCount: count,
    }
  } finally {
    await database.close()
  }
}

/** Copies a file that only its owner may read, whole or not at all. */
const copySecret = async (from: string, to: string): Promise<void> => {
  const partial = `${to}.partial`
  await rm(partial, { force: true })
  try {
    await copyFile(from, partial)
    const handle = await open(partial, 'r+')
    try {
      await handle.chmod(0o600)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(partial, to)
  } finally {
    await rm(partial, { force: true })
  }
}
