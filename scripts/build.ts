import { cp, glob, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { root, runNode } from './step.ts'

/** Compiles `src` to `dist` and copies what is not code. Throws with the compiler's words. */
export const build = async (): Promise<void> => {
  await rm(join(root, 'dist'), { recursive: true, force: true })
  const compiled = await runNode(['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'])
  if (compiled.exit !== 0) throw new Error(compiled.output)
  for await (const file of glob('**/*.sql', { cwd: join(root, 'src') })) {
    await cp(join(root, 'src', file), join(root, 'dist', file))
  }
  await refuseUrlsOfSources()
}

/** The compiler rewrites `./x.ts` in imports and not in `new URL('./x.ts', import.meta.url)`, which would
 * point to nothing in the package. */
const refuseUrlsOfSources = async (): Promise<void> => {
  for await (const file of glob('**/*.js', { cwd: join(root, 'dist') })) {
    const text = await readFile(join(root, 'dist', file), 'utf8')
    const found = /new URL\(\s*['"`][^'"`]*\.ts['"`]/.exec(text)
    if (found !== null) {
      throw new Error(`dist/${file} holds ${found[0]}: no such file is in the package. Use moduleUrl.`)
    }
  }
}

if (import.meta.main) {
  try {
    await build()
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  }
}
