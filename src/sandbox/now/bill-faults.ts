import { OctroiError } from '../../errors.ts'
import { type Check, checkFault, isObject, oneOf, required, textLike, whole } from '../fault-fields.ts'

/** Something that the bill says otherwise than it was, on purpose. The books stay right. Amounts and factors are
 * decimal texts. Several may strike one cell; they do so in the order in which they were added, those of calls before
 * those of lines.
 *
 * Of calls, as they were served:
 * - `unbilled`: the bill does not have the first `calls` (1 unless said) that match.
 * - `billed-twice`: it has them twice, requests included.
 * - `outside`: it has traffic that the sandbox never served, at `hour` (12 unless said) of `day`: `usage` is that of all
 *   its `requests` together (1 unless said), by the meters of the books, and is priced as one call.
 * - `wrong-price`: the unit price is `factor` times what it is.
 * - `wrong-tier`: priced by the rows of another tier, while usage and line items go on naming the right one; with
 *   `told` they name the other one too, and then it is the whole call.
 * - `cache-class`: what was read from a cache is reported, and billed, as input that was not.
 * - `late-day`: the last `calls` (1 unless said) of each day are in the first second of the next.
 *
 * Of lines, one a day, project, key and line item:
 * - `rounding`: each amount is rounded to so many places of the currency, half to even.
 * - `currency`: amounts are in another currency, `rate` of it for a dollar.
 * - `credit`: one line more, negative: `credit`, or `MODEL, credit`. It needs a day; without a project it is the
 *   default one's. */
export type BillFault = BillMatch &
  (
    | { readonly kind: 'unbilled' | 'billed-twice' | 'late-day' | 'cache-class'; readonly calls?: number }
    | {
        readonly kind: 'outside'
        readonly day: string
        readonly provider: 'openai' | 'anthropic'
        readonly model: string
        readonly usage: Readonly<Record<string, number>>
        readonly requests?: number
        readonly hour?: number
        readonly tier?: string
        readonly cacheLifetime?: string
        /** As `GET /sandbox/calls` names it: `chat-completions` or `messages` unless said. */
        readonly wire?: string
        /** The vendor's id of a key; none unless said. */
        readonly apiKey?: string
      }
    | { readonly kind: 'wrong-price'; readonly factor: string; readonly calls?: number }
    | { readonly kind: 'wrong-tier'; readonly tier: string; readonly told?: boolean; readonly calls?: number }
    | { readonly kind: 'rounding'; readonly places: number }
    | { readonly kind: 'currency'; readonly currency: string; readonly rate: string }
    | {
        readonly kind: 'credit'
        readonly day: string
        readonly provider: 'openai' | 'anthropic'
        readonly amount: string
      }
  )

/** Which calls, or lines, a fault is for; what is not named matches all. */
type BillMatch = {
  /** `2026-11-25`, of UTC: the day on which a call was served, or of a line. */
  readonly day?: string
  readonly provider?: 'openai' | 'anthropic' | 'google'
  /** As the reply names it. */
  readonly model?: string
  /** A meter of the books. A call matches that used it, and only that meter is priced otherwise. */
  readonly meter?: string
  /** The vendor's project or workspace. */
  readonly project?: string
}

/** The faults of a bill, in the order in which they strike. They stay until they are cleared. */
export type BillFaults = {
  /** Throws `bad_input`. */
  readonly add: (...faults: readonly BillFault[]) => void
  readonly list: () => readonly BillFault[]
  readonly clear: () => void
}

const faultsMax = 1000

export const openBillFaults = (given: readonly BillFault[]): BillFaults => {
  let standing: readonly BillFault[] = []
  const add = (...faults: readonly BillFault[]): void => {
    if (standing.length + faults.length > faultsMax) {
      throw new OctroiError('bad_input', `A bill has at most ${faultsMax} faults. Clear them first.`)
    }
    standing = [...standing, ...faults.map(parseBillFault)]
  }
  add(...given)
  return {
    add,
    list: () => standing,
    clear: () => {
      standing = []
    },
  }
}

/** Reads a fault of the bill that came as JSON. Throws `bad_input`. */
export const parseBillFault = (value: unknown): BillFault => {
  checkFault<BillFault>(value, { shared: matchFields, kinds: fieldsOf })
  return value
}

/** Whether a call or a line is one that a fault is for. A meter that is billed as another is that other. */
export const isFor = (
  fault: BillMatch,
  found: {
    readonly day: string
    readonly provider: string
    readonly model: string | null
    readonly project: string | null
    readonly meters: readonly string[]
  },
): boolean =>
  (fault.day ?? found.day) === found.day &&
  (fault.provider ?? found.provider) === found.provider &&
  (fault.model ?? found.model) === found.model &&
  (fault.project ?? found.project) === found.project &&
  (fault.meter === undefined || found.meters.map(billedMeter).includes(billedMeter(fault.meter)))

/** Bills know no reasoning: it is output. */
export const billedMeter = (meter: string): string =>
  meter === 'output_reasoning_tokens' ? 'output_text_tokens' : meter

const day = textLike(/^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/, 'a day such as 2026-11-25')
const positive = textLike(/^(?=.*[1-9])\d{1,12}(\.\d{1,12})?$/, 'a positive decimal text such as "1.25"')
const name = textLike(/^[\w.:/-]{1,128}$/, 'a name')
const many = whole(1, 1_000_000)
const usage: Check = {
  holds: (value) =>
    isObject(value) &&
    Object.keys(value).length > 0 &&
    Object.entries(value).every(
      ([meter, quantity]) => /^[a-z0-9_]{1,64}$/.test(meter) && whole(1, 2 ** 50).holds(quantity),
    ),
  means: 'an object of meters and whole quantities, such as {"input_text_tokens": 1000}',
}

const matchFields: Readonly<Record<string, Check>> = {
  day,
  provider: oneOf('openai', 'anthropic', 'google'),
  model: name,
  meter: name,
  project: name,
}

const sold = required(oneOf('openai', 'anthropic'))

const fieldsOf: Readonly<Record<BillFault['kind'], Readonly<Record<string, Check>>>> = {
  unbilled: { calls: many },
  'billed-twice': { calls: many },
  'late-day': { calls: many },
  'cache-class': { calls: many },
  outside: {
    ...{ day: required(day), provider: sold, model: required(name), usage: required(usage) },
    ...{ requests: many, hour: whole(0, 23), tier: name, cacheLifetime: name, wire: name, apiKey: name },
  },
  'wrong-price': { factor: required(positive), calls: many },
  'wrong-tier': { tier: required(name), told: oneOf(true, false), calls: many },
  rounding: { places: required(whole(0, 11)) },
  currency: { currency: required(textLike(/^[A-Z]{3}$/, 'a code such as EUR')), rate: required(positive) },
  credit: { day: required(day), provider: sold, amount: required(positive) },
}
