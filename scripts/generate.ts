import { runNode } from './step.ts'

/** Everything that is generated and committed: indexes from folders, schemas from the code that reads, pages
 * from data. */
for (const name of ['indexes', 'schemas', 'price-schema', 'limits-schema', 'wires']) {
  const { exit } = await runNode([`scripts/generate-${name}.ts`, ...process.argv.slice(2)], { show: true })
  if (exit !== 0) process.exitCode = exit
}
