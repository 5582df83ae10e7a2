import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'

/** Programs of Linux that these proofs use where they are there. They are no dependencies. */
const programs = { limit: 'prlimit', trace: 'strace', mount: 'mount', unmount: 'umount' } as const

const runs = (program: string, ...words: string[]): boolean => spawnSync(program, words).status === 0

/** Whether the size of files of a process can be limited. Any user may do so with a process of their own. */
export const canLimit = runs(programs.limit, '--version')

/** Whether system calls of a process can be traced and answered with errors. */
export const canTrace = runs(programs.trace, '-o', '/dev/null', 'true')

/** Limits how large files of a process may become, in bytes; `unlimited` lifts it. */
export const limitFiles = (pid: number, size: number | 'unlimited'): void => {
  execFileSync(programs.limit, ['--pid', String(pid), `--fsize=${size}:`])
}

/** Attaches a tracer to a process, with options of its own; what is given lets go again. */
export const trace = async (pid: number, options: readonly string[]): Promise<() => Promise<void>> => {
  const tracer = spawn(programs.trace, ['-f', ...options, '-p', String(pid)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  await once(tracer.stderr, 'data')
  return async () => {
    const gone = once(tracer, 'exit')
    tracer.kill('SIGTERM')
    await gone
  }
}

/** Mounts a disk of so many bytes, in memory, at a folder. False where that is not allowed. */
export const mountSmall = (folder: string, size: string): boolean =>
  runs(programs.mount, '-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder)

/** Takes it away again. */
export const unmount = (folder: string): void => {
  execFileSync(programs.unmount, [folder])
}
