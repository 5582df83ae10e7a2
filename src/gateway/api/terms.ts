import { z } from 'zod'

/** A text that is there. */
export const name = z.string().min(1)

/** A text, or null where there is none. */
export const maybeName = z.string().nullable()

/** A number of things. */
export const count = z.int().min(0)

/** A currency by its code. */
export const currency = z
  .string()
  .regex(/^[A-Z]{3}$/)
  .describe('An ISO 4217 code.')

/** An instant as Octroi writes it. */
export const utcInstant = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,3})?Z$/)
  .describe('An RFC 3339 instant in UTC.')

/** An amount in some unit, never below zero. */
export const amount = z
  .string()
  .regex(/^\d+(\.\d+)?$/)
  .describe('A plain decimal as a string.')

/** An amount that may be below zero, such as a correction. */
export const money = z
  .string()
  .regex(/^-?\d+(\.\d{1,12})?$/)
  .describe('An amount of money as a decimal string, at most 12 decimals.')

/** A share of a whole, at six places. */
export const share = z
  .string()
  .regex(/^-?\d+(\.\d{1,6})?$/)
  .nullable()
  .describe('A share as a decimal string of at most six places, such as "0.25"; null of nothing.')

/** A number of things that may be past 2^53. */
export const bigCount = z
  .string()
  .regex(/^\d+$/)
  .describe('A whole number as a string, since it may be past what a JSON number keeps.')
