import type { Metadata } from './objects.ts'
import type { RequestFault } from './profiles/profile.ts'
import { type Fields, isFields } from './world.ts'

/** Reads the fields of a request of the Assistants wire and gathers what is wrong with them, in the words of
 * the vendor's validator of 2023. A field that is absent reads as undefined. */
export type FieldReader = {
  readonly text: (
    name: string,
    length: { least?: number; most: number; required?: true },
  ) => string | null | undefined
  readonly metadata: (name: string) => Metadata | undefined
  readonly object: (name: string) => Fields | undefined
  readonly list: (name: string, length: { most: number; required?: true }) => readonly unknown[] | undefined
  readonly oneOf: <T extends string>(name: string, values: readonly [T, ...T[]]) => T
  readonly faults: readonly RequestFault[]
}

/** A reader of `fields`, of which only `known` may be there. */
export const readFields = (
  fields: Fields,
  place: readonly string[],
  known: readonly string[],
): FieldReader => {
  const faults: RequestFault[] = []
  const fault = (name: string, message: string): undefined => {
    faults.push({ place: [...place, name.slice(0, 60)], message })
  }
  for (const name of Object.keys(fields)
    .filter((each) => !known.includes(each))
    .slice(0, 20)) {
    fault(name, 'extra fields not permitted (type=value_error.extra)')
  }

  const text: FieldReader['text'] = (name, { least = 0, most, required }) => {
    const value = fields[name]
    if (value === undefined)
      return required ? fault(name, 'field required (type=value_error.missing)') : undefined
    if (value === null && !required) return null
    if (typeof value !== 'string') return fault(name, 'str type expected (type=type_error.str)')
    if (value.length < least) return fault(name, length('least', least))
    if (value.length > most) return fault(name, length('most', most))
    return value
  }

  const object: FieldReader['object'] = (name) => {
    const value = fields[name]
    if (value === undefined || value === null) return undefined
    return isFields(value) ? value : fault(name, 'value is not a valid dict (type=type_error.dict)')
  }

  const metadata: FieldReader['metadata'] = (name) => {
    const value = object(name)
    if (value === undefined) return undefined
    const entries = Object.entries(value)
    if (entries.length > 16) return fault(name, 'metadata can have at most 16 pairs (type=value_error)')
    for (const [key, each] of entries) {
      if (typeof each !== 'string') return fault(name, 'str type expected (type=type_error.str)')
      if (key.length > 64) return fault(name, length('most', 64))
      if (each.length > 512) return fault(name, length('most', 512))
    }
    return Object.fromEntries(entries.map(([key, each]) => [key, String(each)]))
  }

  const list: FieldReader['list'] = (name, { most, required }) => {
    const value = fields[name]
    if (required && value === undefined) return fault(name, 'field required (type=value_error.missing)')
    if (value === undefined || value === null) return undefined
    if (!Array.isArray(value)) return fault(name, 'value is not a valid list (type=type_error.list)')
    if (value.length <= most) return value
    return fault(
      name,
      `ensure this value has at most ${most} items (type=value_error.list.max_items; limit_value=${most})`,
    )
  }

  const oneOf: FieldReader['oneOf'] = (name, values) => {
    const found = values.find((value) => value === fields[name])
    if (found !== undefined) return found
    if (fields[name] === undefined) fault(name, 'field required (type=value_error.missing)')
    else {
      const permitted = values.map((value) => `'${value}'`).join(', ')
      fault(name, `value is not a valid enumeration member; permitted: ${permitted} (type=type_error.enum)`)
    }
    return values[0]
  }

  return { text, metadata, object, list, oneOf, faults }
}

const length = (bound: 'least' | 'most', limit: number): string =>
  `ensure this value has at ${bound} ${limit} characters ` +
  `(type=value_error.any_str.${bound === 'least' ? 'min' : 'max'}_length; limit_value=${limit})`
