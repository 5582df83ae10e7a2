import { z } from 'zod'
import type { Limit } from '../limits/limit.ts'
import { parseLimits } from '../limits/parse-limit.ts'
import type { ConfiguredCap } from './history-cap.ts'
import type { UnmeteredPolicy } from './unmetered.ts'

/** The rules of a configuration, as zod reads them: what may be replaced while the gateway runs. */
export const rulesSchema = z.strictObject({
  /** Whether paths that no wire has are passed on: those that are named, or begin as one with a `*` at its end, and all
   * others. */
  unmetered: z
    .strictObject({
      default: z.enum(['pass', 'refuse']).optional(),
      paths: z
        .record(
          z
            .string()
            .max(200)
            .regex(/^\/[^*]*\*?$/, 'write a path, as "/agents", or its beginning, as "/agents/*"'),
          z.enum(['pass', 'refuse']),
        )
        .default({}),
    })
    .default({ paths: {} }),
  limits: z
    .array(z.unknown())
    .max(1_000, 'there may be at most 1,000 limits; one with "each" counts every value apart')
    .default([]),
  /** Caps on history that is sent again, for the calls of whoever is named; of several the first that fits. */
  historyCaps: z
    .array(
      z
        .strictObject({
          match: z
            .strictObject({
              key: z.string().optional(),
              organization: z.string().optional(),
              team: z.string().optional(),
              project: z.string().optional(),
              environment: z.string().optional(),
            })
            .default({}),
          lastMessages: z.int().min(1).max(1_000_000).optional(),
          promptTokens: z.int().min(256).max(1_000_000_000).optional(),
          truncation: z.literal('auto').optional(),
        })
        .refine(
          (cap) => [cap.lastMessages, cap.promptTokens, cap.truncation].some((part) => part !== undefined),
          {
            message: 'a cap needs lastMessages, promptTokens or truncation',
          },
        ),
    )
    .max(1_000)
    .default([]),
})

const { limits, historyCaps, unmetered } = rulesSchema.shape

/** Rules that take the place of those they name. */
export const rulesRequest = z.strictObject({
  limits: limits.unwrap().optional(),
  historyCaps: historyCaps.unwrap().optional(),
  unmetered: unmetered.unwrap().optional(),
})

/** What holds for calls. `written`: the same as it was written, with what it left out. */
export type Rules = {
  readonly limits: readonly Limit[]
  readonly historyCaps: readonly ConfiguredCap[]
  readonly unmetered: UnmeteredPolicy
  readonly written: WrittenRules
}

export type WrittenRules = z.output<typeof rulesSchema>

/** Reads rules as a gateway keeps them. Throws `bad_input` naming the limit, the field and the remedy. */
export const readRules = (written: WrittenRules): Rules => {
  const { limits, historyCaps, unmetered } = written
  return {
    limits: readLimits(limits),
    unmetered: { default: unmetered.default ?? null, paths: unmetered.paths },
    historyCaps: historyCaps.map(
      ({ match, lastMessages = null, promptTokens = null, truncation = null }) => ({
        match: withoutGaps(match),
        lastMessages,
        promptTokens,
        truncation,
      }),
    ),
    written,
  }
}

/** Reads limits as a gateway keeps them. Throws `bad_input` naming the field and the remedy. */
export const readLimits = (limits: readonly unknown[]): readonly Limit[] => parseLimits(limits)

/** What is named of whom a cap holds for. */
const withoutGaps = (
  match: { [Part in keyof ConfiguredCap['match']]?: string | undefined },
): ConfiguredCap['match'] =>
  Object.fromEntries(Object.entries(match).filter(([, value]) => value !== undefined))
