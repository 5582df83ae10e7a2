import { setImmediate } from 'node:timers/promises'
import type { Database } from '../../ledger/database.ts'
import {
  readAccrued,
  readHasPromotions,
  readImported,
  readSpend,
  type SpendRow,
} from '../../ledger/reading.ts'
import { ownerParts, serviceParts } from '../../ledger/rollup.ts'
import { readSpendSpans, readSpendSums } from '../../ledger/spend-sums.ts'
import { createPromotionFold, type PromotionRow } from '../../reports/promotions.ts'
import { createSpendFold, type SpendAdder, type SpendAsked, type SpendReport } from '../../reports/spend.ts'
import { periodBefore } from '../../reports/spend-change.ts'
import { isOfHours, isTime, type SpendDimension, type SpendPlace } from '../../reports/spend-dimensions.ts'
import { fitsWhere } from '../../reports/spend-where.ts'
import { zoneNames } from '../../reports/spend-zone.ts'
import type { Instant } from '../../time.ts'
import { callsOf } from './detail.ts'
import type { ReportSource } from './report-route.ts'
import { detailQuestion, readSpendDetail } from './spend-detail.ts'

/** What a report of spend is read for. */
export type SpendReading = Omit<Required<SpendAsked>, 'before' | 'convert'> &
  Pick<SpendAsked, 'convert'> & { readonly isCompared: boolean }

/** What it is read from. */
type SpendSource = Pick<ReportSource, 'database' | 'sealed' | 'onProgress'>

/** From this instant on, up to but not including that one. */
type Bounds = { readonly from: Instant; readonly to: Instant }

/** Reads who spent what: from rollups and hourly sums; where one of the dimensions is not of whole hours, from the sums and
 * the files of sealed days; and what those do not know from all calls, accruals and imported lines, a page at a time.
 * Throws `bad_input` for too many groups. */
export const readSpendReport = async (source: SpendSource, asked: SpendReading): Promise<SpendReport> => {
  const now = boundsOf(asked)
  const before = asked.isCompared ? periodBefore(now, asked.timeZone) : null
  const question = (await isOfWholeHours(source.database, now, asked))
    ? null
    : await detailQuestion(source, asked, { from: before?.from ?? now.from, to: now.to })
  if (question !== null) return readSpendDetail(question, asked, { now, before })
  const fold = createSpendFold({ ...asked, before })
  await readInto(source, fold.now, now, asked)
  if (before !== null) await readInto(source, fold.before, before, asked)
  return fold.result()
}

/** The bounds of a period as the ledger takes them. */
export const boundsOf = ({
  from,
  to,
}: {
  readonly from: Instant | null
  readonly to: Instant | null
}): Bounds => ({ from: from ?? Number.MIN_SAFE_INTEGER, to: to ?? Number.MAX_SAFE_INTEGER })

/** What a fold of entries takes: a page of each kind. */
export type EntryAdder = Pick<SpendAdder, 'calls' | 'accrued' | 'imported'>

/** Gives all calls, accruals and imported lines of a period to a fold, a page at a time. */
export const readEntries = async (source: SpendSource, into: EntryAdder, period: Bounds): Promise<void> => {
  const { database } = source
  for await (const page of callsOf(source, period)) into.calls(page)
  for await (const page of readAccrued(database, period)) into.accrued(page)
  for await (const page of readImported(database, period)) into.imported(page)
}

/** Gives what a period came to, to a fold: sums of its hours where they know what is asked, else its entries. */
export const readInto = async (
  source: SpendSource,
  into: SpendAdder,
  period: Bounds,
  asked: SpendReading,
): Promise<void> => {
  if (!(await isOfWholeHours(source.database, period, asked))) return readEntries(source, into, period)
  for await (const rows of hoursOf(source.database, period, asked)) {
    for (let done = 0; done < rows.length; done += rowsAtOnce) {
      into.hours(rows.slice(done, done + rowsAtOnce))
      await setImmediate()
    }
  }
  into.promotions(await readPromotions(source, period))
}

/** Rows that are summed before calls that pass the gateway have their turn: some milliseconds. */
const rowsAtOnce = 2_000

/** Whether the hours know what is asked: the dimensions, and no time begins or ends within an hour. */
const isOfWholeHours = async (
  database: Database,
  period: Bounds,
  { by, where, timeZone, from, to }: SpendReading,
): Promise<boolean> => {
  const dimensions = [...by, ...where.map(({ dimension }) => dimension)]
  const isWhole = (at: Instant | null): boolean => at === null || at % hourMs === 0
  if (!dimensions.every(isOfHours) || !isWhole(from) || !isWhole(to)) return false
  const times = dimensions.filter(isTime)
  if (times.length === 0 || timeZone === 'UTC') return true
  const between = await hoursBetween(database, period)
  const zone = zoneNames(timeZone)
  return times.every((time) => zone.startsOf(time, between).slice(1).every(isWhole))
}

/** The first hour of a period that has anything, and the end of the last. */
const hoursBetween = async (database: Database, period: Bounds) => {
  const spans = await readSpendSpans(database, { ...period, by: [], grain: 'hour' })
  return { start: spans[0]?.from ?? 0, end: spans.at(-1)?.to ?? 0 }
}

const hourMs = 3_600_000

/** The sums of the hours by what is asked; hour by hour and place by place where each is converted by itself. */
async function* hoursOf(
  database: Database,
  period: Bounds,
  { by, where, timeZone, convert, isCompared }: SpendReading,
): AsyncGenerator<readonly SpendRow[]> {
  if (convert !== undefined) {
    yield await readSpend(database, period)
    return
  }
  const dimensions = [...by, ...where.map(({ dimension }) => dimension)]
  const times = dimensions.filter(isTime)
  const isOfZone = times.length > 0 && timeZone !== 'UTC'
  const isHourly = times.includes('hour') || isOfZone
  const zone = zoneNames(timeZone)
  const starts =
    isOfZone && !times.includes('hour')
      ? zone.startsOf('day', await hoursBetween(database, period))
      : undefined
  const choose = (isPart: (dimension: SpendDimension) => boolean) => {
    const chosen = where.filter(({ dimension }) => isPart(dimension))
    return chosen.length === 0 ? undefined : fitsWhere(chosen, zone)
  }
  const isOwner = choose((dimension) => ownerParts.some((part) => part === dimension))
  const isService = choose(
    (dimension) => dimension === 'currency' || serviceParts.some((part) => part === dimension),
  )
  yield* readSpendSums(database, {
    ...period,
    by: spendParts.filter(
      (part) => dimensions.includes(part) || (isCompared && comparedParts.some((each) => each === part)),
    ),
    starts,
    grain: isHourly ? 'hour' : times.length > 0 ? 'day' : null,
    ...(isOwner !== undefined && { isOwner: (owner) => isOwner({ ...nowhere, ...owner }) }),
    ...(isService !== undefined && { isService: (service) => isService({ ...nowhere, ...service }) }),
  })
}

const spendParts = [...ownerParts, ...serviceParts]

/** What a change is found by. */
const comparedParts = ['provider', 'model']

const nowhere: SpendPlace = {
  ...{ organization: null, team: null, project: null, environment: null, key: null },
  ...{ provider: '', model: null, endpoint: '', currency: '' },
  ...{ at: 0, basis: 'measured', meter: null, detail: null },
}

/** What promotions and discounts took off, from the entries themselves: at once where the ledger has no price below its
 * list price, else in as long as it takes to look at all of the period. */
const readPromotions = async (source: SpendSource, period: Bounds): Promise<readonly PromotionRow[]> => {
  const fold = createPromotionFold()
  if (!(await readHasPromotions(source.database))) return []
  const into = { calls: fold.add, accrued: fold.addAccrued, imported: fold.addImported }
  await readEntries(source, into, period)
  return fold.rows()
}
