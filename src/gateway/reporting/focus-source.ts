import type { Database } from '../../ledger/database.ts'
import { entryOfLine, parseLine } from '../../ledger/lines.ts'
import type { AccruedRow, SpendAsked } from '../../ledger/reading.ts'
import { dayMs, dayOf, openSeals } from '../../ledger/seal.ts'
import { type Detail, openDetail } from '../../ledger/sealed/detail.ts'

/** What an export reads: a period within one day at a time. */
export type FocusSource = Pick<Detail, 'calls' | 'accrued' | 'imported'>

/** Reads a ledger and the folder of its sealed days. */
export const openFocusSource = (database: Database, folder: string): FocusSource => {
  const { calls, imported } = openDetail(database, folder)
  const seals = openSeals(database)
  return {
    calls,
    imported,
    /** Found by the index of days: a period is a day of a ledger that may have years of them. */
    async *accrued({ from, to }) {
      const asked = { day: dayOf(from), part: 'posts' as const, last: Number.MAX_SAFE_INTEGER, limit: 1_000 }
      for (let after: number | null = 0; after !== null; ) {
        const page = await seals.page({ ...asked, after })
        yield page.lines
          .map((line) => entryOfLine(parseLine(line)))
          .filter(
            (entry): entry is AccruedRow => entry.kind === 'accrued' && entry.from >= from && entry.from < to,
          )
        after = page.after
      }
    },
  }
}

/** The days of a period, each as far as it lies within. */
export function* daysOf({ from, to }: SpendAsked): Generator<SpendAsked> {
  for (let at = from; at < to; ) {
    const end = Math.min(to, (dayOf(at) + 1) * dayMs)
    yield { from: at, to: end }
    at = end
  }
}
