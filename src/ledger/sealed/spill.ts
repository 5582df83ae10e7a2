import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** Folders of this process, and of others: `.spill-by-1234-` and some signs. */
const ours = new Set<string>()
const pattern = /^\.spill-by-(\d+)-\w+$/

/** Gives a folder of its own in `folder` that is removed afterwards; an empty name where none can be made there, as for who
 * may only read. What a process that was killed has left is removed first. */
export const withSpill = async <Result>(
  folder: string,
  body: (spill: string) => Promise<Result>,
): Promise<Result> => {
  await removeLeft(folder)
  const spill = await mkdtemp(join(folder, `.spill-by-${process.pid}-`)).catch(() => '')
  ours.add(spill)
  try {
    return await body(spill)
  } finally {
    if (spill !== '') await rm(spill, { recursive: true, force: true })
    ours.delete(spill)
  }
}

const removeLeft = async (folder: string): Promise<void> => {
  const names = await readdir(folder).catch(() => [])
  for (const name of names) {
    const [, pid] = pattern.exec(name) ?? []
    if (
      pid === undefined ||
      ours.has(join(folder, name)) ||
      (Number(pid) !== process.pid && lives(Number(pid)))
    )
      continue
    // What cannot be removed now is tried again by the next who spills.
    await rm(join(folder, name), { recursive: true, force: true }).catch(() => {})
  }
}

/** Whether a process is there; one of another user is. */
const lives = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
