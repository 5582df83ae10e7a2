import { OctroiError } from '../errors.ts'
import { formatInstant, type Instant, parseInstant } from '../time.ts'

/** What the vendor bills of a call: exact counts of its meters, by the meter's name. */
export type BilledUsage = Readonly<Record<string, number>>

/** One billed call, as the vendor knows it. */
export type BilledCall = {
  readonly number: number
  readonly at: Instant
  readonly wire: string
  /** The id the reply names: of the completion, or of the run. */
  readonly id: string
  /** The `x-request-id` of the reply that carried it; null for a run, which no reply carries. */
  readonly requestId: string | null
  /** As the reply names it; null for what belongs to no model. */
  readonly model: string | null
  /** The `user` field of the request. */
  readonly user: string | null
  readonly usage: BilledUsage
  /** What else selects its price, in the words of the price rows: size, quality. */
  readonly attributes?: Readonly<Record<string, string>>
  /** The vendor; OpenAI unless said. */
  readonly provider?: string
  /** Tokens of the prompt, cached and written ones included, where they decide which card the call is priced by. */
  readonly promptTokens?: number
  /** The vendor's id of the project or workspace, and of the key: only where the sandbox tells callers apart. */
  readonly project?: string | null
  readonly apiKey?: string | null
}

/** One line of the books: how much of a meter a model used, and what that costs. `amount` is a decimal text;
 * null when there is a quantity that no price held for. `listAmount` is what it would cost without promotions:
 * only there when one was in force. `byteMilliseconds` is the exact measure of what was stored, whose
 * `quantity` is in gigabyte-days. */
export type BookRow = {
  /** The vendor, and what else selected the prices: only where the books tell vendors apart. */
  readonly provider?: string
  readonly attributes?: Readonly<Record<string, string>>
  readonly model: string
  readonly meter: string
  readonly calls: number
  readonly quantity: number
  readonly amount: string | null
  readonly listAmount?: string | null
  readonly byteMilliseconds?: string
  readonly currency: string
}

/** The sum of the books. `unpriced` names what has no price: `gpt-4 input_text_tokens`. */
export type BookTotal = {
  readonly calls: number
  readonly amount: string
  readonly listAmount?: string
  readonly currency: string
  readonly unpriced: readonly string[]
}

/** A row of `prices/*.json` as far as the books read it. */
export type RawPriceRow = {
  readonly provider: string
  readonly model: string | null
  readonly aliases?: readonly string[]
  readonly meter: string
  readonly attributes: Readonly<Record<string, unknown>>
  readonly unitPrice: string
  readonly per: number
  readonly currency: string
  readonly effectiveFrom: string
  readonly effectiveTo: string | null
  readonly knownSince?: string
  readonly supersededOn?: string
}

/** The sandbox's own books: a fold over its calls and the raw price rows. On purpose they share no code with
 * the pricing they are compared with. */
export type Books = {
  readonly add: (call: BilledCall) => void
  readonly rows: () => readonly BookRow[]
  readonly total: () => BookTotal
  /** Empty books with the same prices, for a part of the calls. */
  readonly fresh: () => Books
}

/** Digits after the point to which each charge is rounded, half to even. */
const places = 12
const currency = 'USD'

/** Opens empty books of OpenAI's standard prices. Throws as `priceFinder` does. */
export const openBooks = (prices: readonly RawPriceRow[]): Books =>
  booksWith(priceFinder(prices), standingRates(prices, sessionMeter))

const booksWith = (priceOf: ReturnType<typeof priceFinder>, sessions: StandingRates): Books => {
  const lines = new Map<string, Line>()
  let calls = 0
  const add = (call: BilledCall): void => {
    calls += 1
    for (const [meter, quantity] of Object.entries(call.usage)) {
      const key = `${call.model} ${meter}`
      const line = lines.get(key) ?? {
        model: call.model ?? '',
        meter,
        calls: 0,
        quantity: 0,
        picos: 0n,
        listPicos: 0n,
        priced: true,
        promoted: false,
      }
      const asked = { model: call.model ?? '', meter, at: call.at, attributes: call.attributes ?? {} }
      const list = meter === sessionMeter ? rateAt(sessions.list, call.at) : priceOf(asked)
      const promotion = meter === sessionMeter ? rateAt(sessions.promotions, call.at) : null
      const rate = promotion ?? list
      lines.set(key, {
        ...line,
        calls: line.calls + 1,
        quantity: line.quantity + quantity,
        picos: line.picos + (rate === null ? 0n : charge(quantity, rate)),
        listPicos: line.listPicos + (list === null ? 0n : charge(quantity, list)),
        priced: line.priced && (rate !== null || quantity === 0),
        promoted: line.promoted || promotion !== null,
      })
    }
  }
  const sorted = (): readonly Line[] =>
    [...lines].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, line]) => line)
  return {
    add,
    rows: () =>
      sorted().map(({ picos, listPicos, priced, promoted, ...line }) => ({
        ...line,
        amount: priced ? decimal(picos) : null,
        ...(promoted && { listAmount: priced ? decimal(listPicos) : null }),
        currency,
      })),
    total: () => ({
      calls,
      amount: decimal(sorted().reduce((sum, line) => sum + line.picos, 0n)),
      ...(sorted().some(({ promoted }) => promoted) && {
        listAmount: decimal(sorted().reduce((sum, line) => sum + line.listPicos, 0n)),
      }),
      currency,
      unpriced: sorted()
        .filter((line) => !line.priced)
        .map((line) => `${line.model} ${line.meter}`),
    }),
    fresh: () => booksWith(priceOf, sessions),
  }
}

type Line = {
  readonly model: string
  readonly meter: string
  readonly calls: number
  readonly quantity: number
  readonly picos: bigint
  readonly listPicos: bigint
  readonly priced: boolean
  readonly promoted: boolean
}

/** A price, read: an amount of 10^-12 units is `quantity * numerator / denominator`. */
export type Rate = {
  readonly from: Instant
  readonly to: Instant
  readonly numerator: bigint
  readonly denominator: bigint
}

/** Finds the one standard price of OpenAI in force at an instant, by the model's name or an alias of it and by
 * the attributes that select it. Throws `overlapping_prices` and `bad_price_row` when it is made, not later. */
const priceFinder = (prices: readonly RawPriceRow[]) => {
  const rates = new Map<string, Rate[]>()
  const rows = prices.filter(
    (row) => row.provider === 'openai' && row.supersededOn === undefined && isStandard(row),
  )
  for (const row of rows) {
    const rate = rateOf(row)
    for (const name of new Set([row.model ?? '', ...(row.aliases ?? [])])) {
      const key = keyOf(name, row.meter, row.attributes)
      const known = rates.get(key) ?? []
      if (known.some(({ from, to }) => from < rate.to && rate.from < to)) {
        throw new OctroiError(
          'overlapping_prices',
          `Two price rows hold for ${name} ${row.meter} at ${formatInstant(rate.from)}.`,
        )
      }
      rates.set(key, [...known, rate])
    }
  }
  return ({ model, meter, at, attributes }: Asked): Rate | null => {
    const found =
      rates.get(keyOf(model, meter, attributes)) ?? rates.get(keyOf(tunedName(model), meter, attributes))
    return found?.find(({ from, to }) => from <= at && at < to) ?? null
  }
}

/** `ft:base:organization:suffix:id` is priced as `ft:base`. */
const tunedName = (model: string): string => model.split(':', 2).join(':')

const sessionMeter = 'code_interpreter_session'

/** The list prices of something that Assistants bill beside tokens, and the promotions that lay over them. Of
 * promotions that overlap, the one that became known last stands first: it holds. */
export type StandingRates = { readonly list: readonly Rate[]; readonly promotions: readonly Rate[] }

/** Reads the rates of a meter of Assistants. Throws as `openBooks` does. */
export const standingRates = (prices: readonly RawPriceRow[], meter: string): StandingRates => {
  const rows = prices.filter(
    (row) =>
      row.provider === 'openai' &&
      row.model === null &&
      row.meter === meter &&
      row.supersededOn === undefined &&
      ['assistants', 'assistants_v1'].includes(String(row.attributes['api'])),
  )
  const list = rows.filter(({ attributes }) => !('promotion' in attributes)).map(rateOf)
  for (const [index, rate] of list.entries()) {
    if (list.slice(index + 1).some(({ from, to }) => from < rate.to && rate.from < to)) {
      throw new OctroiError(
        'overlapping_prices',
        `Two price rows hold for ${meter} at ${formatInstant(rate.from)}.`,
      )
    }
  }
  const promotions = rows
    .filter(({ attributes }) => 'promotion' in attributes)
    .sort((a, b) => ((a.knownSince ?? '') < (b.knownSince ?? '') ? 1 : -1))
    .map(rateOf)
  return { list, promotions }
}

/** The first rate in force at an instant. */
export const rateAt = (rates: readonly Rate[], at: Instant): Rate | null =>
  rates.find(({ from, to }) => from <= at && at < to) ?? null

type Asked = {
  readonly model: string
  readonly meter: string
  readonly at: Instant
  readonly attributes: Readonly<Record<string, unknown>>
}

/** Attributes that select a price of a call. */
const selecting = ['size', 'quality']

const keyOf = (model: string, meter: string, attributes: Asked['attributes']): string =>
  [model, meter, ...selecting.map((name) => attributes[name] ?? '')].join(' ')

/** No other tier, and nothing else that would make it the price of something other than a plain call. Sounds are
 * billed in seconds that are rounded already, training in tokens times epochs. */
const isStandard = ({ attributes }: RawPriceRow): boolean =>
  (attributes['tier'] ?? 'standard') === 'standard' &&
  (attributes['rounding'] ?? 'nearest_second') === 'nearest_second' &&
  Object.keys(attributes).every((name) => ['tier', 'rounding', 'epochs', ...selecting].includes(name))

/** Reads the price of a row. Throws `bad_price_row`. */
export const rateOf = (row: RawPriceRow): Rate => {
  const parts = /^(\d+)(?:\.(\d+))?$/.exec(row.unitPrice)
  if (parts === null || row.currency !== currency || !Number.isSafeInteger(row.per) || row.per < 1) {
    throw new OctroiError('bad_price_row', `The price row of ${row.model} ${row.meter} cannot be read.`)
  }
  const [, whole = '0', fraction = ''] = parts
  return {
    from: parseInstant(row.effectiveFrom),
    to: row.effectiveTo === null ? Number.POSITIVE_INFINITY : parseInstant(row.effectiveTo),
    numerator: BigInt(whole + fraction) * 10n ** BigInt(places),
    denominator: BigInt(row.per) * 10n ** BigInt(fraction.length),
  }
}

/** What a quantity costs, in 10^-12 units of the currency, rounded half to even. */
export const charge = (quantity: number, { numerator, denominator }: Rate): bigint =>
  rounded(BigInt(quantity) * numerator, denominator)

/** The whole number nearest to a fraction that is not negative, a half to the even one. */
export const rounded = (numerator: bigint, denominator: bigint): bigint => {
  const floor = numerator / denominator
  const twice = (numerator % denominator) * 2n
  return twice > denominator || (twice === denominator && floor % 2n === 1n) ? floor + 1n : floor
}

/** An amount of 10^-12 units as a decimal text. */
export const decimal = (picos: bigint): string => {
  const digits = picos.toString().padStart(places + 1, '0')
  const fraction = digits.slice(-places).replace(/0+$/, '')
  return digits.slice(0, -places) + (fraction === '' ? '' : `.${fraction}`)
}
