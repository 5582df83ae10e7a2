import { OctroiError } from '../errors.ts'
import { compare, parseDecimal, type Rational } from '../money/rational.ts'
import { parseCeiling } from './ceiling.ts'
import { actions, type Limit } from './limit.ts'
import { type Measure, measureNames, measures, parseAmount } from './measure.ts'
import { isDimension, subjectFields } from './pattern.ts'
import { calendars, isTimeZone } from './window.ts'

/** Reads a limit as written in a policy (docs/guides/limits.md has it field by field). Currency is USD, the zone UTC,
 * and what is done with a call that does not fit or has no price is to refuse it, unless said otherwise. Throws
 * `bad_input` naming the field, its value and the remedy; a field it does not know is refused, because a limit that is
 * not understood would not be kept. */
export const parseLimit = (json: unknown): Limit => {
  const fields = readObject('limit', json, limitFields)
  const measure = readOneOf('measure', fields.measure, measureNames)
  const window = measure === 'concurrent' ? noWindow(fields.window) : readWindow(fields.window)
  const limit: Limit = {
    name: readName('name', fields.name),
    match: readMatch(fields.match ?? {}),
    each: readEach(fields.each ?? []),
    measure,
    cap: readCap(fields.cap, measure),
    currency: readCurrency(fields.currency, measure),
    window,
    action: readOneOf('action', fields.action ?? 'refuse', actions),
    warnAt: readShares(fields.warnAt ?? []),
    unpriced: readUnpriced(fields.unpriced ?? 'refuse', measure),
    ...(fields.burnRate !== undefined && { burnRate: readBurnRate(fields.burnRate, measure) }),
  }
  refuseContradictions(limit)
  return limit
}

/** Reads all limits of a policy. Throws as `parseLimit` does, and where two have one name. */
export const parseLimits = (json: readonly unknown[]): readonly Limit[] => {
  const limits = json.map(parseLimit)
  const names = new Set<string>()
  for (const { name } of limits) {
    if (names.has(name)) throw bad('name', name, 'Two limits have the same name. Give each its own.')
    names.add(name)
  }
  return limits
}

const limitFields = [
  ...['name', 'match', 'each', 'measure', 'cap', 'currency', 'window', 'action', 'warnAt', 'unpriced'],
  'burnRate',
]
const nameLengthMax = 200
const listLengthMax = 100
/** 10^15 whole units: far above any budget or rate, and safe in every sum. */
const capMax = 10n ** 15n

const refuseContradictions = ({ measure, action, warnAt, window, burnRate }: Limit): void => {
  const clampable: readonly Measure[] = ['cost', 'output_tokens', 'tokens']
  if (action === 'clamp' && !clampable.includes(measure)) {
    throw bad('action', action, `A lower output limit helps only with ${clampable.join(', ')}.`)
  }
  if (warnAt.length > 0 && (window === null || !('calendar' in window))) {
    throw bad('warnAt', warnAt.length, 'Only a calendar window fills up; others rise and fall all the time.')
  }
  const isPeriod = window !== null && 'calendar' in window && window.calendar !== 'total'
  if (burnRate !== undefined && !isPeriod) {
    throw bad('burnRate', {}, 'Only a calendar window that ends has a share that is expected by now.')
  }
}

const readCap = (json: unknown, measure: Measure): bigint => {
  if (typeof json !== 'string') throw bad('cap', json, 'Write the amount as a string, as in "100.00".')
  const { places, unit } = measures[measure]
  const cap = readAmount('cap', json, measure)
  if (cap === null) {
    throw bad('cap', json, places === 0 ? `Write a whole number: a ${unit} has no parts.` : decimals(places))
  }
  if (cap < 0n) throw bad('cap', json, 'A cap is zero or more. Zero refuses every call that uses anything.')
  if (cap > capMax * 10n ** BigInt(places)) throw bad('cap', json, 'The largest cap is 10^15.')
  return cap
}

const decimals = (places: number): string =>
  `Write a plain decimal with at most ${places} decimals, as in "100.00".`

const readAmount = (field: string, text: string, measure: Measure): bigint | null => {
  try {
    return parseAmount(measure, text)
  } catch {
    throw bad(field, text, decimals(measures[measure].places))
  }
}

const readCurrency = (json: unknown, measure: Measure): string | null => {
  if (measure !== 'cost') {
    if (json === undefined) return null
    throw bad('currency', json, `Leave it out: ${measure} have none.`)
  }
  if (json === undefined) return 'USD'
  if (typeof json === 'string' && /^[A-Z]{3}$/.test(json)) return json
  throw bad('currency', json, 'Write an ISO 4217 code, as in "USD".')
}

const noWindow = (json: unknown): null => {
  if (json === undefined) return null
  throw bad('window', json, 'Leave it out: calls in flight are counted now.')
}

const readWindow = (json: unknown): NonNullable<Limit['window']> => {
  const known = ['calendar', 'timeZone', 'anchorDay', 'rolling', 'bucket']
  const fields = readObject('window', json, known)
  const kinds = ['calendar', 'rolling', 'bucket'].filter((kind) => fields[kind] !== undefined)
  if (kinds.length !== 1) {
    throw bad('window', json, 'Write one of {"calendar": "month"}, {"rolling": "24h"}, {"bucket": "1m"}.')
  }
  if (fields.calendar !== undefined) return readCalendar(fields)
  const stranger = ['timeZone', 'anchorDay'].find((each) => fields[each] !== undefined)
  if (stranger !== undefined)
    throw bad(`window.${stranger}`, fields[stranger], 'Only a calendar window has one.')
  if (fields.rolling === undefined) {
    const bucket = readDuration('window.bucket', fields.bucket)
    return { bucket: String(fields.bucket), lengthMs: bucket }
  }
  const lengthMs = readDuration('window.rolling', fields.rolling)
  return { rolling: String(fields.rolling), lengthMs, slotMs: Math.ceil(lengthMs / rollingSlots) }
}

/** How many slots a rolling window is kept in: an hour by the minute, a day by 24 minutes. */
const rollingSlots = 60

const readCalendar = (fields: Readonly<Record<string, unknown>>): Limit['window'] & object => {
  const { timeZone = 'UTC', anchorDay } = fields
  const calendar = readOneOf('window.calendar', fields.calendar, calendars)
  if (typeof timeZone !== 'string' || !isTimeZone(timeZone)) {
    throw bad('window.timeZone', timeZone, 'Write a zone of the IANA database, as in "Europe/Paris".')
  }
  if (anchorDay === undefined) return { calendar, timeZone }
  if (!['month', 'quarter', 'year'].includes(calendar)) {
    throw bad('window.anchorDay', anchorDay, 'Only a month, a quarter or a year has one.')
  }
  if (!Number.isInteger(anchorDay) || Number(anchorDay) < 1 || Number(anchorDay) > 31) {
    throw bad('window.anchorDay', anchorDay, 'Write a day from 1 to 31; 31 is the last of every month.')
  }
  return { calendar, timeZone, anchorDay: Number(anchorDay) }
}

const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const durationMaxMs = 366 * 86_400_000

const readDuration = (field: string, json: unknown): number => {
  const [, count, unit] = (typeof json === 'string' && /^([1-9]\d{0,5})([smhd])$/.exec(json)) || []
  const ms = Number(count) * (unitMs[unit ?? ''] ?? Number.NaN)
  if (ms <= durationMaxMs) return ms
  throw bad(field, json, 'Write a length from "1s" to "366d", in s, m, h or d.')
}

const readShares = (json: unknown): readonly Rational[] => {
  if (!Array.isArray(json) || json.length > listLengthMax) {
    throw bad('warnAt', json, 'Write a list of shares of the cap, as in [0.5, 0.8, 1].')
  }
  const shares = json.map(readShare)
  const rises = shares.every((share, index) => index === 0 || compare(shares[index - 1] ?? share, share) < 0)
  if (!rises) throw bad('warnAt', json, 'Write the shares in rising order, each once.')
  return shares
}

const readShare = (json: unknown): Rational => {
  const text = typeof json === 'number' ? String(json) : ''
  if (!/^\d{1,3}(\.\d{1,6})?$/.test(text) || Number(text) <= 0) {
    throw bad('warnAt', json, 'A share is a number above 0 with at most 6 decimals, as in 0.8.')
  }
  return parseDecimal(text)
}

const readUnpriced = (json: unknown, measure: Measure): Limit['unpriced'] => {
  if (json === 'refuse') return json
  if (measure !== 'cost') throw bad('unpriced', json, `Leave it out: ${measure} need no price.`)
  if (typeof json !== 'object') throw bad('unpriced', json, 'It can be "refuse" or {"ceiling": {...}}.')
  return { ceiling: parseCeiling(readObject('unpriced', json, ['ceiling']).ceiling) }
}

const readBurnRate = (json: unknown, measure: Measure): Limit['burnRate'] & object => {
  if (measure !== 'cost') throw bad('burnRate', json, 'Leave it out: only a budget is watched.')
  const { spentMin = '0' } = readObject('burnRate', json, ['spentMin'])
  const amount = typeof spentMin === 'string' ? readAmount('burnRate.spentMin', spentMin, measure) : null
  if (amount === null || amount < 0n || amount > capMax * 10n ** BigInt(measures[measure].places)) {
    throw bad('burnRate.spentMin', spentMin, 'Write an amount as a string, as in "5.00".')
  }
  return { spentMin: amount }
}

const readMatch = (json: unknown): Limit['match'] => {
  const fields = readObject('match', json, null)
  const match: Record<string, string | readonly string[]> = {}
  for (const [dimension, value] of Object.entries(fields)) {
    refuseStranger('match', dimension)
    const field = `match.${dimension}`
    if (!Array.isArray(value)) match[dimension] = readPattern(field, value)
    else if (value.length === 0 || value.length > listLengthMax) {
      throw bad(field, value, `Write one pattern, or a list of 1 to ${listLengthMax}.`)
    } else match[dimension] = value.map((each) => readPattern(field, each))
  }
  return match
}

const starsMax = 4

const readPattern = (field: string, json: unknown): string => {
  const pattern = readName(field, json)
  if (pattern.split('*').length - 1 <= starsMax) return pattern
  throw bad(field, json, `A pattern has at most ${starsMax} stars, as in "gpt-*".`)
}

const readEach = (json: unknown): Limit['each'] => {
  if (!Array.isArray(json) || json.length > 4 || new Set(json).size < json.length) {
    throw bad('each', json, 'Write a list of at most 4 names, each once, as in ["endUser"].')
  }
  return json.map((each) => {
    refuseStranger('each', String(each))
    return String(each)
  })
}

const refuseStranger = (field: string, dimension: string): void => {
  if (isDimension(dimension)) return
  throw bad(field, dimension, `There is no such name. Known are ${subjectFields.join(', ')}, tag:NAME.`)
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
  known: readonly string[] | null,
): Readonly<Record<string, unknown>> => {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw bad(field, json, `Write an object with ${(known ?? subjectFields).join(', ')}.`)
  }
  const stranger = known === null ? undefined : Object.keys(json).find((each) => !known.includes(each))
  if (stranger !== undefined) {
    throw bad(field, stranger, `There is no such field. Known are ${known?.join(', ')}.`)
  }
  return Object.fromEntries(Object.entries(json))
}

const bad = (field: string, value: unknown, remedy: string): OctroiError => {
  const shown = (JSON.stringify(value) ?? 'nothing').slice(0, 80)
  const where = field === 'limit' ? 'The limit' : `The field "${field}" of a limit`
  return new OctroiError('bad_input', `${where} cannot be ${shown}. ${remedy}`, { field })
}
