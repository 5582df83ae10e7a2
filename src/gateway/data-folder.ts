import { randomBytes } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { member, parseJson, textOf } from '../endpoints/json.ts'
import { OctroiError } from '../errors.ts'
import type { Database } from '../ledger/database.ts'
import { openSqlite } from '../ledger/databases/sqlite.ts'
import { ledgerStore } from '../ledger/ledger.ts'
import { sealedFolderOf } from '../ledger/sealed/sealing.ts'
import { registryStore } from './registry/registry.ts'

/** Where a control plane is, and the token it wants, if any. */
export type ControlAddress = { readonly url: string; readonly token: string | null }

/** The folder where a gateway keeps what must survive: the ledger, and the pepper of its hashes. */
export type DataFolder = {
  readonly database: Database
  /** Opens the ledger once more, to read it beside the writer. */
  readonly openReader: () => Promise<Database>
  /** Where its sealed days are kept. */
  readonly sealedFolder: string
  readonly pepper: Uint8Array
  /** Tells other commands where this gateway's control plane is; removed by `forgetControl`. */
  readonly announceControl: (control: ControlAddress) => Promise<void>
  readonly forgetControl: () => Promise<void>
}

export const ledgerFile = (folder: string): string => join(folder, 'ledger.sqlite')

export const pepperFile = (folder: string): string => join(folder, 'pepper')

/** Opens a data folder for writing, making it where there is none. Readable by its owner only. Throws
 * `ledger_locked` when another process writes it. */
export const openDataFolder = async (folder: string): Promise<DataFolder> => {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const database = await openSqlite({ file: ledgerFile(folder), stores: [ledgerStore, registryStore] })
  const pepper = await readPepper(pepperFile(folder))
  return {
    database,
    openReader: () => openSqlite({ file: ledgerFile(folder), stores: [ledgerStore], readOnly: true }),
    sealedFolder: sealedFolderOf(ledgerFile(folder)),
    pepper,
    announceControl: (control) => writeFile(controlFile(folder), JSON.stringify(control), { mode: 0o600 }),
    forgetControl: () => rm(controlFile(folder), { force: true }),
  }
}

/** The control plane of the gateway that holds a data folder, or null when none has announced itself. */
export const findControl = async (folder: string): Promise<ControlAddress | null> => {
  const text = await readFile(controlFile(folder), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw new OctroiError(
      'bad_input',
      `${controlFile(folder)} cannot be read (${error.code}). Check its rights.`,
    )
  })
  const announced = text === null ? undefined : parseJson(text)
  const url = textOf(member(announced, 'url'))
  return url === null ? null : { url, token: textOf(member(announced, 'token')) }
}

const controlFile = (folder: string): string => join(folder, 'control.json')

const readPepper = async (file: string): Promise<Uint8Array> => {
  try {
    return await readFile(file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    const pepper = randomBytes(32)
    await writeFile(file, pepper, { mode: 0o600, flag: 'wx' })
    return pepper
  }
}
