import { OctroiError } from '../../errors.ts'
import type { AccrualOwner } from '../../ledger/accrual.ts'
import { type Picos, post } from '../../money/money.ts'
import { type Rational, rational } from '../../money/rational.ts'
import type { Instant } from '../../time.ts'
import type { Usage } from '../../usage/usage.ts'

/** A line of what a vendor reports, read and normalized. Meters are disjoint. */
export type ImportLine = {
  readonly from: Instant
  readonly to: Instant
  /** As the report names it; null where it is of one provider, which the operator knows. */
  readonly provider: string | null
  readonly model: string | null
  readonly endpoint: string
  readonly tier: string | null
  /** What selects a price, besides model and tier. */
  readonly attributes: Readonly<Record<string, string>>
  readonly project: string | null
  readonly apiKey: string | null
  readonly usage: Usage
  /** In 10^-30 of the currency; negative in a credit. Null where no amount is stated. */
  readonly amount: bigint | null
  readonly currency: string
  readonly requests: number | null
  readonly lineItem: string | null
  /** False for what no call brings: a credit, a tax, a fee. All of it is posted. */
  readonly ofCalls: boolean
  /** Whose it is, where the report says it in the gateway's own words. */
  readonly owner?: LineOwner
  /** Set for a row of our own exports, which have each charge once: periods may overlap, and currencies differ. */
  readonly isOwn?: true
  /** All input tokens of one call of it, as far as they choose the price. */
  readonly contextTokens?: number
}

/** Whose a line is. */
export type LineOwner = Pick<AccrualOwner, 'organization' | 'team' | 'project' | 'environment' | 'tags'>

/** A line of which nothing is said yet. */
export const emptyLine = {
  provider: null,
  model: null,
  tier: null,
  attributes: {},
  project: null,
  apiKey: null,
  usage: {},
  amount: null,
  currency: 'USD',
  requests: null,
  lineItem: null,
  ofCalls: true,
} as const satisfies Partial<ImportLine>

/** Digits after the point of an amount as it is read. */
const amountPlaces = 30
const amountUnit = 10n ** BigInt(amountPlaces)

/** An amount as it is read, as an exact number. */
export const amountOf = (units: bigint): Rational =>
  units % coarseUnit === 0n ? rational(units / coarseUnit, coarsePerAmount) : rational(units, amountUnit)

/** Amounts seldom have more than 12 decimals, and small numbers are divided sooner. */
const coarseUnit = 10n ** 18n
const coarsePerAmount = 10n ** 12n

/** An amount as it is read, rounded as the ledger posts it. */
export const postedAmount = (units: bigint): Picos => post({ numerator: units, denominator: amountUnit })

const written = /^([+-]?)(\d{0,30})(?:\.(\d{0,40}))?(?:[eE]([+-]?\d{1,3}))?$/

/** Reads an amount as it is written, digit by digit: `12.50`, `-3`, `1.05e-5`. `shift` moves the point: -2 for cents.
 * Null for what is no such number, or needs more than 30 decimals. */
export const readAmount = (text: string, shift = 0): bigint | null => {
  const parts = written.exec(text)
  if (parts === null) return null
  const [, sign, whole = '', fraction = '', exponent = '0'] = parts
  if (whole === '' && fraction === '') return null
  const places = amountPlaces - fraction.length + Number(exponent) + shift
  if (places > 80) return null
  let units = BigInt(whole + fraction)
  if (places >= 0) units *= powersOfTen[places] ?? 10n ** BigInt(places)
  else {
    const divisor = 10n ** BigInt(-places)
    if (units % divisor !== 0n) return null
    units /= divisor
  }
  return sign === '-' ? -units : units
}

const powersOfTen = Array.from({ length: 64 }, (_, places) => 10n ** BigInt(places))

/** The error for what a report says and nobody can use, with its place: file, line, column or field. */
export const unusable = (place: string, what: string): OctroiError =>
  new OctroiError('bad_input', `${place}: ${what}`)
