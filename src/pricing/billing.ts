import { compare, multiply, type Rational, rational, subtract, zero } from '../money/rational.ts'
import { type Meter, meterFacts, parseMeter } from '../usage/meter.ts'
import type { Asked, RowAttributes } from './attributes.ts'

/** What a vendor bills of a measured quantity, where that is not simply the quantity.
 * `bill` rounds it and raises it to the minimum; null where the vendor does neither.
 * `allowance` is what is free of it; null where nothing is.
 * `block` is what else each unit brings with it, by the name of the model; null where nothing is. */
export type Billing = {
  readonly bill: ((measured: Rational, asked: BilledAsked) => Rational) | null
  readonly allowance: Allowance | null
  readonly block: Block | null
}

/** What a call says of itself that the rules of billing ask about. */
export type BilledAsked = Pick<Asked, 'attributes'>

/** How much is free, of whom and how often: `5000` of a `month`. Of stored gigabytes so many are free at every
 * instant, so an allowance of `days` is that much for each day the usage spans. */
export type Allowance = {
  readonly free: Rational
  readonly each: 'month' | 'day' | 'days'
}

/** The tokens that each unit adds as input, by model. */
export type Block = { readonly meter: Meter; readonly tokens: ReadonlyMap<string, number> }

type Rule = (value: unknown, row: { readonly attributes: RowAttributes; readonly meter: Meter }) => Part

type Part = {
  readonly bill?: NonNullable<Billing['bill']>
  readonly allowance?: Allowance
  readonly block?: Block
}

/** The attributes that say how a quantity is billed. Rounding comes first, then the minimum, then what is free. */
const rules: Readonly<Record<string, Rule>> = {
  rounding: (value) => ({ bill: roundingOf(value) }),
  session_seconds: (value, row) => sessionRule(value, row.attributes['eligible_sessions']),
  eligible_sessions: (_value, row) => {
    if (typeof row.attributes['session_seconds'] !== 'number')
      throw new Error('needs session_seconds beside it')
    return {}
  },
  min_seconds: (value, { meter }) => {
    const minimum = rational(BigInt(positive(value)), secondsPerUnit(meter))
    return { bill: (measured) => (compare(measured, minimum) < 0 ? minimum : measured) }
  },
  free_with: (value) => freeWith(value),
  free_gb: (value) => ({ allowance: { free: rational(BigInt(positive(value))), each: 'days' } }),
  free_scope: (value, { attributes }) => {
    if (value !== 'account_month' || attributes['free_gb'] === undefined) {
      throw new Error('must be "account_month", beside free_gb')
    }
    return {}
  },
  free_hours_per_org_month: (value, { meter }) => {
    const free = rational(BigInt(positive(value)) * 3600n, secondsPerUnit(meter))
    return { allowance: { free, each: 'month' } }
  },
  free_queries_per_month: (value) => ({
    allowance: { free: rational(BigInt(positive(value))), each: 'month' },
  }),
  free_requests_per_day: (value) => ({ allowance: { free: rational(BigInt(positive(value))), each: 'day' } }),
  fixed_block_tokens: (value) => ({ block: { meter: 'input_text_tokens', tokens: blockOf(value) } }),
}

/** What describes how the vendor counts a meter: whoever measures the quantity has done so. */
const descriptions: ReadonlySet<string> = new Set([
  'billed',
  'billing',
  'content_tokens',
  'epochs',
  'errors_billed',
  'files_attached',
  'gb_bytes',
  'grader_tokens',
  'idle_expiry_seconds',
  'method',
  'per',
  'scope',
  'search_content_tokens',
  'unit',
])

/** The attributes by which a call says how it is billed: that its session is one of those billed by the minute; the
 * tool beside which it is free. */
export const billingAskedNames: readonly string[] = ['eligible_sessions', 'free_with']

/** Whether an attribute says how a quantity is billed or counted, and selects nothing. */
export const isBillingAttribute = (name: string): boolean =>
  Object.hasOwn(rules, name) || descriptions.has(name)

/** Reads the rules of one row; null where its quantities are billed as measured. `wrong` is given an attribute and
 * the reason why it cannot be used. */
export const billingOf = (
  attributes: RowAttributes,
  meterName: string,
  wrong: (attribute: string, read: () => Part) => Part,
): Billing | null => {
  const parts = Object.entries(rules).flatMap(([name, rule]) => {
    const value = attributes[name]
    if (value === undefined) return []
    return [wrong(name, () => rule(value, { attributes, meter: parseMeter(meterName) }))]
  })
  const steps = parts.flatMap(({ bill }) => (bill === undefined ? [] : [bill]))
  const allowance = parts.find((part) => part.allowance !== undefined)?.allowance ?? null
  const block = parts.find((part) => part.block !== undefined)?.block ?? null
  if (steps.length === 0 && allowance === null && block === null) return null
  const bill = steps.length === 0 ? null : inTurn(steps)
  return { bill, allowance, block }
}

/** The part of a quantity that is beyond an allowance, of which `earlier` was used before. What is beyond it for two
 * quantities one after the other is what is beyond it for their sum. */
export const beyond = (quantity: Rational, earlier: Rational, free: Rational): Rational => {
  const left = subtract(free, earlier)
  if (left.numerator <= 0n) return quantity
  const rest = subtract(quantity, left)
  return rest.numerator < 0n ? zero : rest
}

const inTurn =
  (steps: readonly NonNullable<Billing['bill']>[]): NonNullable<Billing['bill']> =>
  (measured, asked) =>
    steps.reduce((quantity, step) => step(quantity, asked), measured)

/** The nearest whole second; half a second counts as a whole one. The vendor does not say what a tie does: this is
 * our reading, and the dearer one. */
const roundingOf = (value: unknown): NonNullable<Billing['bill']> => {
  if (value !== 'nearest_second') throw new Error(`rounding "${String(value)}" is not known`)
  return ({ numerator, denominator }) => ({
    numerator: (numerator * 2n + denominator) / (denominator * 2n),
    denominator: 1n,
  })
}

/** A session is billed whole, whatever part of it was used; an eligible one by the minute begun, with a minimum. */
const sessionRule = (seconds: unknown, eligible: unknown): Part => {
  if (seconds === null) return { bill: wholeUnits }
  const length = BigInt(positive(seconds))
  if (eligible === undefined) return { bill: wholeUnits }
  const { billing, min_minutes: minimum } = Object(eligible) as Readonly<Record<string, unknown>>
  if (billing !== 'per_minute') throw new Error('eligible_sessions must be billed per_minute')
  const fewest = rational(BigInt(positive(minimum)))
  const minutesInSession = rational(length, 60n)
  const sessionsInMinute = rational(60n, length)
  return {
    bill: (sessions, { attributes }) => {
      if (attributes['eligible_sessions'] !== 'true') return wholeUnits(sessions)
      const minutes = wholeUnits(multiply(sessions, minutesInSession))
      return multiply(compare(minutes, fewest) < 0 ? fewest : minutes, sessionsInMinute)
    },
  }
}

const wholeUnits = ({ numerator, denominator }: Rational): Rational => ({
  numerator: (numerator + denominator - 1n) / denominator,
  denominator: 1n,
})

/** "web_search_20260209 or later": free beside a tool of that name and of that day or a later one. */
const freeWith = (value: unknown): Part => {
  if (!Array.isArray(value)) throw new Error('must be a list of tools')
  const tools = value.map((sentence: unknown) => {
    const [, tool, since] = /^([a-z_]+_)(\d{8}) or later$/.exec(String(sentence)) ?? []
    if (tool === undefined || since === undefined) {
      throw new Error(`"${String(sentence)}" is not a tool such as "web_search_20260209 or later"`)
    }
    return { tool, since }
  })
  const isFree = (named: string): boolean => {
    const [, tool, on = ''] = /^([a-z_]+_)(\d{8})$/.exec(named) ?? []
    return tools.some((free) => free.tool === tool && free.since <= on)
  }
  return {
    bill: (measured, { attributes }) => (isFree(attributes['free_with'] ?? '') ? zero : measured),
  }
}

const blockOf = (value: unknown): ReadonlyMap<string, number> => {
  if (typeof value !== 'object' || value === null) throw new Error('must give tokens for each model')
  return new Map(Object.entries(value).map(([model, tokens]) => [model, positive(tokens)]))
}

const secondsPerUnit = (meter: Meter): bigint => {
  const { unit } = meterFacts(meter)
  if (unit === 'second') return 1n
  if (unit === 'hour') return 3600n
  throw new Error(`${meter} is not counted in time`)
}

const positive = (value: unknown): number => {
  if (!Number.isSafeInteger(value) || Number(value) < 1) throw new Error('must be a whole number above 0')
  return Number(value)
}
