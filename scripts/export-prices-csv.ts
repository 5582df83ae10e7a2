/** Writes all prices as CSV (RFC 4180), one line a price, to standard output or to a file:
 *
 *     node scripts/export-prices-csv.ts [FILE]
 *
 * Every fact of a row is in it. Lists and objects are JSON in their cell; what a row does not say is empty. */
import { writeFileSync } from 'node:fs'
import { bundledPrices } from '../src/cli/bundled.ts'
import { openPriceBook, type PriceFile } from '../src/pricing/price-book.ts'

/** The columns: the id of the row in the book, and its fields. */
const columns = [
  ...['id', 'provider', 'model', 'aliases', 'service', 'meter', 'attributes', 'kind'],
  ...['unitPrice', 'per', 'currency', 'effectiveFrom', 'fromPrecision', 'effectiveTo', 'endReason'],
  ...['scheduledEnd', 'knownSince', 'supersededOn', 'confidence', 'source', 'agreesWith', 'conflictsWith'],
  ...['note', 'resolved'],
]

/** All rows of price files as CSV, the names of the columns first. Throws what a bad row deserves, and for a field
 * that has no column. */
export const pricesCsv = (files: readonly PriceFile[]): string => {
  const { prices, multipliers } = openPriceBook(files)
  const ids = new Map([...prices, ...multipliers].map(({ row, id }) => [row, id]))
  const lines = files.flatMap((file) =>
    file.prices.map((row) => {
      const facts: Readonly<Record<string, unknown>> = { id: ids.get(row), ...row }
      const stranger = Object.keys(facts).find((field) => !columns.includes(field))
      if (stranger !== undefined) throw new Error(`The field "${stranger}" has no column.`)
      return columns.map((column) => cell(facts[column]))
    }),
  )
  return [columns, ...lines].map((cells) => `${cells.join(',')}\r\n`).join('')
}

const cell = (value: unknown): string => {
  if (value === undefined || value === null) return ''
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

if (import.meta.main) {
  const text = pricesCsv(await bundledPrices())
  const out = process.argv[2]
  // Whoever reads the beginning only, as `head` does, goes away early.
  process.stdout.on('error', () => {})
  if (out === undefined) process.stdout.write(text)
  else writeFileSync(out, text)
}
