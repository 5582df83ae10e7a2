import { OctroiError } from '../errors.ts'
import { formatInstant, type Instant, parseInstant } from '../time.ts'
import type { RunBudget } from './run-budget.ts'

/** A conversation to plan, in tokens. `system` is sent at every turn (instructions, tools), `priming` is what
 * the wire adds to each request. `keepTurns`: how many earlier turns are sent again (of a thread,
 * `last_messages` = 2 x keepTurns + 1); `capTokens`: how long a prompt may be, the oldest messages being left
 * out whole. Null: no cap.
 *
 * `cache`: `none` prices every token as fresh, `auto` by the rule of the model's vendor, `5m` and `1h` are the
 * lifetimes of Anthropic's. `imagesPerTurn`: the tokens of the images in every message of the user. `toolRounds`: the
 * calls of tools in every turn, each of which sends everything again with the call (output) and its result (input).
 * `minutesBetween`: between two turns; a cache expires in it, and a code interpreter's hour ends.
 * `codeInterpreter`: whether every turn uses it. `retrievalGigabytes`, a decimal, are kept for `days`, once for each
 * of the `assistants` while they are billed so. `conversationsPerMonth`: null where one is planned alone.
 * `runBudget`: what the calls of one turn may use together; a turn that needs more is noted. */
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
  readonly cache: PlanCache
  readonly imagesPerTurn: { readonly tokens: number } | null
  readonly toolRounds: readonly ToolRound[]
  readonly minutesBetween: number
  readonly codeInterpreter: boolean
  readonly retrievalGigabytes: string | null
  readonly assistants: number
  readonly days: number
  readonly conversationsPerMonth: number | null
  readonly runBudget: RunBudget | null
}

/** How a plan's prompts are cached. */
export type PlanCache = 'none' | 'auto' | '5m' | '1h'

/** A tool used in a turn, in tokens: the model's call and what the tool gives back. */
export type ToolRound = { readonly call: number; readonly result: number }

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
    ...readCosts(fields),
    conversationsPerMonth: optionalCount(fields, 'conversationsPerMonth'),
    runBudget: readBudget(fields['runBudget'] ?? null),
  }
  if (request.turns === 0) throw new OctroiError('bad_number', 'turns is 0. A conversation has at least one.')
  mustFit(request)
  mustEnd(request)
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
  minutesBetween: 1_000_000,
  assistants: 10_000,
  days: 10_000,
  conversationsPerMonth: 1_000_000_000,
} as const

type CountField = keyof typeof largest

const others = ['cache', 'imagesPerTurn', 'toolRounds', 'codeInterpreter', 'retrievalGigabytes', 'runBudget']

const known: readonly string[] = ['provider', 'model', 'at', ...Object.keys(largest), ...others]

/** The fields that say what a conversation costs beside its messages. */
const readCosts = (fields: Fields) => ({
  cache: readCache(fields['cache'] ?? 'none'),
  imagesPerTurn: readImages(fields['imagesPerTurn'] ?? null),
  toolRounds: readToolRounds(fields['toolRounds'] ?? null, fields['model']),
  minutesBetween: count(fields, 'minutesBetween', 0),
  codeInterpreter: readFlag(fields['codeInterpreter'] ?? false),
  retrievalGigabytes: readGigabytes(fields['retrievalGigabytes'] ?? null),
  assistants: count(fields, 'assistants', 1),
  days: count(fields, 'days', 30),
})

const caches: readonly PlanCache[] = ['none', 'auto', '5m', '1h']

const readCache = (value: unknown): PlanCache => {
  const found = caches.find((name) => name === value)
  if (found !== undefined) return found
  throw new OctroiError('bad_input', `cache is ${shown(value)}. It is one of ${caches.join(', ')}.`)
}

const readImages = (value: unknown): PlanRequest['imagesPerTurn'] => {
  if (value === null) return null
  return { tokens: tokensOf(value, 'imagesPerTurn', 'tokens') }
}

/** The most calls of tools in one turn. */
const roundsMax = 100

/** A list of rounds, or one kind of them with their number. A `result` of "file_search" is the most one adds. */
const readToolRounds = (value: unknown, model: unknown): readonly ToolRound[] => {
  if (value === null) return []
  const round = (each: unknown): ToolRound => ({
    call: tokensOf(each, 'toolRounds', 'call'),
    result: searches(each) ? searchTokensMax(model) : tokensOf(each, 'toolRounds', 'result'),
  })
  const times = Array.isArray(value) ? value.length : tokensOf(value, 'toolRounds', 'rounds')
  if (times > roundsMax) {
    throw new OctroiError('bad_number', `toolRounds has ${times} rounds. A turn has at most ${roundsMax}.`)
  }
  if (Array.isArray(value)) return value.map(round)
  return Array.from({ length: times }, () => round(value))
}

const searches = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'result' in value && value.result === 'file_search'

/** The most that a search of files adds: 20 chunks of 800 tokens, with gpt-3.5-turbo five (the defaults of the
 * Assistants API, version 2). */
const searchTokensMax = (model: unknown): number =>
  800 * (typeof model === 'string' && model.startsWith('gpt-3.5') ? 5 : 20)

const readBudget = (value: unknown): RunBudget | null =>
  value === null
    ? null
    : {
        promptTokens: tokensOf(value, 'runBudget', 'promptTokens'),
        completionTokens: tokensOf(value, 'runBudget', 'completionTokens'),
      }

/** A member of an object that counts tokens, or rounds. */
const tokensOf = (value: unknown, field: string, name: string): number => {
  const found = typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
  const number: unknown = Object.entries(found).find(([key]) => key === name)?.[1]
  if (typeof number === 'number' && Number.isInteger(number) && number >= 0 && number <= 1_000_000)
    return number
  throw new OctroiError(
    'bad_number',
    `${field}.${name} is ${shown(number)}. It must be a whole number from 0 to 1000000.`,
  )
}

const readFlag = (value: unknown): boolean => {
  if (typeof value === 'boolean') return value
  throw new OctroiError('bad_input', `codeInterpreter is ${shown(value)}. It is true or false.`)
}

const readGigabytes = (value: unknown): string | null => {
  if (value === null) return null
  const text = typeof value === 'number' ? String(value) : value
  if (typeof text === 'string' && /^\d{1,9}(\.\d{1,12})?$/.test(text)) return text
  throw new OctroiError(
    'bad_number',
    `retrievalGigabytes is ${shown(value)}. It must be a decimal from 0, such as 0.25.`,
  )
}

/** The most calls a plan follows one by one. */
const callsMax = 20_000

const mustEnd = ({ turns, toolRounds }: PlanRequest): void => {
  const calls = turns * (toolRounds.length + 1)
  if (calls <= callsMax) return
  throw new OctroiError(
    'bad_number',
    `${turns} turns with ${toolRounds.length} tool rounds are ${calls} calls. A plan has at most ${callsMax}: plan fewer turns.`,
  )
}

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

const mustFit = (request: PlanRequest): void => {
  const { system, user, priming, capTokens, imagesPerTurn, toolRounds } = request
  const rounds = toolRounds.reduce((sum, { call, result }) => sum + call + result, 0)
  const shortest = system + user + priming + (imagesPerTurn?.tokens ?? 0) + rounds
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
