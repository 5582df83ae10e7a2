import { runNode } from './step.ts'

/** Runs the proofs of `test/proof` in their long form; `npm test` runs the same in a short one. */
const run = async (args: readonly string[]): Promise<void> => {
  const vitest = [
    'node_modules/vitest/vitest.mjs',
    'run',
    'test/proof/',
    'test/differential/tokens.test.ts',
    ...args,
  ]
  const { exit } = await runNode(vitest, { show: true, environment: { OCTROI_PROOF: 'long' } })
  process.exitCode = exit
}

await run(process.argv.slice(2))
