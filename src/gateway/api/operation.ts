import { z } from 'zod'
import type { ErrorCode } from '../../errors.ts'
import type { Parameter } from '../reporting/asked.ts'

/** What can be asked over HTTP: one method of one path. `answers`: what is said by status, as JSON unless it is null,
 * which is text. `errors`: what it may be refused with, beside what every path of its port may. `examples`: bodies that
 * can be sent as they stand. */
export type Operation = {
  readonly summary: string
  readonly body?: z.ZodType
  readonly answers: Readonly<Record<number, z.ZodType | null>>
  readonly errors: readonly ErrorCode[]
  readonly examples?: readonly object[]
  /** A header that it reads. */
  readonly header?: { readonly name: string; readonly description: string }
  /** What may stand in its query. */
  readonly query?: readonly Parameter[]
}

/** A body of which nothing is read: it says that a program asks, and no page. */
export const unread = z.object({})

/** Operations by method and path, where `{id}` stands for what is asked about. */
export type Operations = Readonly<Record<string, Operation>>
