import { z } from 'zod'

/** What the HTTP interface says in the same words. */
export { bigCount, count, currency, maybeName, money, name, share, utcInstant } from '../gateway/api/terms.ts'

/** A day or an instant, as people write them. */
export const instant = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))?$/)
  .describe('A day, which is midnight UTC, or an RFC 3339 instant.')
