import { isOneOf } from '../arguments.ts'
import { type Fields, isFields } from '../world.ts'
import { invalidType, invalidValue, outOfRange } from './refusals-v2.ts'

// Fields of a request of Assistants v2, with the vendor's refusal of what they cannot be. Null where one is absent.

export const readNumber = (
  fields: Fields,
  name: string,
  { least, most, whole = false }: { readonly least: number; readonly most: number; readonly whole?: boolean },
  param = name,
): number | null => {
  const value = fields[name]
  if (value === undefined || value === null) return null
  if (typeof value !== 'number' || (whole && !Number.isSafeInteger(value))) {
    throw invalidType({ param, expected: whole ? 'an integer' : 'a decimal' })
  }
  if (value < least || value > most) throw outOfRange({ param, value, least, most })
  return value
}

export const readFlag = (fields: Fields, name: string): boolean | null => {
  const value = fields[name]
  if (value === undefined || value === null) return null
  if (typeof value !== 'boolean') throw invalidType({ param: name, expected: 'a boolean' })
  return value
}

export const readChoice = <T extends string>(
  fields: Fields,
  name: string,
  supported: readonly T[],
  param = name,
): T => {
  const value = fields[name]
  if (isOneOf(supported, value)) return value
  throw invalidValue({ param, value, supported })
}

export const readObject = (fields: Fields, name: string, param = name): Fields | null => {
  const value = fields[name]
  if (value === undefined || value === null) return null
  if (isFields(value)) return value
  throw invalidType({ param, expected: 'an object' })
}

/** A list of texts, each once. */
export const readTexts = (
  fields: Fields,
  name: string,
  { most }: { readonly most: number },
  param = name,
): readonly string[] | null => {
  const list = readList(fields, name, { most }, param)
  if (list === null) return null
  const texts = list.filter((each) => typeof each === 'string')
  if (texts.length < list.length) throw invalidType({ param, expected: 'an array of strings' })
  return [...new Set(texts)]
}

export const readList = (
  fields: Fields,
  name: string,
  { most }: { readonly most: number },
  param = name,
): readonly unknown[] | null => {
  const value: unknown = fields[name]
  if (value === undefined || value === null) return null
  if (!Array.isArray(value)) throw invalidType({ param, expected: 'an array of objects' })
  if (value.length > most) throw outOfRange({ param, value: value.length, least: 0, most })
  return value
}
