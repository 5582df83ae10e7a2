import { z } from 'zod'
import { OctroiError } from '../errors.ts'
import type { Adjustment } from '../ledger/entry.ts'
import type { Outcome } from '../ledger/ledger.ts'
import { type Measure, measureNames } from '../limits/measure.ts'
import { post } from '../money/money.ts'
import { charge, exactText, meter, picosText, quantity, text, whole } from './charge-request.ts'
import type { Parts } from './parts.ts'

/** How many adjustments the control plane takes at a time. */
export const adjustmentsMax = 20

/** What became of each adjustment, in the order in which they were given. */
export type AdjustmentOutcomes = { readonly outcomes: readonly Outcome[] }

/** Adjustments as JSON for `readAdjustments`: amounts as whole 10^-12 in text, exact numbers as fractions. */
export const writeAdjustments = (adjustments: readonly Adjustment[]): string =>
  JSON.stringify({ adjustments }, exactText)

/** Reads adjustments that reconcile settled calls, or price them anew. Throws `bad_input` that names what is wrong, also where an amount
 * is not its exact amount rounded. */
export const readAdjustments = (body: unknown): readonly Adjustment[] => {
  const parsed = adjustmentsRequest.safeParse(body)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw new OctroiError('bad_input', `${issue?.path.join('.') || 'the body'}: ${issue?.message}.`)
  }
  const adjustments = parsed.data.adjustments as readonly Adjustment[]
  for (const { callId, charges } of adjustments) {
    if (charges.every(({ exact, amount }) => post(exact) === amount)) continue
    throw new OctroiError(
      'bad_input',
      `An amount of call "${callId}" is not what its exact amount rounds to.`,
    )
  }
  return adjustments
}

/** Writes adjustments to the ledger, and counts what they moved against the limits. */
export const applyAdjustments = async (
  { ledger, admission }: Pick<Parts, 'ledger' | 'admission'>,
  adjustments: readonly Adjustment[],
): Promise<AdjustmentOutcomes> => {
  const outcomes: Outcome[] = []
  for (const adjustment of adjustments) {
    const { outcome, settled, unresolved } = await ledger.adjust(adjustment)
    admission.count({ at: adjustment.at, settled, unresolved })
    outcomes.push(outcome)
  }
  return { outcomes }
}

const adjustment = z.strictObject({
  ...{ callId: text, corrects: whole, at: z.int(), model: text, tier: text.nullable() },
  basis: z.enum(['measured', 'estimated', 'imported', 'reconciled']),
  currency: z.string().regex(/^[A-Z]{3}$/),
  charges: z.array(charge).max(50),
  unpriced: z
    .array(z.strictObject({ meter, quantity, code: z.enum(['no_price', 'unknown_model']), message: text }))
    .max(50),
  unresolved: z
    .array(z.strictObject({ limit: text, counter: text.optional(), windowStart: z.int(), amount: picosText }))
    .max(100)
    .optional(),
  used: z.partialRecord(z.enum(measureNames as readonly [Measure, ...Measure[]]), picosText).optional(),
  attempt: z
    .strictObject({ durationMs: z.number().min(0), firstByteMs: z.number().min(0).nullable(), retry: whole })
    .optional(),
  resent: z.strictObject({ tokens: whole, amount: picosText, exact: z.boolean() }).nullable(),
  status: whole.nullable(),
  note: z.string().max(4_000).nullable(),
  bookVersion: text,
  conversation: text.optional(),
})

/** Adjustments as `writeAdjustments` writes them. */
export const adjustmentsRequest = z.strictObject({ adjustments: z.array(adjustment).max(adjustmentsMax) })
