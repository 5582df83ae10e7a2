import { plan } from '../planning/conversation.ts'
import { planNotes } from '../planning/plan-notes.ts'
import { parsePlanRequest } from '../planning/plan-request.ts'
import { findModel, type ModelFacts } from '../pricing/model-facts.ts'
import type { PriceBook } from '../pricing/price-book.ts'
import type { Instant } from '../time.ts'
import type { Io } from './command.ts'
import { answerItems } from './item-answers.ts'
import type { Items } from './items.ts'
import { formatPlanJson, formatPlanTable, type NotedPlan } from './plan-table.ts'

/** How to plan: with which prices and facts, on which day where a plan names none, and printed for whom.
 * `fields`: what was said on the command line, which goes before what a file says. */
export type PlanOptions = {
  readonly book: PriceBook
  readonly facts: ModelFacts
  readonly now: Instant
  readonly json: boolean
  readonly plot?: boolean
  readonly fields: Readonly<Record<string, unknown>>
}

/** Plans conversations and prints them in the form in which they came, as `answerItems` does. */
export const planItems = (
  items: Items,
  options: PlanOptions,
  io: Pick<Io, 'out' | 'err' | 'color' | 'environment' | 'signal'>,
): Promise<number> =>
  answerItems(
    items,
    {
      json: options.json,
      answer: (value) => planOf(value, options),
      isUnpriced: ({ plan }) => plan.unpriced.length > 0,
      toJson: formatPlanJson,
      toTable: (planned) => formatPlanTable(planned, { color: io.color, plot: options.plot === true }),
    },
    io,
  )

const planOf = (value: unknown, { book, facts, now, fields }: PlanOptions): NotedPlan => {
  const request = parsePlanRequest(withFields(value, fields), now)
  const planned = plan(request, book, facts)
  return { plan: planned, notes: planNotes(planned, findModel(facts, request)) }
}

const withFields = (value: unknown, fields: PlanOptions['fields']): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value, ...fields } : value
