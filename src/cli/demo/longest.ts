import type { Database } from '../../ledger/database.ts'
import { readCalls } from '../../ledger/reading.ts'
import { formatPicos } from '../../money/money.ts'
import { plan } from '../../planning/conversation.ts'
import { parsePlanRequest } from '../../planning/plan-request.ts'
import type { PriceBook } from '../../pricing/price-book.ts'
import { createConversationFold } from '../../reports/conversations.ts'
import { formatShare } from '../../reports/share.ts'
import { formatCount } from '../reports.ts'
import { formatTable } from '../table.ts'
import type { Held } from './conversations.ts'
import { replyTokens } from './scenario.ts'

/** The plan of a conversation beside what the ledger says happened. */
export const planAgainstLedger = async (
  database: Database,
  book: PriceBook,
  { conversation, thread }: Held,
  look: { readonly color: boolean },
): Promise<string> => {
  const fold = createConversationFold()
  for await (const page of readCalls(database, { from: 0, to: Number.MAX_SAFE_INTEGER })) fold.add(page)
  const happened = fold.conversations().find((each) => each.conversation === thread)
  if (happened === undefined) return 'The ledger has no such conversation.\n'
  const { system, user, turns, model } = conversation
  const planned = plan(
    parsePlanRequest({ model, system, user, assistant: replyTokens, turns }, happened.first),
    book,
  ).total
  const rows = [
    ['turns', String(turns), String(happened.calls)],
    ['input tokens', formatCount(planned.input), formatCount(happened.inputTokens)],
    ['of which history sent again', formatCount(planned.history), formatCount(happened.resent.tokens)],
    ['output tokens', formatCount(planned.output), formatCount(happened.outputTokens)],
    ['USD', formatPicos(planned.cost ?? 0n), formatPicos(happened.amount)],
    [
      'USD if history were free',
      formatPicos(planned.costWithoutHistory ?? 0n),
      formatPicos(happened.amount - happened.resent.amount),
    ],
    ['share of history', formatShare(planned.historyShareOfCost), formatShare(happened.resent.shareOfAmount)],
  ]
  return formatTable(
    [{ title: '' }, { title: 'plan', align: 'right' }, { title: 'ledger', align: 'right' }],
    rows,
    look,
  )
}
