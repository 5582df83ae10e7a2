import { errorCodes, OctroiError } from '../errors.ts'
import { plan } from '../planning/conversation.ts'
import { planNotes } from '../planning/plan-notes.ts'
import { parsePlanRequest } from '../planning/plan-request.ts'
import { findModel, type ModelFacts } from '../pricing/model-facts.ts'
import type { PriceBook } from '../pricing/price-book.ts'
import type { Instant } from '../time.ts'
import type { Io } from './command.ts'
import { reportError } from './errors.ts'
import type { Item, Items } from './items.ts'
import { formatJson } from './json.ts'
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

/** Plans conversations and prints them in the form in which they came. Of JSON Lines every line is answered, a
 * bad one with its error. Returns the exit code: 1 where a line was bad, 4 where something has no price.
 * Throws the error of a bad item of any other form, with nothing printed. */
export const planItems = async (
  { form, items }: Items,
  options: PlanOptions,
  io: Pick<Io, 'out' | 'err' | 'color' | 'environment' | 'signal'>,
): Promise<number> => {
  const plans: NotedPlan[] = []
  let [bad, unpriced] = [0, 0]
  for await (const item of items) {
    if (io.signal.aborted) return errorCodes.internal.exit
    const planned = planItem(item, options)
    if (planned instanceof OctroiError) {
      if (form !== 'lines') throw planned
      bad += 1
      reportError(planned, io)
      const { code, message } = planned
      if (options.json) io.out(`${formatJson({ error: { code, message } }, { indent: 0 })}\n`)
      continue
    }
    if (planned.plan.unpriced.length > 0) unpriced += 1
    if (options.json && form === 'lines') io.out(`${formatJson(formatPlanJson(planned), { indent: 0 })}\n`)
    else plans.push(planned)
  }
  if (!options.json)
    io.out(
      plans
        .map((planned) => formatPlanTable(planned, { color: io.color, plot: options.plot === true }))
        .join('\n'),
    )
  else if (form === 'object')
    io.out(plans.map((planned) => `${formatJson(formatPlanJson(planned))}\n`).join(''))
  else if (form === 'array') io.out(`${formatJson(plans.map(formatPlanJson))}\n`)
  return bad > 0 ? 1 : unpriced > 0 ? errorCodes.unpriced.exit : 0
}

const planItem = (item: Item, { book, facts, now, fields }: PlanOptions): NotedPlan | OctroiError => {
  if ('error' in item) return item.error
  try {
    const request = parsePlanRequest(withFields(item.value, fields), now)
    const planned = plan(request, book, facts)
    return { plan: planned, notes: planNotes(planned, findModel(facts, request)) }
  } catch (error) {
    if (!(error instanceof OctroiError)) throw error
    return new OctroiError(error.code, `${item.place}: ${error.message}`, error.details)
  }
}

const withFields = (value: unknown, fields: PlanOptions['fields']): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value, ...fields } : value
