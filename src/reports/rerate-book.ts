import { OctroiError } from '../errors.ts'
import { attributeRules } from '../pricing/attributes.ts'
import type { PriceFile, PriceRow } from '../pricing/price-book.ts'
import { formatInstant, type Instant, parseInstant } from '../time.ts'

/** Puts corrected rows into the files of a book. A corrected row takes the place of those of the same provider, model,
 * meter, currency and selecting attributes for its own period; before and after it they hold as they did. What has no
 * such row is added. Throws `bad_instant` and `bad_price_row` for a period that cannot be. */
export const correctBook = (
  book: readonly PriceFile[],
  corrections: readonly PriceFile[],
): readonly PriceFile[] => {
  const periods = Map.groupBy(
    corrections.flatMap(({ prices }) => prices.map((row) => ({ key: keyOf(row), ...periodOf(row) }))),
    ({ key }) => key,
  )
  const replaced = Map.groupBy(
    book.flatMap(({ prices }) => prices.filter((row) => periods.has(keyOf(row)))),
    keyOf,
  )
  const clipped = book.map((file) => ({
    ...file,
    prices: file.prices.flatMap((row) =>
      (periods.get(keyOf(row)) ?? []).reduce<readonly PriceRow[]>(
        (pieces, period) => pieces.flatMap((piece) => outside(piece, period)),
        [row],
      ),
    ),
  }))
  return [
    ...clipped,
    ...corrections.map((file) => {
      const lists = book.filter(({ provider }) => provider === file.provider)
      return {
        ...file,
        // The calendars that replaced rows count by hold for the corrected ones.
        calendars: Object.assign({}, ...lists.map(({ calendars }) => calendars), file.calendars),
        prices: file.prices.map((row) => filledIn(row, replaced.get(keyOf(row)) ?? [])),
      }
    }),
  ]
}

/** A corrected row with what it need not repeat: other names of the model, and what its sentences mean. */
const filledIn = (row: PriceRow, replaced: readonly PriceRow[]): PriceRow => {
  const period = periodOf(row)
  const model = replaced.find((other) => outside(other, period)[0] !== other)
  const { aliases = model?.aliases, resolved = model?.resolved } = row
  return { ...row, ...(aliases !== undefined && { aliases }), ...(resolved !== undefined && { resolved }) }
}

type Period = { readonly from: Instant; readonly to: Instant }

const periodOf = (row: PriceRow): Period => {
  const from = parseInstant(row.effectiveFrom)
  const to = row.effectiveTo === null ? Number.POSITIVE_INFINITY : parseInstant(row.effectiveTo)
  if (from < to) return { from, to }
  throw new OctroiError(
    'bad_price_row',
    `The corrected price of ${row.provider} / ${row.model} / ${row.meter} ends before it begins. End it after ${row.effectiveFrom}.`,
  )
}

/** What is left of a row outside a period: nothing, one piece or two. */
const outside = (row: PriceRow, period: Period): readonly PriceRow[] => {
  const own = periodOf(row)
  if (own.to <= period.from || period.to <= own.from) return [row]
  const before = own.from < period.from ? [{ ...row, effectiveTo: formatInstant(period.from) }] : []
  const after = period.to < own.to ? [{ ...row, effectiveFrom: formatInstant(period.to) }] : []
  return [...before, ...after]
}

/** What makes two rows prices of the same thing. */
const keyOf = ({ provider, model, meter, currency, kind, attributes }: PriceRow): string =>
  JSON.stringify([
    ...[provider, model, meter, currency, kind ?? null],
    ...Object.entries(attributes)
      .filter(([name]) => Object.hasOwn(attributeRules, name))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  ])
