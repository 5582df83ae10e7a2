import type { SpendAsked } from '../../ledger/reading.ts'
import type { PriceBook } from '../../pricing/price-book.ts'
import { createFocusChecker, type FocusCheck } from '../../reports/focus/check.ts'
import type { FocusVersion } from '../../reports/focus/columns.ts'
import { createFocusFold, type FocusFold, type FocusGroup } from '../../reports/focus/fold.ts'
import { exportedColumns, exportedFeatures } from '../../reports/focus/layout.ts'
import { rowMaker } from '../../reports/focus/rows.ts'
import { createSeriesBook, type SeriesAsked, type SeriesBook } from '../../reports/focus/series.ts'
import { csvText, type FocusText, jsonLinesText } from '../../reports/focus/text.ts'
import { daysOf, type FocusSource } from './focus-source.ts'

/** What an export is asked: whole hours, from one up to but not including another. */
export type FocusAsked = SpendAsked &
  SeriesAsked & {
    readonly version: FocusVersion
    /** More groups than this are not held, but in the hour that has them: the day is read again in parts. 100,000 unless
     * said. */
    readonly groupsMax?: number
  }

/** Formats that are texts. */
export const focusTexts = { csv: csvText, jsonl: jsonLinesText } as const satisfies Readonly<
  Record<string, (version: FocusVersion) => FocusText>
>

/** What was exported: the check of every row, and how often something without a price was left out. */
export type Exported = { readonly check: FocusCheck; readonly unpriced: number }

/** Writes an export as text, in pieces of some ten thousand characters, checking each row. Memory is bounded: a day's
 * groups are held, or less where a day has many. Throws what `write` throws. */
export const exportFocus = async (
  source: FocusSource,
  asked: FocusAsked,
  text: (version: FocusVersion) => FocusText,
  write: (piece: string) => Promise<void> | void,
): Promise<Exported> => {
  const { version } = asked
  const checker = createFocusChecker(exportedColumns(version), { version, features: exportedFeatures })
  const { head, row: rowText } = text(version)
  let [held, unpriced] = [head, 0]
  const toRow = rowMaker(version)
  for await (const groups of readFocus(source, asked, (count) => (unpriced += count))) {
    for (const group of groups) {
      const row = toRow(group)
      checker.row(row)
      held += rowText(row, group.series)
      if (held.length < pieceLength) continue
      await write(held)
      held = ''
    }
  }
  if (held !== '') await write(held)
  return { check: checker.result(), unpriced }
}

const pieceLength = 65_536

/** Tells the prices of vendors' promotions from those of contracts, which are the operator's own. */
export const promotionsOf = ({ prices }: PriceBook): ((price: string) => boolean) => {
  const promotions = new Set(
    prices.flatMap(({ id, attributes: { promotion = 'contract' } }) =>
      promotion === 'contract' ? [] : [id],
    ),
  )
  return (price) => promotions.has(price)
}

/** The groups of an export, some of them at a time, in order of time: a row each. */
async function* readFocus(
  source: FocusSource,
  asked: FocusAsked,
  onUnpriced: (count: number) => void,
): AsyncGenerator<Iterable<FocusGroup>> {
  const book = createSeriesBook(asked)
  const { groupsMax = groupsHeld } = asked
  for (const day of daysOf(asked)) {
    for await (const fold of foldsOf(source, book, { ...day, groupsMax })) {
      onUnpriced(fold.unpriced())
      yield fold.groups()
    }
  }
}

const groupsHeld = 100_000
const hourMs = 3_600_000

type Bounded = SpendAsked & { readonly groupsMax: number }

/** Folds a period: whole where it has few groups, else a quarter of a day, or an hour, at a time. */
async function* foldsOf(source: FocusSource, book: SeriesBook, period: Bounded): AsyncGenerator<FocusFold> {
  const { from, to, groupsMax } = period
  const isHour = to - from <= hourMs
  const fold = await foldOf(source, book, {
    from,
    to,
    groupsMax: isHour ? Number.POSITIVE_INFINITY : groupsMax,
  })
  if (fold !== null) {
    yield fold
    return
  }
  const part = to - from > 6 * hourMs ? 6 * hourMs : hourMs
  for (let at = from; at < to; at += part) {
    yield* foldsOf(source, book, { from: at, to: Math.min(at + part, to), groupsMax })
  }
}

/** Null where there are more groups than `groupsMax`. */
const foldOf = async (
  source: FocusSource,
  book: SeriesBook,
  { from, to, groupsMax }: Bounded,
): Promise<FocusFold | null> => {
  const fold = createFocusFold(book)
  const isFull = (): boolean => fold.size() > groupsMax
  for await (const calls of source.calls({ from, to })) {
    fold.addCalls(calls)
    if (isFull()) return null
  }
  for await (const entries of source.accrued({ from, to })) {
    fold.addAccrued(entries)
    if (isFull()) return null
  }
  for await (const lines of source.imported({ from, to })) {
    fold.addImported(lines)
    if (isFull()) return null
  }
  return fold
}
