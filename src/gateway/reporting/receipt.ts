import { z } from 'zod'
import { OctroiError } from '../../errors.ts'
import type { Database } from '../../ledger/database.ts'
import type { CallLife, CallRow } from '../../ledger/reading.ts'
import { createReceiptFold, type Receipt } from '../../reports/receipt.ts'
import { receiptJson } from '../../reports/receipt-json.ts'
import { receiptAnswer } from './receipt-answer.ts'
import type { ReportRoute } from './report-route.ts'
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
      .describe('The `next` of the page before. The totals are of all lines on every page.'),
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
  read: async (source, { call, ...asked }) => {
    const fold = createReceiptFold(asked)
    if (call === null) await readEntries(source, fold, boundsOf(asked))
    else fold.calls(await readCall(source.database, call))
    return fold.result()
  },
  json: receiptJson,
}

/** A call with its latest truth; none where nothing was charged yet, or ever. Throws `unknown_object`. */
const readCall = async (database: Database, id: string): Promise<readonly CallRow[]> => {
  const life: CallLife | null = await database.call('ledger', 'life', id)
  if (life === null) {
    throw new OctroiError(
      'unknown_object',
      `The ledger has no call "${id.slice(0, 80)}". Of a day that only its sealed file has, ask by period: from and to.`,
    )
  }
  const { call } = life.reserved
  const last = life.ends.at(-1)
  if (last?.kind !== 'settled' && last?.kind !== 'adjusted') return []
  return [{ call: { ...call, conversation: last.conversation ?? call.conversation }, settlement: last }]
}
