import { access, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { OctroiError } from '../errors.ts'
import { mergeOverlay } from '../pricing/overlay.ts'
import { type ConvertedOverlay, continueOverlay, convertOverlay } from '../pricing/overlays/convert.ts'
import { type OverlayFile, readOverlayFiles } from '../pricing/overlays/overlay-file.ts'
import { openPriceBook, type PriceBook, type PriceFile } from '../pricing/price-book.ts'
import type { Instant } from '../time.ts'
import { readSource } from './book-source.ts'
import { bundledPrices } from './bundled.ts'
import { parseJsonText } from './json-text.ts'
import { overlayFolder, readOverlays } from './overlays.ts'

/** What is taken over, from where to where. `since`: from when on the prices hold; the day of `at` unless said. */
type UpdateAsked = {
  readonly from: string
  readonly at: Instant
  readonly signal: AbortSignal
  readonly out?: string
  readonly folder?: string
  readonly since?: Instant
}

/** What came of it. `added` and `changed` are prices that were not in `out` before, or had another amount there.
 * `newModels` are the models that the book itself does not have. */
export type BookUpdate = Pick<ConvertedOverlay, 'format' | 'leftOut'> & {
  readonly from: string
  readonly out: string
  readonly rows: number
  readonly providers: number
  readonly models: number
  readonly newModels: readonly string[]
  readonly added: number
  readonly changed: number
}

/** Takes prices over into a file of the operator's. What it held before stays as history. The file is written only
 * when all of it opens as a book, at once and whole. Throws `bad_input`, `bad_json`, or what a bad row deserves. */
export const updateBook = async (asked: UpdateAsked): Promise<BookUpdate> => {
  const { from, at } = asked
  const text = await readSource(from, asked.signal)
  const { format, files, leftOut } = convert(text, { from, at, since: asked.since ?? at - (at % dayMs) })
  const out = asked.out ?? join(asked.folder ?? overlayFolder(), `${nameOf(format, from)}.json`)
  const before = await readBefore(out)
  const changing =
    before.length > 0 && asked.since === undefined ? convert(text, { from, at, since: at }).files : files
  const next = continued(format, { before, files, changing })
  const bundled = await bundledPrices()
  const own = openPriceBook(bundled)
  const others = await otherOverlays(asked, out)
  openPriceBook(mergeOverlay(bundled, [...others, ...next.files]))
  await write(out, next.files)
  const rows = files.flatMap(({ prices }) => prices)
  const models = [...new Set(rows.map(({ provider, model }) => `${provider}/${model}`))]
  return {
    from,
    format,
    out,
    leftOut,
    rows: rows.length,
    providers: files.length,
    models: models.length,
    newModels: newModels(rows, own),
    added: next.added,
    changed: next.changed,
  }
}

const dayMs = 86_400_000

/** The operator's other files in the same folder, which the new one must not contradict. */
const otherOverlays = async ({ folder }: UpdateAsked, out: string): Promise<readonly OverlayFile[]> => {
  const place = folder ?? overlayFolder()
  const isThere = await access(place).then(
    () => true,
    () => false,
  )
  return isThere ? readOverlays(place, undefined, out) : []
}

const convert = (text: string, reading: { from: string; at: Instant; since: Instant }): ConvertedOverlay => {
  try {
    return convertOverlay(text, reading)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    parseJsonText(text)
    throw error
  }
}

/** Files of our own format are taken as they are: their history is their own. */
const continued = (
  format: ConvertedOverlay['format'],
  { before, files, changing }: Readonly<Record<'before' | 'files' | 'changing', readonly OverlayFile[]>>,
): { readonly files: readonly OverlayFile[]; readonly added: number; readonly changed: number } => {
  if (format !== 'octroi') return continueOverlay(before, files, changing)
  const known = new Set(before.flatMap(({ prices }) => prices.map((row) => JSON.stringify(row))))
  const added = files.flatMap(({ prices }) => prices).filter((row) => !known.has(JSON.stringify(row))).length
  return { files, added, changed: 0 }
}

const nameOf = (format: ConvertedOverlay['format'], from: string): string => {
  if (format !== 'octroi') return format
  const path = URL.canParse(from) ? new URL(from).pathname : from
  const name = basename(path)
    .replace(/\.json$/, '')
    .replaceAll(/[^\w.-]/g, '-')
  return name === '' ? 'prices' : name
}

const readBefore = async (out: string): Promise<readonly OverlayFile[]> => {
  try {
    return readOverlayFiles(parseJsonText(await readFile(out, 'utf8')))
  } catch (error) {
    if (error instanceof OctroiError) throw new OctroiError(error.code, `${out}: ${error.message}`)
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw new OctroiError('bad_input', `Cannot read ${out} (${(error as NodeJS.ErrnoException).code}).`)
  }
}

const write = async (out: string, files: readonly OverlayFile[]): Promise<void> => {
  try {
    await mkdir(dirname(out), { recursive: true, mode: 0o700 })
    const beside = `${out}.new`
    await writeFile(beside, textOf(files))
    await rename(beside, out)
  } catch (error) {
    throw new OctroiError('bad_input', `Cannot write ${out} (${(error as NodeJS.ErrnoException).code}).`)
  }
}

/** One price a line, so that a change of a price is a change of one line. */
const textOf = (files: readonly OverlayFile[]): string => {
  const parts = files.map(({ prices, ...head }) => {
    const rows = prices.map((row) => JSON.stringify(row)).join(',\n')
    return `${JSON.stringify(head).slice(0, -1)},"prices":[\n${rows}\n]}`
  })
  return parts.length === 1 ? `${parts[0]}\n` : `[\n${parts.join(',\n')}\n]\n`
}

const newModels = (rows: PriceFile['prices'], book: PriceBook): readonly string[] =>
  [
    ...new Set(
      rows
        .filter(({ provider, model }) => model !== null && book.shelves.get(provider)?.has(model) !== true)
        .map(({ provider, model }) => `${provider}/${model}`),
    ),
  ].sort()
