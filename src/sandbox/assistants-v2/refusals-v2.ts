import { shown } from '../arguments.ts'
import type { Refusals, RequestFault } from '../profiles/profile.ts'
import { Refusal } from '../refusal.ts'

/** The refusals of Assistants v2, over those of the profile. Found: the header (openai-react-native issue 10,
 * 2025-01-17), an unknown tool ("Invalid value: 'retrieval'. Supported values are: ...", as printed in the notes of
 * several clients of 2024). The others are in their manner. */
export const withRefusalsOfV2 = (refusals: Refusals): Refusals => ({
  ...refusals,
  noBeta: () =>
    new Refusal(
      400,
      "You must provide the 'OpenAI-Beta' header to access the Assistants API. Please try again by setting " +
        "the header 'OpenAI-Beta: assistants=v2'.",
      { code: 'invalid_beta' },
    ),
  invalidRequest: (faults) => {
    const [first] = faults
    return first === undefined ? new Refusal(400, 'Invalid request.') : refusalOf(first)
  },
})

/** A value that is none of those the field may have. */
export const invalidValue = ({
  param,
  value,
  supported,
}: {
  readonly param: string
  readonly value: unknown
  readonly supported: readonly string[]
}): Refusal => {
  const names = supported.map((each) => `'${each}'`)
  const known = names.length < 2 ? names.join() : `${names.slice(0, -1).join(', ')}, and ${names.at(-1)}`
  const message = `Invalid value: ${shown(value)}. Supported values are: ${known}.`
  return new Refusal(400, message, { param, code: 'invalid_value' })
}

/** A value of a wrong type. */
export const invalidType = ({
  param,
  expected,
}: {
  readonly param: string
  readonly expected: string
}): Refusal =>
  new Refusal(400, `Invalid type for '${param}': expected ${expected}.`, { param, code: 'invalid_type' })

/** A whole number or a number out of its range. */
export const outOfRange = ({
  param,
  value,
  least,
  most,
}: {
  readonly param: string
  readonly value: number
  readonly least: number
  readonly most: number
}): Refusal => {
  const below = value < least
  const [side, sign, bound] = below ? ['below minimum', '>=', least] : ['above maximum', '<=', most]
  const message = `Invalid '${param}': value ${side}. Expected a value ${sign} ${bound}, but got ${value} instead.`
  return new Refusal(400, message, { param, code: below ? 'below_min_value' : 'above_max_value' })
}

/** A field that must be there. */
export const missing = (param: string): Refusal =>
  new Refusal(400, `Missing required parameter: '${param}'.`, { param, code: 'missing_required_parameter' })

/** What the reader of fields found, in the words of 2024. */
const refusalOf = ({ place, message }: RequestFault): Refusal => {
  const param = paramOf(place)
  if (message.startsWith('extra fields')) {
    return new Refusal(400, `Unknown parameter: '${param}'.`, { param, code: 'unknown_parameter' })
  }
  if (message.startsWith('field required')) return missing(param)
  const told = message.replace(/ \(type=.*$/s, '')
  return new Refusal(400, `Invalid '${param}': ${told}.`, { param, code: 'invalid_value' })
}

/** `tools[0].type`: the way to a field, without where it came in. */
export const paramOf = ([, ...way]: readonly string[]): string =>
  way.reduce(
    (path, part) => (/^\d+$/.test(part) ? `${path}[${part}]` : path === '' ? part : `${path}.${part}`),
    '',
  )
