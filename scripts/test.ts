import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { readyBrowser } from './browser.ts'
import { check } from './check.ts'
import { root, runNode } from './step.ts'

/** What we read of vitest's JSON report. A file that could not be loaded has no tests and has failed. */
type Report = {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
  readonly numTodoTests: number
  readonly testResults: readonly { readonly status: string; readonly assertionResults: readonly unknown[] }[]
}

/** How a run of the tests went. */
export type Tally = { readonly passed: number; readonly failed: number; readonly skipped: number }

/** Counts a report. `exit` is vitest's own: where it failed and no test did (an error outside of any test, or
 * no report at all), that is one failure too. */
export const tally = (report: Report | null, exit: number): Tally => {
  if (report === null) return { passed: 0, failed: 1, skipped: 0 }
  const broken = report.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.length === 0,
  )
  const failed = report.numFailedTests + broken.length
  return {
    passed: report.numPassedTests,
    failed: failed === 0 && exit !== 0 ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  }
}

const reportPath = join(root, 'node_modules/.cache/octroi/vitest.json')

const readReport = (): Report | null => {
  try {
    return JSON.parse(readFileSync(reportPath, 'utf8'))
  } catch {
    return null
  }
}

const run = async (args: readonly string[]): Promise<void> => {
  const sound = await check()
  if (args.length === 0 || args.some((arg) => arg.includes('browser'))) readyBrowser()
  await runNode(['scripts/compile-sources.ts'])
  rmSync(reportPath, { force: true })
  const { exit } = await runNode(['node_modules/vitest/vitest.mjs', 'run', ...args], { show: true })
  const { passed, failed, skipped } = tally(readReport(), exit)
  if (!sound) console.log('\nThe static check failed, as told above the tests. It counts as one failure.')
  const failures = failed + (sound ? 0 : 1)
  console.log(`\n${passed} passed, ${failures} failed, ${skipped} skipped`)
  process.exitCode = failures === 0 && passed > 0 ? 0 : 1
}

if (import.meta.main) await run(process.argv.slice(2))
