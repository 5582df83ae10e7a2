import { z } from 'zod'
import { rational } from '../money/rational.ts'
import { type Meter, meterNames } from '../usage/meter.ts'

/** What requests with charges are made of: amounts as whole 10^-12 in text, exact numbers as fractions. */

/** Writes exact numbers and whole amounts in the texts that the requests read. */
export const exactText = (_: string, value: unknown): unknown => {
  if (typeof value === 'bigint') return value.toString()
  const isExact = typeof value === 'object' && value !== null && 'numerator' in value
  return isExact && 'denominator' in value ? `${value.numerator}/${value.denominator}` : value
}

export const text = z.string().min(1).max(2_000)
export const whole = z.int().min(0)
export const instantNumber = z.int()
export const picosText = z
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
export const quantity = z.union([whole, exact])
export const meter = z.enum(meterNames as readonly [Meter, ...Meter[]])
const unitPrice = z
  .string()
  .max(80)
  .regex(/^-?\d+(\.\d+)?$/)

/** A charge, priced and rounded. Its unit price is below zero in a credit. */
export const charge = z.strictObject({
  ...{ meter, quantity, unitPrice, per: z.int().min(1), exact, amount: picosText, price: text, source: text },
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
