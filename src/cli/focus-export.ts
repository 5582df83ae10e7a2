import { rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { OctroiError } from '../errors.ts'
import {
  type Exported,
  exportFocus,
  type FocusAsked,
  focusTexts,
  promotionsOf,
} from '../gateway/reporting/focus.ts'
import { type FocusFormat, focusFormatOf, focusFormats } from '../gateway/reporting/focus-file.ts'
import { parquetOfCsv } from '../gateway/reporting/focus-parquet.ts'
import { readTags } from '../gateway/reporting/focus-route.ts'
import { type FocusSource, openFocusSource } from '../gateway/reporting/focus-source.ts'
import { openTextFile } from '../gateway/reporting/text-file.ts'
import { bundledBook } from './bundled.ts'
import type { Io } from './command.ts'
import { checkText, readFocusVersion, violatedExit } from './focus-check.ts'
import { formatCount, readPeriod, withLedger } from './reports.ts'

type Options = Readonly<Record<string, unknown>>

/** Exports a period of a ledger to a file, or as text to standard output, and checks every row of it. */
export const runFocusExport = async (options: Options, io: Io): Promise<number> => {
  const asked = await readFocusAsked(options)
  const { file, format } = readTarget(options)
  const folder = String(options['sealed'] ?? join(dirname(String(options['ledger'])), 'sealed'))
  const exported = await withLedger(options, async (database) => {
    const source = openFocusSource(database, folder)
    if (file === null) return exportTo(io, source, asked, format)
    return exportToFile(file, format, source, asked)
  })
  return told(exported, file, io)
}

const readFocusAsked = async (options: Options): Promise<FocusAsked> => {
  const version = readFocusVersion(options)
  const { from, to } = readPeriod(options)
  if (from === null || to === null) {
    throw new OctroiError(
      'bad_input',
      'An export needs --from and --to, such as --from 2023-11-01 --to 2023-12-01.',
    )
  }
  return {
    ...{ version, from, to },
    tags: readTags(options['tags'] === undefined ? undefined : String(options['tags'])),
    billingAccount: String(options['billingAccount']),
    isPromotion: promotionsOf(await bundledBook()),
  }
}

const readTarget = (options: Options): { readonly file: string | null; readonly format: FocusFormat } => {
  const file = options['out'] === undefined ? null : String(options['out'])
  const named = options['format'] === undefined ? null : String(options['format'])
  if (named !== null && !Object.hasOwn(focusFormats, named)) {
    throw new OctroiError('bad_input', `--format is csv, jsonl or parquet, not "${named.slice(0, 20)}".`)
  }
  const format = (named as FocusFormat | null) ?? (file === null ? 'csv' : focusFormatOf(file))
  if (file !== null || format !== 'parquet') return { file, format }
  throw new OctroiError('bad_input', 'Parquet goes to a file: name it with --out.')
}

const exportTo = (io: Io, source: FocusSource, asked: FocusAsked, format: FocusFormat): Promise<Exported> =>
  exportFocus(source, asked, focusTexts[format === 'jsonl' ? 'jsonl' : 'csv'], async (piece) => {
    if (io.signal.aborted) throw new OctroiError('client_gone', 'The export was ended.')
    io.out(piece)
    await io.drained?.()
  })

/** The file appears whole, or not at all. */
const exportToFile = async (
  file: string,
  format: FocusFormat,
  source: FocusSource,
  asked: FocusAsked,
): Promise<Exported> => {
  const [partial, csv] = [`${file}.partial`, `${file}.partial.csv`]
  try {
    const exported = await writeText(format === 'parquet' ? csv : partial, source, asked, format)
    if (format === 'parquet') await parquetOfCsv({ csv, parquet: partial }, asked.version)
    await rename(partial, file)
    return exported
  } finally {
    await Promise.all([partial, csv].map((path) => rm(path, { force: true })))
  }
}

const writeText = async (
  file: string,
  source: FocusSource,
  asked: FocusAsked,
  format: FocusFormat,
): Promise<Exported> => {
  const { write, close } = openTextFile(file)
  const text = focusTexts[format === 'jsonl' ? 'jsonl' : 'csv']
  return exportFocus(source, asked, text, write).finally(close)
}

const told = ({ check, unpriced }: Exported, file: string | null, io: Pick<Io, 'out' | 'err'>): number => {
  const say = file === null ? io.err : io.out
  if (check.count > 0) {
    io.err(checkText(check))
    return violatedExit
  }
  say(checkText(check))
  if (unpriced === 0) return 0
  io.err(
    `octroi: ${formatCount(unpriced)} times something was used that has no price; the export leaves it out.\n`,
  )
  return 4
}
