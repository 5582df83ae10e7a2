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
}

/** One line of the books: how much of a meter a model used, and what that costs. `amount` is a decimal text;
 * null when there is a quantity that no price held for. */
export type BookRow = {
  readonly model: string
  readonly meter: string
  readonly calls: number
  readonly quantity: number
  readonly amount: string | null
  readonly currency: string
}

/** The sum of the books. `unpriced` names what has no price: `gpt-4 input_text_tokens`. */
export type BookTotal = {
  readonly calls: number
  readonly amount: string
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
  readonly supersededOn?: string
}

/** The sandbox's own books: a fold over its calls and the raw price rows. On purpose they share no code with
 * the pricing they are compared with. */
export type Books = {
  readonly add: (call: BilledCall) => void
  readonly rows: () => readonly BookRow[]
  readonly total: () => BookTotal
}

/** Digits after the point to which each charge is rounded, half to even. */
const places = 12
const currency = 'USD'

export const openBooks = (prices: readonly RawPriceRow[]): Books => {
  const lines = new Map<string, Line>()
  const priceOf = priceFinder(prices)
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
        priced: true,
      }
      const rate = priceOf({ model: call.model ?? '', meter, at: call.at })
      lines.set(key, {
        ...line,
        calls: line.calls + 1,
        quantity: line.quantity + quantity,
        picos: line.picos + (rate === null ? 0n : charge(quantity, rate)),
        priced: line.priced && (rate !== null || quantity === 0),
      })
    }
  }
  const sorted = (): readonly Line[] =>
    [...lines].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, line]) => line)
  return {
    add,
    rows: () =>
      sorted().map(({ picos, priced, ...line }) => ({
        ...line,
        amount: priced ? decimal(picos) : null,
        currency,
      })),
    total: () => ({
      calls,
      amount: decimal(sorted().reduce((sum, line) => sum + line.picos, 0n)),
      currency,
      unpriced: sorted()
        .filter((line) => !line.priced)
        .map((line) => `${line.model} ${line.meter}`),
    }),
  }
}

type Line = {
  readonly model: string
  readonly meter: string
  readonly calls: number
  readonly quantity: number
  readonly picos: bigint
  readonly priced: boolean
}

/** A price, read: an amount of 10^-12 units is `quantity * numerator / denominator`. */
type Rate = {
  readonly from: Instant
  readonly to: Instant
  readonly numerator: bigint
  readonly denominator: bigint
}

/** Finds the one standard price of OpenAI in force at an instant, by the model's name or an alias of it.
 * Throws `overlapping_prices` and `bad_price_row` when it is made, not later. */
const priceFinder = (prices: readonly RawPriceRow[]) => {
  const rates = new Map<string, Rate[]>()
  const rows = prices.filter(
    (row) => row.provider === 'openai' && row.supersededOn === undefined && isStandard(row),
  )
  for (const row of rows) {
    const rate = rateOf(row)
    for (const name of new Set([row.model ?? '', ...(row.aliases ?? [])])) {
      const known = rates.get(`${name} ${row.meter}`) ?? []
      if (known.some(({ from, to }) => from < rate.to && rate.from < to)) {
        throw new OctroiError(
          'overlapping_prices',
          `Two price rows hold for ${name} ${row.meter} at ${formatInstant(rate.from)}.`,
        )
      }
      rates.set(`${name} ${row.meter}`, [...known, rate])
    }
  }
  return ({ model, meter, at }: { model: string; meter: string; at: Instant }): Rate | null =>
    rates.get(`${model} ${meter}`)?.find(({ from, to }) => from <= at && at < to) ?? null
}

const isStandard = (row: RawPriceRow): boolean =>
  row.attributes['tier'] === 'standard' && Object.keys(row.attributes).length === 1

const rateOf = (row: RawPriceRow): Rate => {
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

/** Rounded half to even. */
const charge = (quantity: number, { numerator, denominator }: Rate): bigint => {
  const exact = BigInt(quantity) * numerator
  const floor = exact / denominator
  const twice = (exact % denominator) * 2n
  return twice > denominator || (twice === denominator && floor % 2n === 1n) ? floor + 1n : floor
}

const decimal = (picos: bigint): string => {
  const digits = picos.toString().padStart(places + 1, '0')
  const fraction = digits.slice(-places).replace(/0+$/, '')
  return digits.slice(0, -places) + (fraction === '' ? '' : `.${fraction}`)
}
