import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { root, runNode } from './step.ts'

/** Runs one benchmark of `bench/` by name, with the arguments that follow, or all of them one after another. */
const run = async ([name, ...args]: readonly string[]): Promise<void> => {
  const all = readdirSync(join(root, 'bench'))
    .filter((file) => file.endsWith('.ts'))
    .map((file) => file.replace(/\.ts$/, ''))
  if (name !== undefined && !all.includes(name)) {
    console.error(`There is no benchmark "${name}". There are: ${all.join(', ')}.`)
    process.exitCode = 2
    return
  }
  for (const bench of name === undefined ? all : [name]) {
    console.log(`\n${bench}`)
    const { exit } = await runNode([join('bench', `${bench}.ts`), ...args], { show: true })
    if (exit !== 0) process.exitCode = 1
  }
}

await run(process.argv.slice(2))
