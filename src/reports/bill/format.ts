import { formatPicos, type Picos } from '../../money/money.ts'
import { formatScaled, type Rational, roundHalfEven } from '../../money/rational.ts'
import type { Instant } from '../../time.ts'
import type { BillPeriod } from '../bill.ts'
import { type Words, wordsOf } from './words.ts'

/** The languages a bill is written in. */
export const billLanguages = ['en', 'fr'] as const
export type BillLanguage = (typeof billLanguages)[number]

const locales = { en: 'en-US', fr: 'fr-FR' } as const satisfies Record<BillLanguage, string>

/** Writes amounts, counts and times in a language and a zone, exactly: an amount never becomes a float. */
export type Format = {
  readonly language: BillLanguage
  readonly words: Words
  /** To the cent; `< 0,01 $US` for what is less. */
  readonly money: (amount: Picos, currency: string) => string
  /** With its sign. */
  readonly change: (amount: Picos, currency: string) => string
  /** A round amount beside a plot, as short as it can be. */
  readonly tick: (amount: Picos, currency: string) => string
  /** To the cent, or three significant digits where it is below one. */
  readonly price: (price: Rational, currency: string) => string
  readonly count: (count: number | bigint) => string
  readonly quantity: (quantity: Rational) => string
  readonly share: (share: Rational | null) => string
  readonly changeShare: (share: Rational | null) => string
  /** `novembre 2023` of a whole month, else from the first day to the last, both included. */
  readonly period: (period: BillPeriod) => string
  readonly day: (at: Instant) => string
  readonly shortDay: (at: Instant) => string
  readonly month: (at: Instant) => string
  readonly moment: (at: Instant) => string
}

const cent = 10_000_000_000n
const million = 1_000_000n * 100n * cent

const shortest = {
  ...{ notation: 'compact', trailingZeroDisplay: 'stripIfInteger', maximumFractionDigits: 12 },
} as const satisfies Intl.NumberFormatOptions

const percentDigits = { style: 'percent', minimumFractionDigits: 1, maximumFractionDigits: 1 } as const

/** Makes the writer. `timeZone` is one of the IANA database. */
export const createFormat = (language: BillLanguage, timeZone: string): Format => {
  const locale = locales[language]
  const moneys = new Map<string, Intl.NumberFormat>()
  const moneyBy = (currency: string, options: Intl.NumberFormatOptions): Intl.NumberFormat => {
    const key = JSON.stringify([currency, options])
    const known = moneys.get(key)
    if (known !== undefined) return known
    const made = new Intl.NumberFormat(locale, { style: 'currency', currency, ...options })
    moneys.set(key, made)
    return made
  }
  const money = (amount: Picos, currency: string, options: Intl.NumberFormatOptions = {}): string => {
    const size = amount < 0n ? -amount : amount
    if (size === 0n || size >= cent / 2n) {
      return moneyBy(currency, options).format(decimal(formatPicos(amount)))
    }
    const below = `<\u00A0${moneyBy(currency, {}).format(decimal('0.01'))}`
    if (amount > 0n) return options.signDisplay === undefined ? below : `+\u00A0${below}`
    return `-\u00A0${below}`
  }
  const dates = (options: Intl.DateTimeFormatOptions): ((at: Instant) => string) => {
    const written = new Intl.DateTimeFormat(locale, { timeZone, ...options })
    return (at) => written.format(at)
  }
  const counts = new Intl.NumberFormat(locale)
  const quantities = new Intl.NumberFormat(locale, { maximumFractionDigits: 3 })
  const shares = new Intl.NumberFormat(locale, percentDigits)
  const changes = new Intl.NumberFormat(locale, { ...percentDigits, signDisplay: 'exceptZero' })
  const percent = (share: Rational | null, by: Intl.NumberFormat): string =>
    share === null ? '\u2013' : by.format(decimal(formatScaled(roundHalfEven(share, 6), 6)))
  const [day, month] = [dates({ dateStyle: 'long' }), dates({ month: 'long', year: 'numeric' })]
  const dayOfMonth = dates({ day: 'numeric' })
  const numeric = dates({
    day: 'numeric',
    month: 'numeric',
    year: 'numeric',
    hour: 'numeric',
    minute: '2-digit',
  })
  return {
    language,
    words: wordsOf[language],
    money,
    change: (amount, currency) => money(amount, currency, { signDisplay: 'exceptZero' }),
    tick: (amount, currency) =>
      moneyBy(currency, amount >= million ? shortest : { ...shortest, notation: 'standard' }).format(
        decimal(formatPicos(amount)),
      ),
    price: (price, currency) => {
      const isSmall = price.numerator * 100n < price.denominator
      const options = isSmall ? { maximumSignificantDigits: 3 } : { maximumFractionDigits: 4 }
      return moneyBy(currency, options).format(decimal(formatScaled(roundHalfEven(price, 18), 18)))
    },
    count: (count) => counts.format(count),
    quantity: ({ numerator, denominator }) =>
      denominator === 1n
        ? counts.format(numerator)
        : quantities.format(decimal(formatScaled(roundHalfEven({ numerator, denominator }, 6), 6))),
    share: (share) => percent(share, shares),
    changeShare: (share) => percent(share, changes),
    period: ({ from, to }) => {
      const isMonth = dayOfMonth(from) === '1' || dayOfMonth(from) === '1er'
      const isWhole = isMonth && month(to - 1) === month(from) && month(to) !== month(from)
      if (isWhole) return month(from)
      return day(from) === day(to - 1) ? day(from) : `${day(from)} \u2013 ${day(to - 1)}`
    },
    day,
    shortDay: dates({ day: 'numeric', month: 'short' }),
    month,
    moment: numeric,
  }
}

/** A plain decimal as Intl takes it without loss. */
const decimal = (text: string): Intl.StringNumericLiteral => text as Intl.StringNumericLiteral
