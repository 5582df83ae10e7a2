import { z } from 'zod'
import { measureNames } from '../../limits/measure.ts'
import { rulesRequest, rulesSchema } from '../rules.ts'
import { limitSchema } from './limit-schema.ts'
import { amount, count, currency, maybeName, name, money as signed, utcInstant } from './terms.ts'

/** What the HTTP interface answers. Clients pass over fields they do not know. */

const patterns = z
  .array(name)
  .nullable()
  .describe('Names, or beginnings of names with a * at their end; null is everything.')

/** A key, never its secret. */
export const keyAnswer = z.object({
  id: name,
  name: maybeName,
  organization: maybeName,
  team: maybeName,
  project: maybeName,
  environment: maybeName,
  models: patterns,
  endpoints: patterns,
  expiresAt: utcInstant.nullable(),
  tags: z.record(z.string(), z.string()),
  allowUnmetered: z.boolean().describe('It may use paths that are not metered.'),
  onLedgerFailure: z
    .union([z.literal('refuse'), z.object({ spool: z.string() })])
    .describe('Its calls while the ledger cannot be written; an amount of USD may wait.'),
  createdAt: utcInstant,
  revokedAt: utcInstant.nullable(),
})

export const keysAnswer = z.object({ keys: z.array(keyAnswer) })
export const keyChangedAnswer = z.object({ key: keyAnswer })
export const keySecretAnswer = z.object({
  secret: name.describe('Shown here and nowhere else.'),
  key: keyAnswer,
})

const standing = {
  limit: name,
  counter: z.record(z.string(), maybeName).describe('Whose counter it is; empty where there is one.'),
  measure: z.enum(measureNames as readonly [string, ...string[]]),
  currency: currency.nullable(),
  unit: name.describe('The unit of all amounts: a currency, request, token ...'),
  ...{ cap: amount, settled: amount, held: amount, unresolved: amount, free: amount, over: amount },
  windowStart: utcInstant,
  resetsAt: utcInstant.nullable(),
}

/** Where a counter of a limit stands. */
export const limitAnswer = z.object({
  setBy: z.enum(['operator', 'vendor']).describe('Whose limit it is.'),
  ...standing,
})

export const limitsAnswer = z.object({ limits: z.array(limitAnswer) })

/** Rules as they are put, limits by their own schema. */
export const policyRequest = rulesRequest
  .extend({ limits: z.array(limitSchema).max(1_000).optional() })
  .describe('What it names takes the place of what held; what it leaves out stays.')

/** Rules as they were written. */
export const policyAnswer = z.object({
  version: z
    .string()
    .regex(/^[0-9a-f]{32}$/)
    .describe('A hash of the rules, also in `ETag`.'),
  limits: z.array(limitSchema),
  historyCaps: rulesSchema.shape.historyCaps.unwrap(),
  unmetered: rulesSchema.shape.unmetered.unwrap(),
})

export const aliveAnswer = z.object({ status: z.literal('ok') })
export const readyAnswer = z.object({
  status: z.enum(['ready', 'stopping']),
  callsInFlight: count,
  journal: z.enum(['before-send', 'before-reply']),
})

export const pseudonymAnswer = z.object({
  pseudonym: maybeName.describe('Null where this end user has never called.'),
})
export const forgottenAnswer = z.object({
  forgotten: z.boolean().describe('False where there was nothing to forget.'),
})

export const adjustedAnswer = z.object({
  outcomes: z
    .array(z.enum(['done', 'repeated', 'conflict', 'late', 'unknown']))
    .describe('What became of each, in the order in which they came.'),
})

export const importedAnswer = z
  .object({ written: count, repeated: count, replaced: count })
  .describe('How many lines were new, the same as before, or took the place of an earlier one.')

export const providerKeysAnswer = z.object({
  keys: z.array(z.object({ upstream: name, ends: name.describe('Its last characters.'), setAt: utcInstant })),
})
export const nothingAnswer = z.object({})

export const alertsAnswer = z.object({
  alerts: z.array(
    z.object({
      ...{ id: name, at: utcInstant, type: name, timestamp: utcInstant.optional() },
      data: z.record(z.string(), z.unknown()),
      deliveries: z.array(
        z.object({
          receiver: name,
          state: z.enum(['pending', 'sent', 'given up']),
          attempts: count,
          said: name.nullable().describe('Why the last attempt failed.'),
        }),
      ),
    }),
  ),
})

const money = amount.describe('An amount in `currency`, as a plain decimal.')

/** What a call can cost, and which limits are about it. */
export const quoteAnswer = z.object({
  provider: name,
  endpoint: name,
  model: name,
  at: utcInstant,
  currency,
  least: money.nullable(),
  most: money.nullable().describe('Null where nothing bounds it, or something has no price.'),
  pricedMost: money.describe('The most of what has a price and a bound.'),
  usage: z
    .array(z.object({ meters: z.array(name).min(1), least: z.number(), most: z.number().nullable() }))
    .describe('What it can use, each part under one of these meters.'),
  reasons: z.array(name).describe('Why a bound is missing, or wide.'),
  fits: z.boolean(),
  refusal: z.looseObject({ code: name, message: name }).nullable().describe('What the call would be told.'),
  lowered: z
    .object({ limit: name, outputTokens: count, most: money.nullable() })
    .nullable()
    .describe('To what a limit with the action clamp would lower its output.'),
  limits: z.array(
    z.object({
      ...standing,
      action: z.enum(['refuse', 'wait', 'clamp', 'warn']),
      asked: amount.nullable(),
      fits: z.boolean(),
    }),
  ),
})

/** A reservation as it stands in the ledger. The last fields are there once it is settled. */
export const reservationAnswer = z.object({
  id: name,
  status: z.enum(['reserved', 'settled', 'released', 'expired']),
  provider: name,
  endpoint: name,
  model: name.nullable(),
  currency,
  most: money.nullable(),
  leaseUntil: utcInstant,
  holds: z.array(
    z.object({
      limit: name,
      counter: z
        .record(z.string(), maybeName)
        .optional()
        .describe('Whose counter it is, where the limit has several.'),
      measure: z.enum(measureNames as readonly [string, ...string[]]),
      amount,
      windowStart: utcInstant,
    }),
  ),
  cost: money.nullable().optional().describe('Null as soon as anything has no price.'),
  pricedTotal: money.optional(),
  overMost: money.optional().describe('What it came to beyond its most.'),
  unpriced: z.array(z.object({ meter: name, code: name, message: name })).optional(),
  basis: z.enum(['measured', 'estimated', 'imported', 'reconciled']).optional(),
  note: z.string().nullable().optional(),
  repeated: z
    .boolean()
    .optional()
    .describe('It was so before it was asked; of an answer to something that is done.'),
})

export const renewedAnswer = z.object({ id: name, leaseUntil: utcInstant })

/** An error, whatever was asked. */
export const errorAnswer = z
  .object({ error: z.looseObject({ code: name, message: name }) })
  .describe('docs/errors.md explains each code. Beside `message` may stand what machines read of it.')

const sealedDay = z.string().regex(/^\d{4}-\d{2}-\d{2}$/)

/** What was sealed; `waiting`: days of which a call is open, or an accrual is not posted to their end. */
export const sealedAnswer = z.object({
  schema: z.literal('octroi-ledger-seal/1'),
  folder: name,
  sealed: z.array(
    z.object({
      ...{ day: sealedDay, file: name, sha256: z.string().regex(/^[0-9a-f]{64}$/), bytes: count },
      ...{ calls: count, entries: count, charges: count, sums: z.record(z.string(), signed) },
    }),
  ),
  waiting: z.array(sealedDay),
})

/** Days whose calls, and days whose files went. */
export const prunedAnswer = z.object({
  schema: z.literal('octroi-ledger-prune/1'),
  pruned: z.array(z.object({ day: sealedDay, calls: count })),
  dropped: z.array(sealedDay),
})

/** How many calls came back. */
export const thawedAnswer = z.object({ calls: count })
