import { OctroiError } from '../errors.ts'
import { type Picos, parsePicos } from '../money/money.ts'
import { type Ceiling, parseCeiling } from './ceiling.ts'
import { type CalendarWindow, isTimeZone } from './window.ts'

/** What a call is, as far as limits look at it. A name that is null matches no pattern but `*`. */
export type LimitSubject = {
  readonly organization: string | null
  readonly team: string | null
  readonly project: string | null
  readonly environment: string | null
  readonly key: string | null
  readonly endUser: string | null
  readonly provider: string
  readonly model: string | null
  readonly endpoint: string
  readonly conversation: string | null
}

/** A cap on a measure for a scope in a window (DESIGN 5.4). A budget is a limit whose measure is `cost`.
 * Its name is its identity: under a new name it counts from zero. */
export type Limit = {
  readonly name: string
  /** Exact names, or prefixes that end in `*`. Every named field must match; an empty match is every call. */
  readonly match: Readonly<Partial<Record<keyof LimitSubject, string>>>
  readonly measure: 'cost'
  /** Zero is a cap: it refuses every call that can cost anything, and passes free ones. */
  readonly cap: Picos
  readonly currency: string
  readonly window: CalendarWindow
  readonly action: 'refuse'
  /** What becomes of a call that could use something without a price: it is refused, or held at a ceiling. */
  readonly unpriced: 'refuse' | { readonly ceiling: Ceiling }
}

/** True when the limit is about this call. */
export const matches = (limit: Limit, subject: LimitSubject): boolean => {
  for (const field of subjectFields) {
    const pattern = limit.match[field]
    if (pattern !== undefined && !matchesPattern(pattern, subject[field])) return false
  }
  return true
}

/** Reads a limit as written in a policy: `{name, match?, measure: "cost", cap: "100.00", currency?,
 * window: {calendar: "month", timeZone?}, action?, unpriced?: "refuse" | {ceiling: {...}}}`. Currency is USD, the
 * zone UTC, and what is done with a call that does not fit or has no price is to refuse it, unless said otherwise. Throws `bad_input` naming the field, its value and the remedy; a field it does not
 * know is refused, because a limit that is not understood would not be kept. */
export const parseLimit = (json: unknown): Limit => {
  const fields = readObject('limit', json, limitFields)
  const name = readName('name', fields.name)
  return {
    name,
    match: readMatch(fields.match ?? {}),
    measure: readOneOf('measure', fields.measure, ['cost']),
    cap: readCap(fields.cap),
    currency: readCurrency(fields.currency ?? 'USD'),
    window: readWindow(fields.window),
    action: readOneOf('action', fields.action ?? 'refuse', ['refuse']),
    unpriced: readUnpriced(fields.unpriced ?? 'refuse'),
  }
}

const subjectFields = [
  'organization',
  'team',
  'project',
  'environment',
  'key',
  'endUser',
  'provider',
  'model',
  'endpoint',
  'conversation',
] as const satisfies readonly (keyof LimitSubject)[]

const limitFields = ['name', 'match', 'measure', 'cap', 'currency', 'window', 'action', 'unpriced']
const nameLengthMax = 200
/** 10^15 whole units of a currency: far above any budget, and safe in every sum. */
const capMax = 10n ** 27n

const matchesPattern = (pattern: string, name: string | null): boolean => {
  if (pattern === '*') return true
  if (name === null) return false
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern
}

const readMatch = (json: unknown): Limit['match'] => {
  const match: Partial<Record<keyof LimitSubject, string>> = {}
  const fields = readObject('match', json, subjectFields)
  for (const field of subjectFields) {
    const value = fields[field]
    if (value === undefined) continue
    const pattern = readName(`match.${field}`, value)
    if (pattern.slice(0, -1).includes('*')) {
      throw bad(`match.${field}`, value, 'A * may stand only at the end, as in "gpt-*".')
    }
    match[field] = pattern
  }
  return match
}

const readCap = (json: unknown): Picos => {
  if (typeof json !== 'string') throw bad('cap', json, 'Write the amount as a string, as in "100.00".')
  const cap = readAmount(json)
  if (cap < 0n) throw bad('cap', json, 'A cap is zero or more.')
  if (cap > capMax) throw bad('cap', json, 'The largest cap is 10^15.')
  return cap
}

const readAmount = (text: string): Picos => {
  try {
    return parsePicos(text)
  } catch {
    throw bad('cap', text, 'Write a plain decimal with at most 12 decimals, as in "100.00".')
  }
}

const readCurrency = (json: unknown): string => {
  if (typeof json === 'string' && /^[A-Z]{3}$/.test(json)) return json
  throw bad('currency', json, 'Write an ISO 4217 code, as in "USD".')
}

const readWindow = (json: unknown): CalendarWindow => {
  const fields = readObject('window', json, ['calendar', 'timeZone'])
  const timeZone = fields.timeZone ?? 'UTC'
  if (typeof timeZone !== 'string' || !isTimeZone(timeZone)) {
    throw bad('window.timeZone', timeZone, 'Write a zone of the IANA database, as in "Europe/Paris".')
  }
  return { calendar: readOneOf('window.calendar', fields.calendar, ['month']), timeZone }
}

const readUnpriced = (json: unknown): Limit['unpriced'] => {
  if (json === 'refuse') return json
  if (typeof json !== 'object') throw bad('unpriced', json, 'It can be "refuse" or {"ceiling": {...}}.')
  return { ceiling: parseCeiling(readObject('unpriced', json, ['ceiling']).ceiling) }
}

const readOneOf = <Word extends string>(field: string, json: unknown, words: readonly Word[]): Word => {
  const word = words.find((each) => each === json)
  if (word === undefined) {
    throw bad(field, json, `It can be ${words.map((each) => `"${each}"`).join(' or ')}.`)
  }
  return word
}

const readName = (field: string, json: unknown): string => {
  const fits = typeof json === 'string' && json.trim() === json && json !== '' && json.length <= nameLengthMax
  if (!fits) {
    throw bad(field, json, `Write a name of 1 to ${nameLengthMax} characters without spaces around it.`)
  }
  return json
}

const readObject = (
  field: string,
  json: unknown,
  known: readonly string[],
): Readonly<Record<string, unknown>> => {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw bad(field, json, `Write an object with ${known.join(', ')}.`)
  }
  const stranger = Object.keys(json).find((each) => !known.includes(each))
  if (stranger !== undefined) {
    throw bad(field, stranger, `There is no such field. Known are ${known.join(', ')}.`)
  }
  return Object.fromEntries(Object.entries(json))
}

const bad = (field: string, value: unknown, remedy: string): OctroiError => {
  const shown = (JSON.stringify(value) ?? 'nothing').slice(0, 80)
  const where = field === 'limit' ? 'The limit' : `The field "${field}" of a limit`
  return new OctroiError('bad_input', `${where} cannot be ${shown}. ${remedy}`, { field })
}
