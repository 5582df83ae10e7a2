import { OctroiError } from '../errors.ts'
import { formatInstant, type Instant, parseInstant } from '../time.ts'

/** A conversation to plan, in tokens. `system` is sent at every turn (instructions, tools), `priming` is what
 * the wire adds to each request. `keepTurns`: how many earlier turns are sent again (of a thread,
 * `last_messages` = 2 x keepTurns + 1); `capTokens`: how long a prompt may be, the oldest messages being left
 * out whole. Null: no cap. */
export type PlanRequest = {
  readonly provider: string
  readonly model: string
  readonly at: Instant
  readonly system: number
  readonly user: number
  readonly assistant: number
  readonly turns: number
  readonly priming: number
  readonly keepTurns: number | null
  readonly capTokens: number | null
}

/** Reads a plan from outside: JSON, or the options of the command line. `at` is an instant or a day, and
 * `now` where it is absent. Throws `bad_input`, `bad_number` or `bad_instant`, naming the field, the value and
 * the remedy. */
export const parsePlanRequest = (value: unknown, now: Instant): PlanRequest => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new OctroiError('bad_input', 'A plan must be an object such as {"model": "gpt-4o", "turns": 20}.')
  }
  const fields: Fields = { ...value }
  for (const name of Object.keys(fields)) {
    if (known.includes(name)) continue
    throw new OctroiError(
      'bad_input',
      `A plan has no field "${name.slice(0, 60)}". It has ${known.join(', ')}.`,
    )
  }
  const request = {
    provider: text(fields, 'provider', 'openai'),
    model: text(fields, 'model', null),
    at: instant(fields['at'], now),
    system: count(fields, 'system', 0),
    user: count(fields, 'user', null),
    assistant: count(fields, 'assistant', null),
    turns: count(fields, 'turns', null),
    priming: count(fields, 'priming', 0),
    keepTurns: optionalCount(fields, 'keepTurns'),
    capTokens: optionalCount(fields, 'capTokens'),
  }
  if (request.turns === 0) throw new OctroiError('bad_number', 'turns is 0. A conversation has at least one.')
  mustFit(request)
  return request
}

type Fields = Readonly<Record<string, unknown>>

/** The largest value of each field that is a number. The largest plan stays a safe integer in total. */
const largest = {
  system: 10_000_000,
  user: 10_000_000,
  assistant: 10_000_000,
  turns: 10_000,
  priming: 1_000_000,
  keepTurns: 10_000,
  capTokens: 10_000_000,
} as const

type CountField = keyof typeof largest

const known: readonly string[] = ['provider', 'model', 'at', ...Object.keys(largest)]

const text = (fields: Fields, name: string, otherwise: string | null): string => {
  const value = fields[name] ?? otherwise
  if (typeof value !== 'string' || value === '' || value.length > 200) {
    throw new OctroiError(
      'bad_input',
      `${name} is ${shown(value)}. Give the ${name} by name, such as "gpt-4o".`,
    )
  }
  return value
}

const instant = (value: unknown, now: Instant): Instant => {
  if (value === undefined || value === null) return now
  if (typeof value === 'string') return parseInstant(value)
  throw new OctroiError(
    'bad_instant',
    `at is ${shown(value)}. Write it as "${formatInstant(now).slice(0, 10)}".`,
  )
}

const optionalCount = (fields: Fields, name: CountField): number | null =>
  fields[name] === undefined || fields[name] === null ? null : count(fields, name, null)

const count = (fields: Fields, name: CountField, otherwise: number | null): number => {
  const value = fields[name] ?? otherwise
  if (value === null) throw new OctroiError('bad_input', `A plan needs ${name}, a whole number.`)
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > largest[name]) {
    throw new OctroiError(
      'bad_number',
      `${name} is ${shown(value)}. It must be a whole number from 0 to ${largest[name]}.`,
    )
  }
  return value
}

const mustFit = ({ system, user, priming, capTokens }: PlanRequest): void => {
  const shortest = system + user + priming
  if (capTokens === null || capTokens >= shortest) return
  throw new OctroiError(
    'bad_input',
    `capTokens is ${capTokens}, but a turn without any history has ${shortest} tokens. Raise capTokens.`,
  )
}

const shown = (value: unknown): string => {
  if (value === undefined || value === null) return 'missing'
  return typeof value === 'object' ? 'not a single value' : JSON.stringify(value).slice(0, 60)
}
