import { z } from 'zod'
import { OctroiError } from '../../errors.ts'
import type { CallRow } from '../../ledger/reading.ts'
import { callRowOf } from '../../ledger/sealed/call-row.ts'
import { createReceiptFold, type Receipt } from '../../reports/receipt.ts'
import { receiptJson } from '../../reports/receipt-json.ts'
import { lifeOf } from './detail.ts'
import { receiptAnswer } from './receipt-answer.ts'
import { readReceiptPage } from './receipt-pages.ts'
import type { ReportRoute, ReportSource } from './report-route.ts'
import { figureParameters, readFigurePeriod, wholeUpTo } from './spend-asked.ts'
import { boundsOf, readEntries } from './spend-reading.ts'

const receiptAsked = z
  .strictObject({
    call: z
      .string()
      .min(1)
      .max(200)
      .optional()
      .describe('The id of one call, in place of a period and a choice.'),
    ...figureParameters,
    limit: wholeUpTo(1_000).optional().describe('How many lines a page has: 100 unless said.'),
    after: z
      .string()
      .max(200)
      .optional()
      .describe(
        'The `next` of the page before. The totals are of all lines on every page. The pages of 5,000 lines come from one reading, for five minutes.',
      ),
  })
  .transform(({ call = null, where = [], limit = 100, after = null, ...rest }, context) => {
    if (call !== null && (where.length > 0 || Object.values(rest).some((value) => value !== undefined))) {
      context.addIssue({
        code: 'custom',
        path: ['call'],
        message: 'stands for a period and a choice. Leave out from, to, zone and where.',
      })
    }
    return { call, where, limit, after, ...readFigurePeriod(rest, context) }
  })

/** The charges that a figure is made of. */
export const receiptRoute: ReportRoute<typeof receiptAsked, Receipt> = {
  name: 'receipt',
  summary: 'Every charge of a call or of a figure: what, how much, at which price of which book',
  asked: receiptAsked,
  answer: receiptAnswer,
  errors: ['unknown_object'],
  read: (source, { call, ...asked }) =>
    readReceiptPage(source, { ...asked, call }, async (more) => {
      const fold = createReceiptFold(more)
      if (call === null) await readEntries(source, fold, boundsOf(asked))
      else fold.calls(await readCall(source, call))
      return fold.result()
    }),
  json: receiptJson,
}

/** A call with its latest truth; none where nothing was charged yet, or ever. Throws `unknown_object`. */
const readCall = async (source: ReportSource, id: string): Promise<readonly CallRow[]> => {
  const life = await lifeOf(source, id)
  if (life === null) {
    throw new OctroiError('unknown_object', `The ledger has no call "${id.slice(0, 80)}".`)
  }
  const row = callRowOf(life)
  return row === null ? [] : [row]
}
