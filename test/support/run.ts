import { spawn } from 'node:child_process'

/** How a program ended: its exit code, and what it wrote. */
export type Ended = { readonly exit: number | null; readonly out: string; readonly err: string }

/** Runs a program to its end. The environment is this one's with `environment` over it; a value that is
 * undefined takes a variable away. Killed after `timeoutMs`, 15 s unless told. */
export const runProgram = (
  program: string,
  args: readonly string[],
  options: {
    readonly cwd?: string
    readonly environment?: Readonly<Record<string, string | undefined>>
    readonly input?: string
    readonly timeoutMs?: number
  } = {},
): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: { ...process.env, ...options.environment },
      timeout: options.timeoutMs ?? 15_000,
      stdio: 'pipe',
    })
    let out = ''
    let err = ''
    child.stdout.on('data', (chunk) => {
      out += chunk
    })
    child.stderr.on('data', (chunk) => {
      err += chunk
    })
    child.stdin.on('error', () => {})
    child.stdin.end(options.input ?? '')
    child.on('error', reject)
    child.on('close', (exit) => resolve({ exit, out, err }))
  })
