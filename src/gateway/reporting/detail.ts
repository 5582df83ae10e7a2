import { OctroiError } from '../../errors.ts'
import type { Database } from '../../ledger/database.ts'
import { type CallLife, type CallRow, readCalls, readLives, type SpendAsked } from '../../ledger/reading.ts'
import { type Day, dayMs, dayOf, openSeals } from '../../ledger/seal.ts'
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

/** Reads all that became of a call, from the ledger, or from the sealed file that it was left to; null where neither has
 * it. Throws `ledger_unavailable` where it may be in a file that is not at hand, and `overloaded` where calls were removed
 * or put back meanwhile. */
export const lifeOf = async ({ database, sealed }: DetailSource, id: string): Promise<CallLife | null> => {
  const seals = openSeals(database)
  const before = await seals.mark()
  const kept: CallLife | null = await database.call('ledger', 'life', id)
  if (kept !== null) return kept
  const isPruned = (await seals.list()).some((seal) => seal.isPruned)
  if (isPruned && sealed === null) throw notAtHand('Some calls')
  const found = isPruned && sealed !== null ? await findSealed(database, sealed, id) : null
  if (found !== null || before === (await seals.mark())) return found
  throw new OctroiError('overloaded', 'Calls were removed or put back while they were read. Read them again.')
}

const findSealed = async (database: Database, folder: string, id: string): Promise<CallLife | null> => {
  const { findLife } = await import('../../ledger/sealed/find-life.ts')
  return findLife(database, folder, { callId: id, day: dayOfId(id) })
}

/** The day that the id of a call tells; null where another gave it. */
const dayOfId = (id: string): Day | null => {
  const [, time] = /^call_([0-9a-f]{12})[0-9a-f]{20}$/.exec(id) ?? []
  return time === undefined ? null : dayOf(Number.parseInt(time, 16))
}

const notAtHand = (which: string): OctroiError =>
  new OctroiError(
    'ledger_unavailable',
    `${which} are only in sealed files, which are not at hand here. Ask on the command line beside them.`,
  )

type DetailSource = Pick<ReportSource, 'database' | 'sealed'>

/** What reads the ledger and its sealed days as one; null where the ledger itself still has all of the period. */
const detailOf = async ({ database, sealed }: DetailSource, period: SpendAsked) => {
  const seals = await openSeals(database).list()
  const isIn = (day: number): boolean => day * dayMs < period.to && period.from < (day + 1) * dayMs
  if (!seals.some(({ day, isPruned }) => isPruned && isIn(day))) return null
  if (sealed === null) throw notAtHand('Calls of these days')
  const { openDetail } = await import('../../ledger/sealed/detail.ts')
  return openDetail(database, sealed)
}
