import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** The folder of the project, with a slash at its end. */
export const root = fileURLToPath(new URL('..', import.meta.url))

/** What a program said and how it ended. */
export type Ended = { readonly exit: number; readonly output: string }

/** Runs a JavaScript or TypeScript file under this Node, in the project's folder. `show` passes its output
 * on as it comes; otherwise it is collected. */
export const runNode = (
  args: readonly string[],
  options: { readonly show?: boolean; readonly environment?: Readonly<Record<string, string>> } = {},
): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd: root,
      stdio: options.show === true ? 'inherit' : ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...options.environment },
    })
    let output = ''
    const collect = (chunk: Buffer): void => {
      output += chunk.toString()
    }
    child.stdout?.on('data', collect)
    child.stderr?.on('data', collect)
    child.on('error', reject)
    child.on('close', (code) => resolve({ exit: code ?? 1, output }))
  })
