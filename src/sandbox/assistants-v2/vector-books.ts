import type { Instant } from '../../time.ts'
import { decimal, type Rate, type RawPriceRow, rateOf, rounded } from '../books.ts'
import type { Holding } from '../standing-state.ts'

/** What the account's vector stores came to until an instant, above what it has free at each instant.
 * `byteMilliseconds` is exact and counts only what is billed; `picos` (10^-12 USD) is rounded once for the account,
 * half to even. `priced` is false when no price held for a part. */
export type VectorCharge = {
  readonly byteMilliseconds: bigint
  /** Bytes that are stored now, free ones included, and in how many stores. */
  readonly bytes: number
  readonly stores: number
  readonly picos: bigint
  readonly priced: boolean
}

/** The meter of vector stores. */
export const vectorMeter = 'file_search_gb_day'

/** Whether a holding is that of a vector store, and not of an assistant of v1. */
export const isOfVectorStore = ({ assistant }: Holding): boolean => assistant.startsWith('vs_')

/** Prices the vector stores of an account, exactly to the millisecond. The price row says how many gigabytes are free
 * and how many bytes one has; a file in two stores counts twice. */
export const vectorCharge = (prices: readonly RawPriceRow[]) => {
  const tariffs = prices.filter(isTariff).map(tariffOf)
  return (all: readonly Holding[], until: Instant): VectorCharge => {
    const holdings = all.filter(isOfVectorStore)
    const steps = stepsOf(holdings, tariffs, until)
    let [bytes, byteMilliseconds, amount, priced] = [0n, 0n, zero, true]
    for (const [index, { at, by }] of steps.entries()) {
      bytes += by
      const lasts = BigInt((steps[index + 1]?.at ?? until) - at)
      if (bytes === 0n || lasts === 0n) continue
      const tariff = tariffs.find(({ rate }) => rate.from <= at && at < rate.to)
      if (tariff === undefined) {
        priced = false
        byteMilliseconds += bytes * lasts
        continue
      }
      const billed = (bytes > tariff.freeBytes ? bytes - tariff.freeBytes : 0n) * lasts
      byteMilliseconds += billed
      amount = plus(amount, {
        numerator: billed * tariff.rate.numerator,
        denominator: tariff.rate.denominator * tariff.gigabyteBytes * dayMs,
      })
    }
    const open = holdings.filter(({ to }) => to === null)
    return {
      byteMilliseconds,
      bytes: open.reduce((sum, holding) => sum + holding.bytes, 0),
      stores: new Set(open.map(({ assistant }) => assistant)).size,
      picos: rounded(amount.numerator, amount.denominator),
      priced,
    }
  }
}

/** A quantity of the meter: gigabytes of the vendor, of 2^30 bytes, by days. */
const gigabyteDaysOf = (byteMilliseconds: bigint): number =>
  Number(byteMilliseconds) / Number(2n ** 30n * dayMs)

/** A charge as the books' line of it, if anything was billed. */
export const vectorRow = ({ byteMilliseconds, picos, priced }: VectorCharge) =>
  byteMilliseconds === 0n
    ? null
    : {
        model: '',
        meter: vectorMeter,
        calls: 0,
        quantity: gigabyteDaysOf(byteMilliseconds),
        byteMilliseconds: byteMilliseconds.toString(),
        amount: priced ? decimal(picos) : null,
        currency: 'USD',
      }

const dayMs = 86_400_000n

type Tariff = { readonly rate: Rate; readonly freeBytes: bigint; readonly gigabyteBytes: bigint }

const isTariff = (row: RawPriceRow): boolean =>
  row.provider === 'openai' &&
  row.meter === vectorMeter &&
  row.supersededOn === undefined &&
  row.attributes['api'] === 'vector_stores'

const tariffOf = (row: RawPriceRow): Tariff => {
  const gigabyteBytes = BigInt(Number(row.attributes['gb_bytes'] ?? 2 ** 30))
  const free = Number(row.attributes['free_gb'] ?? 0)
  return { rate: rateOf(row), freeBytes: BigInt(free) * gigabyteBytes, gigabyteBytes }
}

/** Every instant before `until` at which what is stored or its price changes, in order, and by how many bytes. */
const stepsOf = (
  holdings: readonly Holding[],
  tariffs: readonly Tariff[],
  until: Instant,
): readonly { readonly at: Instant; readonly by: bigint }[] =>
  [
    ...holdings.flatMap(({ bytes, from, to }) => [
      { at: Math.min(from, until), by: BigInt(bytes) },
      { at: Math.min(to ?? until, until), by: -BigInt(bytes) },
    ]),
    ...tariffs
      .flatMap(({ rate }) => [rate.from, rate.to])
      .filter((at) => at < until)
      .map((at) => ({ at, by: 0n })),
  ].sort((a, b) => a.at - b.at)

type Fraction = { readonly numerator: bigint; readonly denominator: bigint }
const zero: Fraction = { numerator: 0n, denominator: 1n }

const plus = (a: Fraction, b: Fraction): Fraction =>
  a.denominator === b.denominator
    ? { numerator: a.numerator + b.numerator, denominator: a.denominator }
    : {
        numerator: a.numerator * b.denominator + b.numerator * a.denominator,
        denominator: a.denominator * b.denominator,
      }
