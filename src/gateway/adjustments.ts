import { z } from 'zod'
import { OctroiError } from '../errors.ts'
import type { Adjustment } from '../ledger/entry.ts'
import type { Outcome } from '../ledger/ledger.ts'
import { post } from '../money/money.ts'
import { rational } from '../money/rational.ts'
import { type Meter, meterNames } from '../usage/meter.ts'
import type { Parts } from './parts.ts'

/** How many adjustments the control plane takes at a time. */
export const adjustmentsMax = 20

/** What became of each adjustment, in the order in which they were given. */
export type AdjustmentOutcomes = { readonly outcomes: readonly Outcome[] }

/** Adjustments as JSON for `readAdjustments`: amounts as whole 10^-12 in text, exact numbers as fractions. */
export const writeAdjustments = (adjustments: readonly Adjustment[]): string =>
  JSON.stringify({ adjustments }, (_, value: unknown) => {
    if (typeof value === 'bigint') return value.toString()
    const isExact = typeof value === 'object' && value !== null && 'numerator' in value
    return isExact && 'denominator' in value ? `${value.numerator}/${value.denominator}` : value
  })

/** Reads adjustments that reconcile settled calls. Throws `bad_input` that names what is wrong, also where an amount
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

const text = z.string().min(1).max(2_000)
const whole = z.int().min(0)
const picos = z
  .string()
  .regex(/^-?\d{1,30}$/)
  .transform((digits) => BigInt(digits))
const exact = z
  .string()
  .regex(/^-?\d{1,80}\/[1-9]\d{0,80}$/)
  .transform((written) => {
    const [numerator = '0', denominator = '1'] = written.split('/')
    return rational(BigInt(numerator), BigInt(denominator))
  })
const quantity = z.union([whole, exact])
const meter = z.enum(meterNames as readonly [Meter, ...Meter[]])
const unitPrice = z
  .string()
  .max(40)
  .regex(/^\d+(\.\d+)?$/)

const charge = z.strictObject({
  ...{ meter, quantity, unitPrice, per: z.int().min(1), exact, amount: picos, price: text, source: text },
  measured: quantity.optional(),
  list: z.strictObject({ unitPrice, per: z.int().min(1), price: text }).optional(),
  multipliers: z
    .array(z.strictObject({ name: text, factor: unitPrice, price: text }))
    .max(20)
    .optional(),
  broughtBy: meter.optional(),
  borrowedFrom: text.optional(),
  overlay: z.literal(true).optional(),
  assumed: text.optional(),
})

const adjustment = z.strictObject({
  ...{ callId: text, corrects: whole, at: z.int(), model: text, tier: text.nullable() },
  basis: z.literal('reconciled'),
  currency: z.string().regex(/^[A-Z]{3}$/),
  charges: z.array(charge).max(50),
  unpriced: z
    .array(z.strictObject({ meter, quantity, code: z.enum(['no_price', 'unknown_model']), message: text }))
    .max(50),
  unresolved: z
    .array(z.strictObject({ limit: text, counter: text.optional(), windowStart: z.int(), amount: picos }))
    .max(100)
    .optional(),
  resent: z.strictObject({ tokens: whole, amount: picos, exact: z.boolean() }).nullable(),
  status: whole.nullable(),
  note: z.string().max(4_000).nullable(),
  bookVersion: text,
  conversation: text.optional(),
})

/** Adjustments as `writeAdjustments` writes them. */
export const adjustmentsRequest = z.strictObject({ adjustments: z.array(adjustment).max(adjustmentsMax) })
