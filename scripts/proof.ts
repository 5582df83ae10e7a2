import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { circumstances, type Results, reportText, rowsOf } from './proof-report.ts'
import { root, runNode } from './step.ts'

/** Runs the proofs of `test/proof` in their long form; `npm test` runs the same in a short one. `--only NAME` runs the
 * files whose names have NAME in them, `--short` their short form, and `--report FILE` writes the report as JSON. What
 * follows `--` goes to vitest. */
const run = async (args: readonly string[]): Promise<void> => {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', multiple: true },
      report: { type: 'string' },
      short: { type: 'boolean', default: false },
    },
    allowPositionals: true,
  })
  const files = values.only?.map((name) => `test/proof/${name}`) ?? [
    'test/proof/',
    'test/differential/tokens.test.ts',
  ]
  const resultsFile = join(root, 'node_modules/.cache/octroi/vitest.json')
  rmSync(resultsFile, { force: true })
  const { exit } = await runNode(['node_modules/vitest/vitest.mjs', 'run', ...files, ...positionals], {
    show: true,
    environment: { OCTROI_PROOF: values.short ? 'short' : 'long' },
  })
  const rows = rowsOf(readResults(resultsFile))
  const about = circumstances()
  console.log(reportText(rows, about))
  if (values.report !== undefined) {
    const form = values.short ? 'short' : 'long'
    writeFileSync(resolve(values.report), `${JSON.stringify({ ...about, form, proofs: rows }, null, 2)}\n`)
  }
  process.exitCode = rows.some(({ result }) => result === 'pass') ? exit : 1
}

/** No results where vitest ended before it wrote any. */
const readResults = (file: string): Results => {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return { testResults: [] }
  }
}

await run(process.argv.slice(2))
