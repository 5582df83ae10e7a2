import { OctroiError } from '../errors.ts'

/** What a field of a fault that came as JSON must be. */
export type Check = {
  readonly holds: (value: unknown) => boolean
  readonly means: string
  readonly required?: true
}

export const whole = (least: number, most: number): Check => ({
  holds: (value) => typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most,
  means: `a whole number from ${least} to ${most}`,
})

export const oneOf = (...values: readonly unknown[]): Check => ({
  holds: (value) => values.includes(value),
  means: `one of ${values.join(', ')}`,
})

export const textLike = (pattern: RegExp, means: string): Check => ({
  holds: (value) => typeof value === 'string' && pattern.test(value),
  means,
})

export const text: Check = { holds: (value) => typeof value === 'string', means: 'a text' }

export const required = (check: Check): Check => ({ ...check, required: true })

/** Throws `bad_input` unless the value is an object with a `kind` that is known and the fields of that kind, or of
 * every kind (`shared`). */
export function checkFault<F extends { readonly kind: string }>(
  value: unknown,
  {
    shared,
    kinds,
  }: {
    readonly shared: Readonly<Record<string, Check>>
    readonly kinds: Readonly<Record<F['kind'], Readonly<Record<string, Check>>>>
  },
): asserts value is F {
  if (!isObject(value)) throw wrong('a fault', 'an object with a `kind`')
  const kind = value['kind']
  const fields = typeof kind === 'string' && Object.hasOwn(kinds, kind) ? kinds[kind as F['kind']] : null
  if (fields === null) throw wrong('kind', `one of ${Object.keys(kinds).join(', ')}`)
  for (const [name, field] of Object.entries(value)) {
    if (name === 'kind') continue
    const check = { ...shared, ...fields }[name]
    if (check === undefined) throw wrong(name, 'left out: this kind of fault has no such field')
    if (!check.holds(field)) throw wrong(name, check.means)
  }
  for (const [name, check] of Object.entries(fields)) {
    if (check.required === true && value[name] === undefined) throw wrong(name, check.means)
  }
}

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const wrong = (name: string, means: string): OctroiError =>
  new OctroiError('bad_input', `The field "${name.slice(0, 60)}" of a fault must be ${means}.`)
