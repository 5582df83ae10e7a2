import { OctroiError } from '../../errors.ts'
import { type CallLife, type CallRow, readCalls, readLives, type SpendAsked } from '../../ledger/reading.ts'
import { dayMs, openSeals } from '../../ledger/seal.ts'
import type { ReportSource } from './report-route.ts'

/** Reads the calls of a period, a page at a time: from the ledger, and from the files of its sealed days where it gave
 * them up. Throws `ledger_unavailable` where those are not at hand. */
export async function* callsOf(source: DetailSource, period: SpendAsked): AsyncGenerator<readonly CallRow[]> {
  const { database } = source
  const detail = await detailOf(source, period)
  yield* detail === null ? readCalls(database, period) : detail.calls(period)
}

/** Reads the calls of a period with all that became of them, as `callsOf` does. */
export async function* livesOf(
  source: DetailSource,
  period: SpendAsked,
): AsyncGenerator<readonly CallLife[]> {
  const { database } = source
  const detail = await detailOf(source, period)
  yield* detail === null ? readLives(database, period) : detail.lives(period)
}

type DetailSource = Pick<ReportSource, 'database' | 'sealed'>

/** What reads the ledger and its sealed days as one; null where the ledger itself still has all of the period. */
const detailOf = async ({ database, sealed }: DetailSource, period: SpendAsked) => {
  const seals = await openSeals(database).list()
  const isIn = (day: number): boolean => day * dayMs < period.to && period.from < (day + 1) * dayMs
  if (!seals.some(({ day, isPruned }) => isPruned && isIn(day))) return null
  if (sealed === null) {
    throw new OctroiError(
      'ledger_unavailable',
      'Calls of these days are only in sealed files, which are not at hand here. Ask on the command line beside them.',
    )
  }
  const { openDetail } = await import('../../ledger/sealed/detail.ts')
  return openDetail(database, sealed)
}
