import { build } from './build.ts'
import { staleIndexes } from './generate-indexes.ts'
import { type Ended, root, runNode } from './step.ts'

/** One static check. `output` is shown when it fails. */
type Check = { readonly name: string; readonly run: () => Promise<Ended> }

const indexesAreFresh = (): Promise<Ended> => {
  const stale = staleIndexes(root).map(({ path }) => `${path} is stale: run \`npm run generate\`.\n`)
  return Promise.resolve({ exit: stale.length, output: stale.join('') })
}

const packageIsSound = async (): Promise<Ended> => {
  try {
    await build()
  } catch (error) {
    return { exit: 1, output: error instanceof Error ? error.message : String(error) }
  }
  return runNode(['node_modules/publint/src/cli.js', '--strict', '--pack', 'false'])
}

const checks: readonly Check[] = [
  { name: 'generated indexes', run: indexesAreFresh },
  {
    name: 'format and lint',
    run: () =>
      runNode(['node_modules/@biomejs/biome/bin/biome', 'ci', '--error-on-warnings', '--colors=off', '.']),
  },
  { name: 'types', run: () => runNode(['node_modules/typescript/bin/tsc', '-p', '.']) },
  { name: 'dead code', run: () => runNode(['node_modules/knip/bin/knip.js']) },
  { name: 'package', run: packageIsSound },
]

/** Runs every static check, tells each on a line, and says whether all hold. */
export const check = async (): Promise<boolean> => {
  let sound = true
  for (const { name, run } of checks) {
    const begun = performance.now()
    const { exit, output } = await run()
    const seconds = ((performance.now() - begun) / 1000).toFixed(1)
    console.log(`${exit === 0 ? 'ok    ' : 'FAILED'}  ${name} (${seconds} s)`)
    if (exit !== 0) console.log(output.trimEnd())
    sound &&= exit === 0
  }
  return sound
}

if (import.meta.main) process.exitCode = (await check()) ? 0 : 1
