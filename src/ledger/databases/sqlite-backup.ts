import { existsSync } from 'node:fs'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { backup, DatabaseSync } from 'node:sqlite'
import { OctroiError } from '../../errors.ts'
import { lockWriter } from './sqlite-connection.ts'
import { errorOf, faultOf } from './sqlite-error.ts'

/** Copies an SQLite file as it stands at one instant, also while another process writes it: the writer goes on
 * meanwhile, and nothing it writes later is in the copy. The copy is on the disk, readable by its owner only, when
 * this resolves, and appears under its name whole or not at all; what had that name before is replaced. Rejects with
 * `bad_input` when there is nothing at `from`, and with `ledger_unavailable` when the disk refuses. */
export const copySqlite = async ({
  from,
  to,
}: {
  readonly from: string
  readonly to: string
}): Promise<void> => {
  const partial = `${to}.partial`
  try {
    await mkdir(dirname(to), { recursive: true })
    await rm(partial, { force: true })
    await (await open(partial, 'wx', 0o600)).close()
    await copyPages({ from, to: partial })
    await flush(partial)
    await rename(partial, to)
    await flush(dirname(to))
  } catch (error) {
    await rm(partial, { force: true })
    throw error instanceof OctroiError ? error : errorOf(faultOf(error, to))
  }
}

/** Puts a copy of one SQLite file in the place of another, which nobody writes meanwhile, and says whether it did so:
 * `check` is given the copy before, and nothing is changed unless it says yes. What was replaced is kept beside it, as `<file>.replaced`. Rejects
 * with `ledger_locked` when another process writes the file, and with `bad_input` when it is there and not to be
 * replaced. */
export const restoreSqlite = async (
  files: { readonly from: string; readonly to: string; readonly replace: boolean },
  check: (copy: string) => Promise<boolean>,
): Promise<boolean> => {
  const { from, to, replace } = files
  await mkdir(dirname(to), { recursive: true, mode: 0o700 })
  const unlock = lockWriter(to)
  const copy = `${to}.restoring`
  try {
    if (existsSync(to) && !replace) {
      throw new OctroiError('bad_input', `There is a ledger at "${to}". Replace it with --force.`)
    }
    await copySqlite({ from, to: copy })
    if (!(await check(copy))) return false
    if (existsSync(to)) await putAside(to)
    await rename(copy, to)
    await flush(dirname(to))
    return true
  } finally {
    for (const tail of ['', '-wal', '-shm', '-writer']) await rm(copy + tail, { force: true })
    unlock()
  }
}

/** Pages of one step; other work of this process runs between the steps. */
const pagesPerStep = 1_000

/** The read transaction holds one view of the file for all steps, so that a busy writer does not make the copy
 * begin anew. */
const copyPages = async ({ from, to }: { from: string; to: string }): Promise<void> => {
  if (!existsSync(from)) {
    throw new OctroiError('bad_input', `There is no ledger at "${from}". Check the path.`)
  }
  const source = new DatabaseSync(from, { readOnly: true })
  try {
    source.exec('BEGIN')
    source.prepare('SELECT count(*) FROM sqlite_schema').get()
    await backup(source, to, { rate: pagesPerStep })
  } catch (error) {
    throw errorOf(faultOf(error, from))
  } finally {
    source.close()
  }
}

/** The log of what is replaced is first taken into its file, where it still can be: a log that stayed behind would
 * be read into the new one. */
const putAside = async (file: string): Promise<void> => {
  try {
    const database = new DatabaseSync(file)
    try {
      database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    } finally {
      database.close()
    }
  } catch {
    // A file that cannot be opened is replaced all the same.
  }
  await rm(`${file}-shm`, { force: true })
  await rename(file, `${file}.replaced`)
  if (existsSync(`${file}-wal`)) await rename(`${file}-wal`, `${file}.replaced-wal`)
}

const flush = async (path: string): Promise<void> => {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
