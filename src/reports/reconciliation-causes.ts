import type { Picos } from '../money/money.ts'
import { add, format, type Rational, subtract, zero } from '../money/rational.ts'
import { type Meter, meterFacts } from '../usage/meter.ts'
import type { CellGroup, ReconciliationCell } from './reconciliation-cell.ts'
import type { GroupEvidence } from './reconciliation-evidence.ts'
import { type Cause, signed } from './reconciliation-money.ts'

/** Why the quantities of a group differ. `anyTier`: the money may follow at any row of the book. `beside`: the group
 * of the day that has what this one lacks, or lacks what this one has. */
export type QuantityCause = Cause & {
  readonly anyTier: boolean
  readonly beside: CellGroup | null
}

/** How much more the vendor has in a cell than the ledger: by the bill, or where that does not say by the usage
 * report. Null where neither says. */
export const differenceOf = ({ vendor, ledger }: ReconciliationCell): Rational | null => {
  const quantity = vendor.billed ?? vendor.used
  return quantity === null ? null : subtract(quantity, ledger.quantity)
}

/** What a group has more or less at the vendor, by meter; nothing where it agrees or is not said. */
export const differencesOf = ({ cells }: CellGroup): ReadonlyMap<Meter, Rational> =>
  new Map(
    cells.flatMap((cell) => {
      const difference = differenceOf(cell)
      return cell.meter === null || difference === null || difference.numerator === 0n
        ? []
        : [[cell.meter, difference] as const]
    }),
  )

/** The one cause why the quantities of a group differ. Null where there is none, or where several are as likely.
 * Differences are of all meters of the group at once, as a call has them.
 *
 * `timing`: the day before or after differs by exactly the opposite, in every meter and in requests.
 * `cache`: requests agree (or are not reported), only input tokens differ, a cache class among them, and their sum is 0.
 * `missing`: there is more, by a number of requests for which the ledger has calls of that model and day of which it
 *   does not know what they used: open, expired, or (in exactly that number) released without an answer; and their
 *   holds cover the money. Or requests agree, and every difference is in a meter of calls that are estimated.
 * `billed_twice`: there is more, by one request (or by none, where the usage report agrees with the ledger and only the
 *   bill does not; or none is reported), and in every meter exactly what one call of the group used. Or all there is,
 *   once more.
 * `outside`: there is more, by a number of requests, and nothing of the above; or the ledger has nothing of that model
 *   and day at all. */
export const causeOfQuantity = (
  group: CellGroup,
  asked: {
    readonly evidence: GroupEvidence
    readonly neighbours: readonly CellGroup[]
    /** The gap of the cells that differ, where it is in one currency. */
    readonly money: Picos | null
  },
): QuantityCause | null => {
  const differences = differencesOf(group)
  const { vendor, ledger } = group.requests
  const requests = vendor === null ? null : vendor - ledger
  return (
    timing(group, asked.neighbours) ??
    cache(differences, requests) ??
    estimated(group, requests) ??
    ([...differences.values()].every(({ numerator }) => numerator > 0n)
      ? (missing(requests, asked) ??
        billedTwice(group, requests, asked.evidence) ??
        outside(group, requests, asked))
      : null)
  )
}

const plain = { anyTier: false, beside: null } as const

const timing = (group: CellGroup, neighbours: readonly CellGroup[]): QuantityCause | null => {
  const beside = neighbours.find((each) => isOpposite(group, each))
  if (beside === undefined) return null
  const when = beside.day > group.day ? 'after' : 'before'
  const isShort = [...differencesOf(group).values()].some(({ numerator }) => numerator < 0n)
  const verb = isShort ? 'has too much what this one lacks' : 'lacks what this one has too much'
  return { kind: 'timing', because: `the day ${when} ${verb}, to the unit`, ...plain, beside }
}

const isOpposite = (group: CellGroup, other: CellGroup): boolean => {
  const [ours, theirs] = [differencesOf(group), differencesOf(other)]
  if (ours.size === 0 || ours.size !== theirs.size) return false
  if (![...ours].every(([meter, each]) => add(each, theirs.get(meter) ?? zero).numerator === 0n)) return false
  const [a, b] = [group.requests, other.requests]
  return a.vendor === null || b.vendor === null || a.vendor - a.ledger + b.vendor - b.ledger === 0
}

const cache = (differences: ReadonlyMap<Meter, Rational>, requests: number | null): QuantityCause | null => {
  const meters = [...differences.keys()]
  if ((requests ?? 0) !== 0 || !meters.every(isInputToken)) return null
  if (!meters.some((meter) => meterFacts(meter).cache !== 'none')) return null
  const sum = [...differences.values()].reduce(add, zero)
  if (sum.numerator !== 0n) return null
  const parts = [...differences].map(([meter, difference]) => `${signed(difference)} ${meter}`)
  return { kind: 'cache', because: `all input agrees; ${parts.join(', ')}`, ...plain }
}

const isInputToken = (meter: Meter): boolean => {
  const { direction, unit } = meterFacts(meter)
  return direction === 'input' && unit === 'token'
}

/** The truth of an estimate: the vendor knows what calls used of which the gateway saw no report. */
const estimated = (group: CellGroup, requests: number | null): QuantityCause | null => {
  const differing = group.cells.filter((cell) => (differenceOf(cell) ?? zero).numerator !== 0n)
  if (requests !== 0 || group.estimatedCalls === 0 || isReportedAlike(group)) return null
  const isTheirs = differing.every((cell) => {
    const most = cell.ledger.estimated
    return most.numerator > 0n && add(most, differenceOf(cell) ?? zero).numerator >= 0n
  })
  if (!isTheirs) return null
  const calls = group.estimatedCalls === 1 ? 'one call is' : `${group.estimatedCalls} calls are`
  return { kind: 'missing', because: `requests agree; ${calls} estimated in the ledger`, ...plain }
}

const missing = (
  requests: number | null,
  { evidence: { unended }, money }: Parameters<typeof causeOfQuantity>[1],
): QuantityCause | null => {
  const unknown = unended.filter(({ how }) => how !== 'released')
  const released = unended.filter(({ how }) => how === 'released')
  const some = unknown.length > 0 ? unknown : released
  const most = some.reduce<Picos | null>(
    (sum, each) => (sum === null || each.most === null ? null : sum + each.most),
    0n,
  )
  const isNumber =
    some === unknown
      ? requests === null || (requests >= 1 && requests <= some.length)
      : requests === some.length
  if (some.length === 0 || !isNumber || (most !== null && money !== null && money > most)) return null
  const ids = some.slice(0, idsMax).map(({ id, how }) => `${id} (${how})`)
  return {
    ...{ kind: 'missing', anyTier: true, beside: null },
    because: `${countOf(requests)} more; the ledger does not know what these used: ${listed(ids, some.length)}`,
  }
}

const billedTwice = (
  group: CellGroup,
  requests: number | null,
  { twins, twinCount, unended }: GroupEvidence,
): QuantityCause | null => {
  if (unended.some(({ how }) => how !== 'released')) return null
  const isBillOnly = requests === 0 && isReportedAlike(group)
  const isOnce = isBillOnly || requests === null
  if (twinCount > 0 && (isOnce || requests === 1)) {
    return {
      ...{ kind: 'billed_twice', ...plain },
      because: `${countOf(requests)} more, exactly what a call used: ${listed(twins, twinCount)}`,
    }
  }
  const isWhole = group.cells.every((cell) => {
    const difference = differenceOf(cell)
    return difference === null || subtract(difference, cell.ledger.quantity).numerator === 0n
  })
  const { ledger } = group.requests
  if (!isWhole || ledger === 0 || !(isOnce || requests === ledger)) return null
  return { kind: 'billed_twice', because: 'all calls of the day, once more', ...plain }
}

const outside = (
  group: CellGroup,
  requests: number | null,
  { evidence: { unended } }: Parameters<typeof causeOfQuantity>[1],
): QuantityCause | null => {
  if (unended.some(({ how }) => how !== 'released')) return null
  const outsideOf = { kind: 'outside', anyTier: true, beside: null } as const
  if (isUnseen(group)) return { ...outsideOf, because: 'the ledger has no call of that model and day' }
  if (requests === null || requests < 1) return null
  return { ...outsideOf, because: `${countOf(requests)} more, of which the ledger has no trace` }
}

/** Whether the ledger has nothing at all of a group. */
export const isUnseen = ({ requests, cells }: CellGroup): boolean =>
  requests.ledger === 0 && cells.every(({ ledger }) => ledger.charges === 0)

/** Whether the vendor's usage report has what the ledger has: then only its bill differs. */
const isReportedAlike = ({ cells }: CellGroup): boolean => {
  const reported = cells.filter(({ vendor }) => vendor.used !== null)
  return (
    reported.length > 0 &&
    reported.every(({ vendor, ledger }) => subtract(vendor.used ?? zero, ledger.quantity).numerator === 0n)
  )
}

const idsMax = 3

const listed = (ids: readonly string[], count: number): string => {
  const shown = ids.slice(0, idsMax)
  return `${shown.join(', ')}${count > shown.length ? ` and ${count - shown.length} others` : ''}`
}

const countOf = (requests: number | null): string =>
  requests === null ? 'quantities' : requests === 1 ? '1 request' : `${requests} requests`

/** What a group differs by, as one text: to look for a call that used exactly this. */
export const signatureOf = (used: ReadonlyMap<Meter, Rational>): string =>
  [...used]
    .filter(([, quantity]) => quantity.numerator !== 0n)
    .map(([meter, quantity]) => `${meter} ${format(quantity)}`)
    .sort()
    .join(', ')
