import { format, multiply, parseDecimal, rational } from '../money/rational.ts'
import { type Cost, price } from '../pricing/price.ts'
import type { PriceBook } from '../pricing/price-book.ts'
import { sessions } from '../usage/accrual.ts'
import { toQuantity } from '../usage/usage.ts'
import type { PlanRequest } from './plan-request.ts'

/** What a plan costs beside its tokens. `interpreter`: the code interpreter of one conversation; `storage`: the
 * files that are kept, whatever the number of conversations. Null where the plan has none. */
export type PlanStanding = {
  readonly interpreter: { readonly sessions: number; readonly cost: Cost } | null
  readonly storage: { readonly gigabyteDays: string; readonly cost: Cost } | null
}

/** Prices what stands beside the tokens of a plan. */
export const standingOf = (request: PlanRequest, book: PriceBook): PlanStanding => ({
  interpreter: interpreterOf(request, book),
  storage: storageOf(request, book),
})

const minuteMs = 60_000

/** One session is a thread's hour from its first use (OpenAI's help page on the Assistants API, both versions). */
const interpreterOf = (request: PlanRequest, book: PriceBook): PlanStanding['interpreter'] => {
  const { provider, model, at, codeInterpreter, turns, minutesBetween } = request
  if (!codeInterpreter) return null
  const uses = Array.from({ length: turns }, (_, turn) => ({
    owner: 'thread',
    at: at + turn * minutesBetween * minuteMs,
  }))
  const count = sessions(uses, { seconds: 3600 }).length
  return {
    sessions: count,
    cost: price({ code_interpreter_session: count }, { provider, model, at }, book),
  }
}

/** The day from which files are kept in stores, once for all assistants: version 2 of the Assistants API. */
const storesSince = Date.UTC(2024, 3, 17)

const storageOf = (request: PlanRequest, book: PriceBook): PlanStanding['storage'] => {
  const { provider, model, at, retrievalGigabytes, assistants, days } = request
  if (retrievalGigabytes === null) return null
  const keepers = at < storesSince ? assistants : 1
  const exact = multiply(parseDecimal(retrievalGigabytes), rational(BigInt(keepers) * BigInt(days)))
  const quantity = toQuantity(exact)
  const call = { provider, model, at }
  return {
    gigabyteDays: format(exact),
    cost:
      at < storesSince
        ? price({ retrieval_gb_day: quantity }, call, book)
        : price(
            { file_search_gb_day: quantity },
            { ...call, days, earlier: { file_search_gb_day: 0 } },
            book,
          ),
  }
}
