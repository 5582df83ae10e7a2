import { access } from 'node:fs/promises'
import { OctroiError } from '../errors.ts'
import { ledgerFile } from '../gateway/data-folder.ts'
import { importerNames, pagedImporters } from '../gateway/importers/index.ts'
import type { PagedImporter } from '../gateway/importers/pages.ts'
import { type ImportPlan, type Owners, planImport } from '../gateway/importers/post.ts'
import {
  type Period,
  pullReport,
  type ReadReport,
  readPages,
  readRowFile,
} from '../gateway/importers/read.ts'
import type { RowImporter } from '../gateway/importers/row-importer.ts'
import { importLinesMax, importsPath, writeImports } from '../gateway/imports.ts'
import type { Database } from '../ledger/database.ts'
import type { Imported, ImportOutcome } from '../ledger/imported.ts'
import { openLedger } from '../ledger/ledger.ts'
import type { Instant } from '../time.ts'
import type { Io } from './command.ts'
import { askControl, openFolderOrControl } from './control.ts'
import { openInput } from './input.ts'
import { openBook } from './overlays.ts'
import { withLedger } from './reports.ts'

/** What is imported, from where, and whose it is. */
export type ImportCommand = {
  readonly importer: string
  /** A file, or - for standard input; pulled from the vendor where none is named. */
  readonly file: string | undefined
  readonly period: Period
  readonly account: string | undefined
  readonly provider: string | undefined
  readonly mapping: string | undefined
  readonly owners: string | undefined
  readonly cost: string
  readonly separator: string | undefined
  readonly repeatedRows: string
  readonly baseUrl: string | undefined
  readonly keyVariable: string | undefined
  readonly width: string
  readonly pageSize: string | undefined
  readonly routes: string | undefined
  readonly data: string
  readonly prices: string | undefined
  readonly at: Instant
  readonly isDryRun: boolean
}

/** What an import came to. `outcome` is the ledger's own, or in a dry run what it would be. */
export type ImportResult = {
  readonly importer: string
  readonly role: 'usage' | 'bill'
  readonly account: string
  readonly report: ReadReport
  readonly plan: ImportPlan
  readonly outcome: ImportOutcome
  readonly isWritten: boolean
}

/** Reads a report, holds it against the ledger, and writes what did not pass the gateway: directly, or through the
 * gateway that holds the data folder. Throws what a bad report deserves; nothing is written then. */
export const runImport = async (command: ImportCommand, io: Io): Promise<ImportResult> => {
  const paged = pagedImporters.find(({ id }) => id === command.importer) ?? null
  const rows = paged === null ? await rowImporterOf(command) : null
  const owners = await readOwners(command.owners)
  const book = await openBook(command.prices, command.data)
  const report = paged === null ? await readFile(command, rows, io) : await readPaged(command, paged, io)
  const role = paged?.role ?? 'usage'
  const account = command.account ?? command.provider ?? paged?.provider ?? rows?.provider ?? command.importer
  const asked = {
    ...{ importer: command.importer, role, account, owners, at: command.at },
    pricesFrom: paged?.provider ?? null,
  }
  const done = { importer: command.importer, role, account, report }
  if (command.isDryRun) {
    const plan = await beside(command.data, (database) => planImport(report, asked, { database, book }))
    return { ...done, plan, outcome: plan.outcome(), isWritten: false }
  }
  const { data, control } = await openFolderOrControl(command.data)
  try {
    const plan =
      data === null
        ? await beside(command.data, (database) => planImport(report, asked, { database, book }))
        : await planImport(report, asked, { database: data.database, book })
    const post = (lines: readonly Imported[]): Promise<ImportOutcome> =>
      data === null
        ? askControl(control, importsPath, writeImports(lines))
        : openLedger(data.database).imports.post(lines)
    const outcome = { written: 0, repeated: 0, replaced: 0 }
    const lines = [...plan.lines.map(({ imported }) => imported), ...plan.withdrawn]
    const atOnce = data === null ? importLinesMax : ownLinesMax
    for (let first = 0; first < lines.length; first += atOnce) {
      const { written, repeated, replaced } = await post(lines.slice(first, first + atOnce))
      outcome.written += written
      outcome.repeated += repeated
      outcome.replaced += replaced
    }
    return { ...done, plan, outcome, isWritten: true }
  } finally {
    await data?.database.close()
  }
}

/** Lines that are written at once where nobody else waits for the ledger. Ids lie scattered over its pages, and each
 * commit writes anew every page that it touched. */
const ownLinesMax = 2_000

/** Reads the ledger of a folder beside whoever writes it; null where there is none yet. */
const beside = async <Result>(
  folder: string,
  read: (database: Database | null) => Promise<Result>,
): Promise<Result> => {
  const isThere = await access(ledgerFile(folder)).then(
    () => true,
    () => false,
  )
  return isThere ? withLedger({ ledger: ledgerFile(folder) }, read) : read(null)
}

const readPaged = async (command: ImportCommand, importer: PagedImporter, io: Io): Promise<ReadReport> => {
  const { file, period } = command
  const provider = command.provider ?? importer.provider
  if (file !== undefined) {
    return readPages(await openInput(file, io), { importer, file: shown(file), provider, period })
  }
  if (period.from === null || period.to === null) {
    throw new OctroiError(
      'bad_input',
      `--from and --to are missing: the period to ask ${importer.provider} for. Or name a file with --file.`,
    )
  }
  const pageMax = importer.widths[command.width]
  if (pageMax === undefined) {
    throw new OctroiError(
      'bad_input',
      `--width "${command.width.slice(0, 20)}" is none of ${Object.keys(importer.widths).join(', ')}.`,
    )
  }
  const pull = {
    ...{ importer, from: period.from, to: period.to, width: command.width },
    pageSize: pageSizeOf(command.pageSize, pageMax),
    baseUrl: command.baseUrl ?? importer.baseUrl,
    key: keyOf(command.keyVariable ?? importer.keyVariable, io),
    signal: io.signal,
  }
  const routes = command.routes?.split(',').map((name) => name.trim()) ?? null
  return pullReport(pull, { provider, routes })
}

const pageSizeOf = (written: string | undefined, max: number): number => {
  if (written === undefined) return max
  const size = Number(written)
  if (Number.isSafeInteger(size) && size >= 1 && size <= max) return size
  throw new OctroiError(
    'bad_input',
    `--page-size "${written.slice(0, 20)}" is no whole number from 1 to ${max}.`,
  )
}

const keyOf = (variable: string, io: Io): string => {
  const key = io.environment[variable]
  if (key !== undefined && key !== '') return key
  throw new OctroiError(
    'missing_key',
    `The report is asked for with an admin key, and ${variable} is not set. Set it, or name a file with --file.`,
  )
}

const readFile = async (
  { file, separator, provider, period, repeatedRows }: ImportCommand,
  rows: { readonly importer: RowImporter; readonly separator: string | undefined } | null,
  io: Io,
): Promise<ReadReport> => {
  if (file === undefined || rows === null) {
    throw new OctroiError('bad_input', '--file is missing: the file to import, or - for standard input.')
  }
  if (repeatedRows !== 'refuse' && repeatedRows !== 'skip') {
    throw new OctroiError(
      'bad_input',
      `--repeated-rows "${repeatedRows.slice(0, 20)}" is neither refuse nor skip.`,
    )
  }
  io.steadyHeap?.()
  return readRowFile(await openInput(file, io), {
    importer: rows.importer,
    file: shown(file),
    separator: separator === '\\t' ? '\t' : (separator ?? rows.separator),
    provider: provider ?? null,
    ...{ period, onRepeated: repeatedRows },
  })
}

const shown = (file: string): string => (file === '-' ? 'standard input' : file)

const rowImporterOf = async ({ importer, cost, mapping }: ImportCommand) => {
  if (importer === 'litellm-spend-logs') {
    const { litellmSpendLogs } = await import('../gateway/importers/litellm-spend-logs.ts')
    return { importer: litellmSpendLogs, provider: litellmSpendLogs.provider, separator: undefined }
  }
  if (importer === 'focus') {
    if (cost !== 'billed' && cost !== 'effective') {
      throw new OctroiError('bad_input', `--cost "${cost.slice(0, 20)}" is neither billed nor effective.`)
    }
    const { focus } = await import('../gateway/importers/focus.ts')
    return { importer: focus(cost), provider: null, separator: undefined }
  }
  if (importer === 'csv') {
    if (mapping === undefined) {
      throw new OctroiError('bad_input', '--mapping is missing: a JSON file that says which column is what.')
    }
    const [{ csv, readMapping }, { readJson }] = await Promise.all([
      import('../gateway/importers/csv.ts'),
      import('./limit-states.ts'),
    ])
    const read = readMapping(await readJson(mapping), mapping)
    return { importer: csv(read), provider: read.provider ?? null, separator: read.separator }
  }
  throw new OctroiError(
    'bad_input',
    `There is no importer "${importer.slice(0, 40)}". There are: ${importerNames.join(', ')}.`,
  )
}

const readOwners = async (file: string | undefined): Promise<Owners> => {
  if (file === undefined) return {}
  const [{ readJson }, { z }] = await Promise.all([import('./limit-states.ts'), import('zod')])
  const name = z.string().min(1).max(200).optional()
  const owner = z.strictObject({ organization: name, team: name, project: name, environment: name })
  const parsed = z.record(z.string(), owner).safeParse(await readJson(file))
  if (parsed.success) return parsed.data as Owners
  const issue = parsed.error.issues[0]
  throw new OctroiError('bad_input', `${file}: ${issue?.path.join('.') || 'the map'}: ${issue?.message}.`)
}
