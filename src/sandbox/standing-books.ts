import type { Instant } from '../time.ts'
import { isOfVectorStore } from './assistants-v2/vector-books.ts'
import { type RawPriceRow, rateAt, rounded, type StandingRates, standingRates } from './books.ts'
import type { Holding } from './standing-state.ts'

/** What an assistant's storage came to until an instant. `byteMilliseconds` is exact; amounts are in 10^-12 of
 * the currency: the sum of its stays, each rounded once for its whole time, half to even. A stay is one file, from
 * when it is stored for the assistant until it no longer is: one charge. `priced` is false when no price held for a
 * part of it; `promoted` is true when a promotion held for a part. */
export type StorageCharge = {
  readonly assistant: string
  readonly byteMilliseconds: bigint
  /** Bytes and files that are stored now. */
  readonly bytes: number
  readonly files: number
  readonly picos: bigint
  readonly listPicos: bigint
  readonly priced: boolean
  readonly promoted: boolean
}

/** A gigabyte of the vendor has 2^30 bytes, as its price page says since 2024. */
const gigabyteBytes = 2n ** 30n
const dayMs = 86_400_000n

/** The meter of storage, and what one of its units is in bytes x milliseconds. */
export const storageMeter = 'retrieval_gb_day'
export const byteMillisecondsOfUnit = gigabyteBytes * dayMs

/** Prices what is stored, exactly to the millisecond: each stretch of time between changes of a price apart. What
 * an assistant has from several sources at once counts once. */
export const storageCharges = (prices: readonly RawPriceRow[]) => {
  const rates = standingRates(prices, storageMeter)
  const borders = bordersOf(rates)
  return (holdings: readonly Holding[], until: Instant): readonly StorageCharge[] =>
    [...groupedBy(holdings.filter(isOfAssistant), ({ assistant }) => assistant)].map(([assistant, own]) =>
      chargeOf(assistant, own, { rates, borders, until }),
    )
}

const isOfAssistant = (holding: Holding): boolean => !isOfVectorStore(holding)

type Basis = {
  readonly rates: StandingRates
  readonly borders: readonly Instant[]
  readonly until: Instant
}

const chargeOf = (assistant: string, holdings: readonly Holding[], basis: Basis): StorageCharge => {
  const stays = [...groupedBy(holdings, ({ file }) => file).values()]
    .flatMap((same) => merged(same, basis.until))
    .map((stay) => chargeOfStay(stay, basis))
  const now = openFiles(holdings)
  const sum = (pick: (stay: StayCharge) => bigint): bigint =>
    stays.reduce((total, stay) => total + pick(stay), 0n)
  return {
    assistant,
    byteMilliseconds: sum(({ byteMs }) => byteMs),
    bytes: [...now.values()].reduce((total, bytes) => total + bytes, 0),
    files: now.size,
    picos: sum(({ picos }) => picos),
    listPicos: sum(({ listPicos }) => listPicos),
    priced: stays.every(({ priced }) => priced),
    promoted: stays.some(({ promoted }) => promoted),
  }
}

type StayCharge = Pick<StorageCharge, 'picos' | 'listPicos' | 'priced' | 'promoted'> & {
  readonly byteMs: bigint
}

const chargeOfStay = (stay: Span, { rates, borders }: Basis): StayCharge => {
  const used = borders
    .map((from, index) => {
      const list = rateAt(rates.list, from)
      const promotion = rateAt(rates.promotions, from)
      const to = borders[index + 1] ?? Number.POSITIVE_INFINITY
      return { byteMs: within(stay, { from, to }), list, effective: promotion ?? list, promotion }
    })
    .filter(({ byteMs }) => byteMs > 0n)
  return {
    byteMs: used.reduce((sum, { byteMs }) => sum + byteMs, 0n),
    picos: amountOf(used.map(({ byteMs, effective }) => ({ byteMs, rate: effective }))),
    listPicos: amountOf(used.map(({ byteMs, list }) => ({ byteMs, rate: list }))),
    priced: used.every(({ effective }) => effective !== null),
    promoted: used.some(({ promotion }) => promotion !== null),
  }
}

/** Every instant at which a rate begins or ends, from the beginning of time on. */
const bordersOf = ({ list, promotions }: StandingRates): readonly Instant[] => {
  const all = [...list, ...promotions].flatMap(({ from, to }) => [from, to]).filter(Number.isFinite)
  return [...new Set([Number.NEGATIVE_INFINITY, ...all])].sort((a, b) => a - b)
}

type Span = { readonly bytes: number; readonly from: Instant; readonly to: Instant }

/** The times at which a file is stored at all, without overlaps, up to an instant. */
const merged = (holdings: readonly Holding[], until: Instant): readonly Span[] => {
  const spans: Span[] = []
  const sorted = holdings
    .map(({ bytes, from, to }) => ({ bytes, from, to: Math.min(to ?? until, until) }))
    .filter(({ from, to }) => from < to)
    .sort((a, b) => a.from - b.from)
  for (const span of sorted) {
    const last = spans.at(-1)
    if (last === undefined || span.from > last.to) spans.push(span)
    else spans[spans.length - 1] = { ...last, to: Math.max(last.to, span.to) }
  }
  return spans
}

const within = ({ bytes, from, to }: Span, part: { from: Instant; to: Instant }): bigint => {
  const milliseconds = Math.min(to, part.to) - Math.max(from, part.from)
  return milliseconds > 0 ? BigInt(bytes) * BigInt(milliseconds) : 0n
}

/** The sum of the parts' amounts, rounded once. */
const amountOf = (
  parts: readonly { readonly byteMs: bigint; readonly rate: ReturnType<typeof rateAt> }[],
): bigint => {
  let [numerator, denominator] = [0n, 1n]
  for (const { byteMs, rate } of parts) {
    if (rate === null) continue
    const [over, under] = [byteMs * rate.numerator, rate.denominator * byteMillisecondsOfUnit]
    numerator = numerator * under + over * denominator
    denominator *= under
  }
  return rounded(numerator, denominator)
}

const openFiles = (holdings: readonly Holding[]): ReadonlyMap<string, number> =>
  new Map(holdings.filter(({ to }) => to === null).map(({ file, bytes }) => [file, bytes]))

const groupedBy = <T>(list: readonly T[], keyOf: (item: T) => string): ReadonlyMap<string, readonly T[]> => {
  const groups = new Map<string, T[]>()
  for (const item of list) {
    const group = groups.get(keyOf(item))
    if (group === undefined) groups.set(keyOf(item), [item])
    else group.push(item)
  }
  return groups
}
