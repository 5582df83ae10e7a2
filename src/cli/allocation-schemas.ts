import { allocationAnswer } from '../gateway/reporting/allocation-answer.ts'
import { allocationRulesSchema } from '../reports/allocation-rules.ts'
import { rateTableSchema } from '../reports/rate-table.ts'

/** What allocation reads and prints, and exchange rates, by the name of its file in `schemas/`. */
export const allocationSchemas = {
  'allocation-1': allocationRulesSchema,
  'rates-1': rateTableSchema,
  'report-allocation-1': allocationAnswer,
} as const
