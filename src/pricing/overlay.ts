import { discounted } from './overlays/discount.ts'
import type { OverlayFile } from './overlays/overlay-file.ts'
import type { PriceFile, PriceRow } from './price-book.ts'

/** The files of a book with the operator's own over it, to be opened together.
 *
 * An ordinary overlay fills gaps: its prices are asked only where the book has none, and of several overlays the
 * first that lists a model's meter prices it. A contract goes before the list prices, which stay told beside it:
 * its rows become promotions named `contract`. A contract for a name that the book has as an alias is one for the
 * models the name stands for. */
export const mergeOverlay = (
  book: readonly PriceFile[],
  overlays: readonly OverlayFile[],
): readonly PriceFile[] => [
  ...book,
  ...fillers(overlays.filter(({ overlay }) => overlay !== 'contract')),
  ...overlays.filter(({ overlay }) => overlay === 'contract').map((file) => contract(file, book)),
]

const fillers = (files: readonly OverlayFile[]): readonly PriceFile[] => {
  const listedBy = new Map<string, number>()
  return files.map((file, index) => {
    const prices = file.prices.filter((row) => {
      const first = listedBy.get(meterOf(row)) ?? index
      listedBy.set(meterOf(row), first)
      return first === index
    })
    return priceFile(file, { overlay: true, prices })
  })
}

const contract = (file: OverlayFile, book: readonly PriceFile[]): PriceFile => {
  const lists = book.filter(({ provider }) => provider === file.provider)
  const agreed = file.prices.flatMap((row) => modelsOf(row, lists).map((model) => ({ ...row, model })))
  const listed = new Set(agreed.map(meterOf))
  const cheaper = (file.discounts ?? []).flatMap((discount) =>
    lists.flatMap((list) => discounted(discount, list)).filter((row) => !listed.has(meterOf(row))),
  )
  // The calendars that rows of a list price count by go along with the rows made of it.
  const calendars = Object.assign({}, ...lists.map((list) => list.calendars), file.calendars)
  return priceFile(
    { ...file, calendars },
    { overlay: false, prices: [...agreed, ...cheaper].map(asContract) },
  )
}

const asContract = (row: PriceRow): PriceRow => ({
  ...row,
  attributes: { ...row.attributes, promotion: 'contract' },
})

/** The models of the book that a contract's row is for: its own name, or those the name is an alias of. */
const modelsOf = ({ model }: PriceRow, lists: readonly PriceFile[]): readonly (string | null)[] => {
  const rows = lists.flatMap(({ prices }) => prices)
  if (model === null || rows.some((row) => row.model === model)) return [model]
  const meant = rows.flatMap((row) => (row.aliases?.includes(model) ? [row.model] : []))
  return meant.length === 0 ? [model] : [...new Set(meant)]
}

const priceFile = (
  { schema, provider, calendars }: OverlayFile,
  { overlay, prices }: { readonly overlay: boolean; readonly prices: readonly PriceRow[] },
): PriceFile => ({ schema, provider, overlay, ...(calendars !== undefined && { calendars }), prices })

const meterOf = ({ provider, model, meter }: PriceRow): string => JSON.stringify([provider, model, meter])
