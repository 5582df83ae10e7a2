import { globSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from './step.ts'

/** Loads every source once, in one thread, so that Node keeps them compiled (NODE_COMPILE_CACHE) before tests load them
 * in many threads at a time. */
for (const path of globSync('src/**/*.ts', { cwd: root })) {
  if (!/\.(test|fixture)\.ts$/.test(path)) await import(pathToFileURL(join(root, path)).href)
}
