import type { FormFile } from './endpoint.ts'
import { countOf, type Json, member } from './json.ts'

/** A whole number as JSON has it, or as the text that a form has: `"2"`. */
export const wholeOf = (value: Json): number | null =>
  typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : countOf(value)

/** True for `true`, and for the text that a form has for it. */
export const isOn = (value: Json): boolean => value === true || value === 'true'

/** A file of a form, or null where the value is none. */
export const fileOf = (value: Json): FormFile | null =>
  typeof member(value, 'filename') === 'string' && countOf(member(value, 'bytes')) !== null
    ? (value as FormFile)
    : null
