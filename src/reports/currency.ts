import { type Picos, post } from '../money/money.ts'
import { divide, multiply, type Rational, rational } from '../money/rational.ts'
import { formatInstant, type Instant } from '../time.ts'
import type { DatedRate, RateTable } from './rate-table.ts'
import type { SpendFact } from './spend-facts.ts'

/** The rate of a day: `quotes` as the table has them on `date`, which is the day itself or one before; by `factor` an
 * amount is multiplied. */
export type Rate = {
  readonly date: string
  readonly quotes: readonly { readonly currency: string; readonly rate: string }[]
  readonly factor: Rational
}

/** What the charges of one day in one currency came to, before and after. `converted` is the sum of charges of which
 * each was converted and rounded by itself. */
export type ConvertedDay = {
  readonly day: string
  readonly currency: string
  readonly amount: Picos
  readonly converted: Picos
  readonly rate: Rate
}

/** What is left in its own currency, since the table has no rate for the day that is young enough. */
export type NoRate = { readonly day: string; readonly currency: string; readonly amount: Picos }

/** What was converted: by day and currency, each with its rate, and what had no rate. */
export type Conversion = {
  readonly to: string
  readonly table: Pick<RateTable, 'id' | 'source' | 'base'>
  readonly ageDaysMax: number
  readonly days: readonly ConvertedDay[]
  readonly noRate: readonly NoRate[]
}

/** How old a rate may be where its table has none of the day itself: over weekends and holidays. */
export const rateAgeDaysMax = 7

const dayMs = 86_400_000

/** Converts charges, each by the rate of its own day (UTC), or the last one before it, and remembers what it did. An
 * amount without a rate, and one in the wanted currency, stays as it is. */
export const createConverter = (
  table: RateTable,
  { to, ageDaysMax = rateAgeDaysMax }: { readonly to: string; readonly ageDaysMax?: number },
) => {
  const days = new Map<
    string,
    { day: string; currency: string; amount: Picos; converted: Picos; rate: Rate | null }
  >()
  const dayOf = (currency: string, at: Instant) => {
    const start = Math.floor(at / dayMs) * dayMs
    const key = `${start} ${currency}`
    const known = days.get(key)
    if (known !== undefined) return known
    const rate = rateOn(table, { from: currency, to, day: start, ageDaysMax })
    const made = { day: formatInstant(start).slice(0, 10), currency, amount: 0n, converted: 0n, rate }
    days.set(key, made)
    return made
  }
  return {
    /** Converts one charge. */
    convert: (
      amount: Picos,
      currency: string,
      at: Instant,
    ): { readonly amount: Picos; readonly currency: string } => {
      if (currency === to) return { amount, currency }
      const day = dayOf(currency, at)
      day.amount += amount
      if (day.rate === null) return { amount, currency }
      const converted = post(multiply(rational(amount, picosPerUnit), day.rate.factor))
      day.converted += converted
      return { amount: converted, currency: to }
    },
    /** The currency in which an amount is afterwards. */
    currencyOf: (currency: string, at: Instant): string =>
      currency === to || dayOf(currency, at).rate === null ? currency : to,
    /** Converts a part of a charge that was counted before: it is no spend of its own. */
    convertPart: (amount: Picos, currency: string, at: Instant): Picos => {
      const rate = currency === to ? null : dayOf(currency, at).rate
      return rate === null ? amount : post(multiply(rational(amount, picosPerUnit), rate.factor))
    },
    /** What was converted so far, the earliest day first. */
    result: (): Conversion => {
      const { id, source, base } = table
      const all = [...days.values()].sort((a, b) => order(`${a.day}${a.currency}`, `${b.day}${b.currency}`))
      return {
        ...{ to, table: { id, source, base }, ageDaysMax },
        days: all.flatMap(({ rate, ...day }) => (rate === null ? [] : [{ ...day, rate }])),
        noRate: all.flatMap(({ rate, day, currency, amount }) =>
          rate === null ? [{ day, currency, amount }] : [],
        ),
      }
    },
  }
}

/** What converts charges into one currency. */
export type Converter = ReturnType<typeof createConverter>

/** Puts what a report of spend sums into another currency: its totals are then the sums of the converted rows. What
 * has no rate is left as it is. */
export const convertSpend =
  (converter: Converter) =>
  (fact: SpendFact): SpendFact => {
    const { currency, at } = fact.place
    const part = (amount: Picos): Picos => converter.convertPart(amount, currency, at)
    const place = { ...fact.place, currency: converter.currencyOf(currency, at) }
    if (fact.what === 'promoted') return { ...fact, place, promoted: part(fact.promoted) }
    if (fact.what === 'calls') return { ...fact, place, resentAmount: part(fact.resentAmount) }
    const { amount } = converter.convert(fact.amount, currency, at)
    return { ...fact, place, amount, promoted: part(fact.promoted) }
  }

const picosPerUnit = 10n ** 12n

/** The rate between two currencies on a day: of the last day up to it, and not older than allowed, on which the table
 * has all it takes. Null where there is none. */
export const rateOn = (
  { base, rates }: RateTable,
  asked: { readonly from: string; readonly to: string; readonly day: Instant; readonly ageDaysMax: number },
): Rate | null => {
  const { from, to, day, ageDaysMax } = asked
  const named = [from, to].filter((currency) => currency !== base)
  for (let until = day; day - until <= ageDaysMax * dayMs; ) {
    const quotes = named.map((currency) => ({ currency, dated: lastUntil(rates.get(currency) ?? [], until) }))
    const found = quotes.flatMap(({ currency, dated }) => (dated === null ? [] : [{ currency, dated }]))
    if (found.length < named.length) return null
    const oldest = Math.min(...found.map(({ dated }) => dated.at))
    if (day - oldest > ageDaysMax * dayMs) return null
    if (found.every(({ dated }) => dated.at === oldest)) return together(found, from)
    until = oldest
  }
  return null
}

const together = (
  found: readonly { readonly currency: string; readonly dated: DatedRate }[],
  from: string,
): Rate => ({
  date: found[0]?.dated.date ?? '',
  quotes: found.map(({ currency, dated }) => ({ currency, rate: dated.written })),
  factor: found.reduce(
    (factor, { currency, dated }) =>
      currency === from ? divide(factor, dated.rate) : multiply(factor, dated.rate),
    rational(1n),
  ),
})

/** The last rate up to a day. */
const lastUntil = (rates: readonly DatedRate[], day: Instant): DatedRate | null => {
  let [low, high] = [0, rates.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((rates[middle]?.at ?? 0) <= day) low = middle + 1
    else high = middle
  }
  return rates[low - 1] ?? null
}

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
