import { OctroiError } from '../errors.ts'
import { mergeOverlay } from '../pricing/overlay.ts'
import { readOverlayFiles } from '../pricing/overlays/overlay-file.ts'
import { openPriceBook, type Price, type PriceFile, type PriceRow } from '../pricing/price-book.ts'
import { priceFileSchema } from '../pricing/price-file-schema.ts'
import { formatInstant } from '../time.ts'

/** Something wrong in a file of prices. `row`: its place in `prices`, the first is 1; null where it is of no one row. */
export type Problem = {
  readonly file: string
  readonly row: number | null
  readonly field: string | null
  readonly what: string
}

/** A file that was read, whether it is part of the book or of the operator's own. */
export type CheckedFile = { readonly path: string; readonly json: unknown }

/** Everything wrong in files of prices: form, values, prices that contradict each other. `prices` are those that can be
 * read all the same. Each file may hold one price file or a list of them. */
export const problemsOf = (
  files: readonly CheckedFile[],
): { readonly problems: readonly Problem[]; readonly prices: readonly Price[]; readonly rows: number } => {
  const problems: Problem[] = []
  const good: GoodRow[] = []
  let rows = 0
  for (const { path, json } of files) {
    for (const file of Array.isArray(json) ? json : [json]) {
      const read = problemsOfFile(path, file)
      problems.push(...read.problems)
      good.push(...read.good)
      rows += read.rows
    }
  }
  const overlaps = overlapsOf(good)
  problems.push(...overlaps)
  if (problems.length === 0) problems.push(...problemsOfBook(files))
  const order = files.map(({ path }) => path)
  problems.sort((a, b) => order.indexOf(a.file) - order.indexOf(b.file) || (a.row ?? 0) - (b.row ?? 0))
  return { problems, prices: good.map(({ price }) => price), rows }
}

type GoodRow = { readonly path: string; readonly row: number; readonly price: Price; readonly layer: string }

const problemsOfFile = (path: string, json: unknown) => {
  const problems: Problem[] = []
  const good: GoodRow[] = []
  const told = new Set<string>()
  for (const { path: place, message } of priceFileSchema.safeParse(json).error?.issues ?? []) {
    const [list, index, ...fields] = place
    const isRow = list === 'prices' && typeof index === 'number'
    const field = (isRow ? fields : place).join('.')
    if (isRow) told.add(`${index}`).add(`${index} ${field}`)
    problems.push({
      file: path,
      row: isRow ? index + 1 : null,
      field: field === '' ? null : field,
      what: message,
    })
  }
  const file = Object(json) as PriceFile
  const prices = Array.isArray(file.prices) ? file.prices : []
  prices.forEach((row, index) => {
    if (typeof row !== 'object' || row === null) return
    const place = { path, row: index + 1, layer: layerOf(file) }
    try {
      const [price] = openPriceBook([oneRow(file, row)]).prices
      if (price !== undefined && !told.has(`${index}`)) good.push({ ...place, price })
    } catch (error) {
      const reason = reasonOf(error)
      if (!told.has(`${index} ${reason.field}`)) problems.push({ file: path, row: index + 1, ...reason })
    }
  })
  return { problems, good, rows: prices.length }
}

/** Prices of one layer must not contradict each other; an overlay may say otherwise than the book. */
const layerOf = ({ overlay }: PriceFile): string => String(overlay ?? false)

const oneRow = ({ provider, calendars }: PriceFile, row: PriceRow): PriceFile => ({
  schema: 'octroi-prices/1',
  provider,
  ...(calendars !== undefined && { calendars }),
  prices: [row],
})

const reasonOf = (error: unknown): Pick<Problem, 'field' | 'what'> => {
  if (!(error instanceof OctroiError)) throw error
  const { field } = error.details
  if (typeof field !== 'string') return { field: null, what: error.message }
  const place = error.message.indexOf(`${field}: `)
  return { field, what: place === -1 ? error.message : error.message.slice(place + field.length + 2) }
}

const overlapsOf = (rows: readonly GoodRow[]): readonly Problem[] =>
  [...Map.groupBy(rows, ({ price, layer }) => `${layer} ${keyOf(price)}`).values()].flatMap((group) => {
    const ordered = group.toSorted((a, b) => a.price.from - b.price.from)
    return ordered.flatMap((one, index) =>
      ordered.slice(index + 1).flatMap((other): Problem[] => {
        if (!overlap(one.price, other.price)) return []
        const where = one.path === other.path ? `row ${one.row}` : `row ${one.row} of ${one.path}`
        return [
          {
            file: other.path,
            row: other.row,
            field: 'effectiveFrom',
            what: `${one.price.rate.unitPrice} of ${where} still holds on ${formatInstant(other.price.from)}: end it there`,
          },
        ]
      }),
    )
  })

const keyOf = ({ provider, model, service, meter, attributes, currency }: Price): string =>
  JSON.stringify([provider, model, service, meter, Object.entries(attributes).sort(), currency])

const overlap = (a: Price, b: Price): boolean =>
  intersect(a.from, a.to, b.from, b.to) &&
  intersect(a.knownSince, a.supersededOn, b.knownSince, b.supersededOn)

const intersect = (
  aFrom: number | null,
  aTo: number | null,
  bFrom: number | null,
  bTo: number | null,
): boolean =>
  (aFrom ?? Number.NEGATIVE_INFINITY) < (bTo ?? Number.POSITIVE_INFINITY) &&
  (bFrom ?? Number.NEGATIVE_INFINITY) < (aTo ?? Number.POSITIVE_INFINITY)

/** What is wrong of all rows together: names that stand for several models, discounts that cannot be. */
const problemsOfBook = (files: readonly CheckedFile[]): readonly Problem[] => {
  try {
    const all = files.flatMap(({ json }) => readOverlayFiles(json))
    openPriceBook(
      mergeOverlay(
        all.filter(isBook) as readonly PriceFile[],
        all.filter((file) => !isBook(file)),
      ),
    )
    return []
  } catch (error) {
    return [{ file: files.map(({ path }) => path).join(', '), row: null, ...reasonOf(error) }]
  }
}

const isBook = ({ overlay }: { readonly overlay?: unknown }): boolean =>
  overlay === undefined || overlay === false
