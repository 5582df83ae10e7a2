import { mergeOverlay } from '../pricing/overlay.ts'
import type { OverlayFile } from '../pricing/overlays/overlay-file.ts'
import { openPriceBook, type PriceFile } from '../pricing/price-book.ts'
import { correctBook } from './rerate-book.ts'
import { type RerateBooks, rerateBooks } from './rerate-charge.ts'

/** Price files with corrected rows, and what they are called in the notes of adjustments. */
export type CorrectionFiles = { readonly name: string; readonly files: readonly OverlayFile[] }

/** The books a ledger is re-rated by, the name of the correction, and the version of the book with it. */
export type OpenedCorrection = {
  readonly books: RerateBooks
  readonly name: string
  readonly bookVersion: string
}

/** Opens the book of a gateway, and the same with corrections over it: their rows take the place of those of the book in
 * their own periods; a contract's go before them, and a file with `"overlay": true` fills gaps, as in a folder of prices.
 * Without corrections the book itself is the correction: as it is now. Throws what a bad row deserves. */
export const openCorrection = ({
  bundled,
  overlays,
  correction,
}: {
  readonly bundled: readonly PriceFile[]
  readonly overlays: readonly OverlayFile[]
  readonly correction: CorrectionFiles | null
}): OpenedCorrection => {
  const before = openPriceBook(mergeOverlay(bundled, overlays))
  if (correction === null) {
    return { books: rerateBooks(before, before), name: 'the price book', bookVersion: before.version }
  }
  const { name, files } = correction
  const isCorrection = ({ overlay }: OverlayFile): boolean => overlay === undefined || overlay === false
  const corrected = correctBook(bundled, files.filter(isCorrection).map(asPriceFile))
  const after = openPriceBook(
    mergeOverlay(corrected, [...overlays, ...files.filter((file) => !isCorrection(file))]),
  )
  return { books: rerateBooks(before, after), name, bookVersion: after.version }
}

const asPriceFile = ({ schema, provider, calendars, prices }: OverlayFile): PriceFile => ({
  ...{ schema, provider, prices },
  ...(calendars !== undefined && { calendars }),
})
