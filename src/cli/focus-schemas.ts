import { z } from 'zod'
import { focusRules } from '../reports/focus/rules.ts'
import { count, name } from './schema-terms.ts'

const rule = z.enum(Object.keys(focusRules)).describe('A rule of the checker.')

/** The JSON Schemas of `octroi export focus`. */
export const focusSchemas = {
  'focus-check-1': z
    .object({
      schema: z.literal('octroi-focus-check/1'),
      version: z.enum(['1.2', '1.4']),
      rows: count,
      count: count.describe('All violations.'),
      byRule: z.partialRecord(rule, count),
      violations: z
        .array(
          z.object({
            rule,
            row: count.nullable().describe('From 1, without the line of names. Null: of the whole file.'),
            column: name.nullable(),
            message: z.string(),
          }),
        )
        .max(100)
        .describe('The first hundred.'),
    })
    .describe('What `octroi export focus --check --json` prints.'),
} as const
