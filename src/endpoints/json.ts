/** A value read from JSON that nothing is known of yet. */
export type Json = unknown

/** The member of an object, or undefined where there is no object or no such own member. */
export const member = (value: Json, name: string): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.hasOwn(value, name)
    ? (value as Record<string, Json>)[name]
    : undefined

export const textOf = (value: Json): string | null => (typeof value === 'string' ? value : null)

/** A whole number from 0 to 2^53 - 1, or null. */
export const countOf = (value: Json): number | null =>
  Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : null

export const listOf = (value: Json): readonly Json[] => (Array.isArray(value) ? value : [])

/** Parses JSON, or gives undefined. */
export const parseJson = (text: string): Json => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
