import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { OctroiError } from '../errors.ts'
import { mergeOverlay } from '../pricing/overlay.ts'
import { type OverlayFile, readOverlayFiles } from '../pricing/overlays/overlay-file.ts'
import { openPriceBook, type PriceFile } from '../pricing/price-book.ts'
import { correctBook } from '../reports/rerate-book.ts'
import { type RerateBooks, rerateBooks } from '../reports/rerate-charge.ts'
import { bundledPrices } from './bundled.ts'
import { parseJsonText } from './json-text.ts'
import { readOverlays } from './overlays.ts'

/** The books a ledger is re-rated by, the name of the correction, and the version of the book with it. */
export type OpenedCorrection = {
  readonly books: RerateBooks
  readonly name: string
  readonly bookVersion: string
}

/** Opens the book of a gateway, and the same with a file of corrections over it: its rows take the place of those of
 * the book in their own periods; a contract's go before them, and one with `"overlay": true` fills gaps, as in a
 * folder of prices. Without a file the book itself is the correction: as it is now. Throws what a bad file deserves. */
export const openCorrection = async (asked: {
  readonly correction: string | undefined
  readonly prices: string | undefined
  readonly folder: string
}): Promise<OpenedCorrection> => {
  const [bundled, overlays] = await Promise.all([bundledPrices(), readOverlays(asked.prices, asked.folder)])
  const before = openPriceBook(mergeOverlay(bundled, overlays))
  if (asked.correction === undefined) {
    const books = rerateBooks(before, before)
    return { books, name: 'the price book', bookVersion: before.version }
  }
  const { name, files } = await readCorrection(asked.correction)
  const isCorrection = ({ overlay }: OverlayFile): boolean => overlay === undefined || overlay === false
  const corrected = correctBook(bundled, files.filter(isCorrection).map(asPriceFile))
  const after = openPriceBook(
    mergeOverlay(corrected, [...overlays, ...files.filter((file) => !isCorrection(file))]),
  )
  return { books: rerateBooks(before, after), name, bookVersion: after.version }
}

/** Reads a file of corrections. It is named by its own name and what is in it. */
const readCorrection = async (
  path: string,
): Promise<{ readonly name: string; readonly files: readonly OverlayFile[] }> => {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new OctroiError(
      'bad_input',
      `Cannot read ${path} (${error.code}). Name a file of corrected prices.`,
    )
  })
  const files = readOverlayFiles(parseJsonText(text))
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 12)
  return { name: `${basename(path).replaceAll(';', ',')} ${hash}`, files }
}

const asPriceFile = ({ schema, provider, calendars, prices }: OverlayFile): PriceFile => ({
  ...{ schema, provider, prices },
  ...(calendars !== undefined && { calendars }),
})
