import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { ledgerFile } from '../gateway/data-folder.ts'
import { type ImportedRow, readImported } from '../ledger/reading.ts'
import { parseInstant } from '../time.ts'
import { command } from './commands/import.ts'
import { withLedger } from './reports.ts'
import { commandRunner } from './run-command.fixture.ts'

/** Runs `octroi import` in this process. */
export const runImportCommand = commandRunner(command)

/** What it says with `--json`. */
export type Said = {
  readonly written: number
  readonly posted: readonly { readonly currency: string; readonly amount: string }[]
}

/** A folder for one test, and what is imported into the ledger in it. */
export const openImports = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'octroi-import-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const data = join(folder, 'data')
  return {
    folder,
    data,
    /** Imports a text as a file of the name `report`. */
    importing: async (importer: string, text: string, ...more: readonly string[]) => {
      const file = join(folder, 'report')
      await writeFile(file, text)
      const words = ['import', importer, '--file', file, '--data', data, '--json', ...more]
      const { exit, out, err } = await runImportCommand(words)
      return { exit, err: err.replaceAll(file, 'report'), said: JSON.parse(out || '{}') as Said }
    },
    /** The lines that stand. */
    linesOf: (): Promise<readonly ImportedRow[]> =>
      withLedger({ ledger: ledgerFile(data) }, async (database) => {
        const lines: ImportedRow[] = []
        const all = { from: 0, to: Number.MAX_SAFE_INTEGER }
        for await (const some of readImported(database, all)) lines.push(...some)
        return lines
      }),
  }
}

/** 1 March 2026, in seconds. */
export const day = parseInstant('2026-03-01') / 1000
/** A day of OpenAI's report. */
export const bucket = (results: readonly object[], start = day) => ({
  object: 'bucket',
  start_time: start,
  end_time: start + 86_400,
  results,
})
/** A page of OpenAI's report. */
export const page = (buckets: readonly object[], next: string | null = null) =>
  JSON.stringify({ object: 'page', data: buckets, has_more: next !== null, next_page: next })
/** A result of OpenAI's report of completions. */
export const completions = (counts: object) => ({
  object: 'organization.usage.completions.result',
  model: 'gpt-4o-2024-08-06',
  project_id: 'proj_1',
  num_model_requests: 5,
  ...counts,
})
