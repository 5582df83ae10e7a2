import { z } from 'zod'

/** What the HTTP interface says in the same words. */
export { count, currency, maybeName, name, utcInstant } from '../gateway/api/terms.ts'

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

/** A day or an instant, as people write them. */
export const instant = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))?$/)
  .describe('A day, which is midnight UTC, or an RFC 3339 instant.')

/** A number of things that may be past 2^53. */
export const bigCount = z
  .string()
  .regex(/^\d+$/)
  .describe('A whole number as a string, since it may be past what a JSON number keeps.')
