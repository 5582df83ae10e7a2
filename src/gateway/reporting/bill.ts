import { z } from 'zod'
import { readClosed } from '../../ledger/reading.ts'
import { windowOf } from '../../limits/window.ts'
import { type BillLanguage, billLanguages } from '../../reports/bill/format.ts'
import { billPage } from '../../reports/bill/page.ts'
import { type BillPeriod, type BillReport, createBillFold } from '../../reports/bill.ts'
import { billJson } from '../../reports/bill-json.ts'
import { periodBefore } from '../../reports/spend-change.ts'
import { isSpendDimension, isTime, type SpendDimension } from '../../reports/spend-dimensions.ts'
import { type Instant, parseInstant } from '../../time.ts'
import { billAnswer } from './bill-answer.ts'
import type { ReportRoute } from './report-route.ts'
import { figureParameters, readFigurePeriod, wholeUpTo } from './spend-asked.ts'
import { readInto } from './spend-reading.ts'

const billAsked = z
  .strictObject({
    month: z
      .string()
      .regex(/^\d{4}-(0[1-9]|1[0-2])$/, 'is no month: write 2026-10')
      .optional()
      .describe('The month, as 2026-10, in place of from and to. Without all three: the month that runs.'),
    ...figureParameters,
    by: z
      .string()
      .max(200)
      .optional()
      .describe('Who it is by: team unless said. One dimension, not of time.'),
    top: wholeUpTo(100)
      .optional()
      .describe('How many groups a list names: 10 unless said. The others are one.'),
    format: z.enum(['json', 'html']).optional().describe('html: the bill as a page. JSON unless said.'),
    language: z.enum(billLanguages).optional().describe('The language of the page: en unless said.'),
  })
  .transform(
    ({ by = 'team', where = [], top = 10, month, format = 'json', language = 'en', ...rest }, context) => {
      const { from, to, timeZone } = readFigurePeriod(rest, context)
      const refuse = (path: string, message: string): void => {
        context.addIssue({ code: 'custom', path: [path], message })
      }
      if (month !== undefined && (from !== null || to !== null)) {
        refuse('month', 'stands for a period. Leave out from and to.')
      }
      if (month === undefined && (from === null) !== (to === null)) {
        refuse(from === null ? 'from' : 'to', 'is missing: a bill is of a period. Say from and to, or month.')
      }
      if (!isSpendDimension(by) || isTime(by)) refuse('by', `cannot be "${by.slice(0, 80)}".`)
      const dimension: SpendDimension = isSpendDimension(by) ? by : 'team'
      return { by: dimension, where, top, timeZone, month: month ?? null, from, to, format, language }
    },
  )

type Asked = z.output<typeof billAsked>

/** A bill, and how it is wanted. */
export type BillAnswered = {
  readonly bill: BillReport
  readonly format: 'json' | 'html'
  readonly language: BillLanguage
}

/** What a period came to, as one bill. */
export const billRoute: ReportRoute<typeof billAsked, BillAnswered> = {
  name: 'bill',
  summary: 'What a period came to: how much, who, on what, when, why it changed and how sure that is',
  asked: billAsked,
  answer: billAnswer,
  read: async ({ database, sealed, clock }, { format, language, ...asked }) => {
    const period = periodOf(asked, clock.now())
    const { timeZone, by, where, top } = asked
    const before = periodBefore(period, timeZone)
    const fold = createBillFold({ ...period, before, timeZone, by, where, top })
    const reading = { ...period, where, timeZone, by: fold.dimensions, top: null, isCompared: true }
    await readInto({ database, sealed }, fold.now, period, reading)
    await readInto({ database, sealed }, fold.before, before, { ...reading, ...before })
    const bill = fold.result({ madeAt: clock.now(), closed: await readClosed(database) })
    return { bill, format, language }
  },
  json: ({ bill }) => billJson(bill),
  page: ({ bill, format, language }) =>
    format === 'html' ? billPage(bill, { language, ledger: null }) : null,
}

/** The period that is asked for: a month of the zone, the one that runs unless said. */
const periodOf = (
  { month, from, to, timeZone }: Asked | Omit<Asked, 'format' | 'language'>,
  now: Instant,
): BillPeriod => {
  if (from !== null && to !== null) return { from, to }
  const within = month === null ? now : parseInstant(`${month}-15T12:00:00Z`)
  const { start, end } = windowOf({ calendar: 'month', timeZone }, within)
  return { from: start, to: end ?? start }
}
