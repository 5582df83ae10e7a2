import { createHash } from 'node:crypto'
import { type FileHandle, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { OctroiError } from '../../errors.ts'
import { readLines, type SpooledVerb, writeLines } from './spool-lines.ts'

/** The file in which verbs wait for the ledger. Its operations are asked one at a time. */
export type SpoolFile = {
  /** What an earlier process left. Rejects with `ledger_unavailable` when it is there and cannot be read. */
  readonly read: () => Promise<ReturnType<typeof readLines>>
  /** Resolves when the verbs are on the disk; rejects with what the system says when they may not be. */
  readonly append: (verbs: readonly SpooledVerb[]) => Promise<void>
  /** Not all of the file will be in the ledger, so it is to be kept when it is removed. */
  readonly keep: () => void
  /** Removes the file: all of it is in the ledger. One that is to be kept, as one with torn lines is, gets another
   * name. */
  readonly remove: () => Promise<void>
  /** Lets go of the file, and leaves it where it is. */
  readonly close: () => Promise<void>
}

/** The name of a ledger's spool in a folder that several ledgers may share. */
export const spoolPath = (folder: string, pepper: Uint8Array): string => {
  const name = createHash('sha256').update('spool').update(pepper).digest('hex').slice(0, 12)
  return join(folder, `octroi-spool-${name}.jsonl`)
}

/** A spool file at a path, of at most so many bytes. It is made when it is first needed. */
export const openSpoolFile = (path: string, bytesMax: number): SpoolFile => {
  let handle: FileHandle | null = null
  let isKept = false

  const opened = async (): Promise<FileHandle> => {
    if (handle !== null) return handle
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    handle = await open(path, 'a', 0o600)
    await flushFolder(dirname(path))
    return handle
  }

  const close = async (): Promise<void> => {
    const closing = handle
    handle = null
    await closing?.close()
  }

  return {
    read: async () => {
      try {
        const found = readLines(await readFile(path, 'utf8'))
        isKept = found.torn > 0
        return found
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        if (code === 'ENOENT') return { verbs: [], torn: 0 }
        throw new OctroiError(
          'ledger_unavailable',
          `The spool "${path}" cannot be read (${code}). It holds calls that are not in the ledger: check the disk and the file's rights.`,
          { cause: code },
        )
      }
    },
    append: async (verbs) => {
      const lines = writeLines(verbs)
      try {
        const file = await opened()
        if ((await file.stat()).size + Buffer.byteLength(lines) > bytesMax)
          throw new Error('the spool is full')
        await file.appendFile(lines)
        await file.datasync()
      } catch (error) {
        await close().catch(() => {})
        throw error
      }
    },
    keep: () => {
      isKept = true
    },
    remove: async () => {
      await close()
      if (isKept) await rename(path, `${path}.kept`)
      else if (await isThere(path)) await rm(path)
      else return
      isKept = false
      await flushFolder(dirname(path))
    },
    close,
  }
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )

/** A new name, or the lack of one, is on the disk when its folder is. */
const flushFolder = async (folder: string): Promise<void> => {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
