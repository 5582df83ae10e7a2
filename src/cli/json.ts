import { OctroiError } from '../errors.ts'

/** Writes a value as JSON for machines. A bigint becomes a decimal string, since JSON numbers lose digits past
 * 2^53; a number that JSON cannot say (NaN, infinite) is a fault, never a silent null.
 * `indent`: spaces a level, 2 unless told; 0 keeps everything on one line, for JSON Lines. */
export const formatJson = (value: unknown, options: { readonly indent?: number } = {}): string =>
  JSON.stringify(value, exactly, options.indent ?? 2)

const exactly = (key: string, value: unknown): unknown => {
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new OctroiError('internal', `"${key}" is ${value}, which JSON cannot say.`)
  }
  return value
}
