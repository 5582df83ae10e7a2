// Fields of a request as the vendor's schemas of 2023 checked them, in the words of these checks: "0 is less than
// the minimum of 1 - 'n'".
import { Refusal } from './refusal.ts'
import type { Fields } from './world.ts'

/** A value as the vendor repeats it, but short. */
export const shown = (value: unknown): string => {
  if (typeof value === 'string') return `'${value.slice(0, 100)}'`
  if (value === undefined || value === null) return 'None'
  return typeof value === 'object' ? (Array.isArray(value) ? '[...]' : '{...}') : String(value)
}

/** Whether a value is one of a list. */
export const isOneOf = <T extends string>(values: readonly T[], value: unknown): value is T =>
  values.some((each) => each === value)

/** Throws the vendor's refusal of fields that the wire does not have: chatgpt-shell issue 47, 2023-04-04, of an
 * image. */
export const checkNames = (body: Fields, known: readonly string[]): void => {
  const extra = Object.keys(body).find((name) => !known.includes(name))
  if (extra === undefined) return
  throw new Refusal(400, `Additional properties are not allowed ('${extra.slice(0, 60)}' was unexpected)`)
}

/** One of the values, or the first of them when the field is absent. */
export const choice = <T extends string>(body: Fields, name: string, values: readonly [T, ...T[]]): T => {
  const value = body[name]
  if (value === undefined || value === null) return values[0]
  if (isOneOf(values, value)) return value
  const known = values.map((each) => `'${each}'`).join(', ')
  throw new Refusal(400, `${shown(value)} is not one of [${known}] - '${name}'`)
}

/** True or false; false when the field is absent. */
export const flag = (body: Fields, name: string): boolean => {
  const value = body[name]
  if (value === undefined || value === null) return false
  if (typeof value === 'boolean') return value
  throw new Refusal(400, `${shown(value)} is not of type 'boolean' - '${name}'`)
}

/** A number in a range, or null when the field is absent. `whole` takes no fraction. */
export const number = (
  body: Fields,
  name: string,
  range: { least: number; most: number; whole?: true },
): number | null => {
  const value = body[name]
  if (value === undefined || value === null) return null
  const isNumber = typeof value === 'number' && Number.isFinite(value)
  if (!isNumber || (range.whole === true && !Number.isSafeInteger(value))) {
    const kind = range.whole === true ? 'integer' : 'number'
    throw new Refusal(400, `${shown(value)} is not of type '${kind}' - '${name}'`)
  }
  if (value < range.least) {
    throw new Refusal(400, `${value} is less than the minimum of ${range.least} - '${name}'`)
  }
  if (value > range.most) {
    throw new Refusal(400, `${value} is greater than the maximum of ${range.most} - '${name}'`)
  }
  return value
}

/** A form with some of its fields, which are all texts, read as numbers. */
export const withNumbers = (form: Fields, names: readonly string[]): Fields =>
  Object.fromEntries(
    Object.entries(form).map(([name, value]) => {
      const numeric = typeof value === 'string' && /^-?\d{1,15}(\.\d{1,15})?$/.test(value)
      return [name, numeric && names.includes(name) ? Number(value) : value]
    }),
  )

/** A text of bounded length, in Unicode code points; null when it is absent and need not be there. */
export const text = (
  body: Fields,
  name: string,
  length: { least?: number; most: number; required?: true },
): string | null => {
  const value = body[name]
  if (value === undefined || value === null) {
    if (length.required === true) throw new Refusal(400, `'${name}' is a required property`)
    return null
  }
  if (typeof value !== 'string') throw new Refusal(400, `${shown(value)} is not of type 'string' - '${name}'`)
  const size = codePoints(value)
  if (size < (length.least ?? 0)) throw new Refusal(400, `${shown(value)} is too short - '${name}'`)
  if (size > length.most) throw new Refusal(400, `${shown(value)} is too long - '${name}'`)
  return value
}

/** How many Unicode code points a text has: what the vendor calls characters. */
export const codePoints = (value: string): number => {
  let count = 0
  for (const _ of value) count += 1
  return count
}

/** The `user` of a request, as the books keep it. */
export const userOf = (body: Fields): string | null =>
  typeof body['user'] === 'string' ? body['user'].slice(0, 256) : null
