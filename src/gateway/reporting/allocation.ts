import { z } from 'zod'
import { OctroiError } from '../../errors.ts'
import type { Database } from '../../ledger/database.ts'
import { readAccrued, readImported, readSpend } from '../../ledger/reading.ts'
import { type AllocationReport, createAllocationFold } from '../../reports/allocation.ts'
import { allocationJson } from '../../reports/allocation-json.ts'
import type { AllocationRules } from '../../reports/allocation-rules.ts'
import type { Converter } from '../../reports/currency.ts'
import type { Instant } from '../../time.ts'
import { allocationAnswer } from './allocation-answer.ts'
import { wholeHour } from './asked.ts'
import { callsOf } from './detail.ts'
import type { ReportRoute } from './report-route.ts'

/** Allocates a period of a ledger: from its hourly sums, or, where a rule asks for tags, end users or conversations,
 * from all its calls, accruals and imported lines, a page at a time. `sealed` is the folder of sealed days; null where
 * it is not at hand. Throws `ledger_unavailable` where calls are only there. */
export const readAllocation = async (
  database: Database,
  rules: AllocationRules,
  asked: {
    readonly from: Instant | null
    readonly to: Instant | null
    readonly sealed: string | null
    readonly converter?: Converter
  },
): Promise<AllocationReport> => {
  const { from, to, converter } = asked
  const fold = createAllocationFold(rules, { from, to, ...(converter && { convert: converter.convert }) })
  const period = { from: from ?? Number.MIN_SAFE_INTEGER, to: to ?? Number.MAX_SAFE_INTEGER }
  if (!fold.readsCalls) {
    fold.addSpend(await readSpend(database, period))
    return fold.result()
  }
  for await (const calls of callsOf({ database, sealed: asked.sealed }, period)) fold.addCalls(calls)
  for await (const entries of readAccrued(database, period)) fold.addAccrued(entries)
  for await (const lines of readImported(database, { ...period, role: 'usage' })) fold.addImported(lines)
  return fold.result()
}

const allocationAsked = z
  .strictObject({
    from: wholeHour.optional().describe('From this hour on: a day, which is midnight UTC, or an instant.'),
    to: wholeHour.optional().describe('Up to but not including this hour.'),
  })
  .refine(({ from, to }) => from === undefined || to === undefined || from < to, {
    path: ['from'],
    message: 'is not before to.',
  })

/** The report of allocation over HTTP, by the rules of the gateway's configuration: a file cannot come with a query. */
export const allocationRoute = (
  rules: AllocationRules | null,
): ReportRoute<typeof allocationAsked, AllocationReport> => ({
  name: 'allocation',
  summary: "Who bears what, by the rules of the gateway's configuration",
  asked: allocationAsked,
  answer: allocationAnswer,
  errors: ['ledger_unavailable'],
  read: ({ database, sealed }, { from = null, to = null }) => {
    if (rules === null) {
      throw new OctroiError(
        'bad_input',
        'No allocation rules are configured. Put them under "allocation" in the configuration of the gateway, or run octroi report allocation --rules FILE.',
      )
    }
    return readAllocation(database, rules, { from, to, sealed })
  },
  json: (report) => allocationJson(report, null),
})
