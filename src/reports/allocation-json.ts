import { formatPicos, type Picos } from '../money/money.ts'
import { formatScaled, type Rational, roundHalfEven } from '../money/rational.ts'
import { formatInstant, type Instant } from '../time.ts'
import type { AllocationReport } from './allocation.ts'
import type { AllocationPart, CentreAllocation, PoolAllocation, Unallocated } from './allocation-part.ts'
import type { Conversion } from './currency.ts'
import { conversionJson } from './currency-json.ts'
import { shareOf } from './share.ts'

/** An allocation as JSON: `octroi-report-allocation/1`. `conversion`: where it is in another currency than the ledger's. */
export const allocationJson = (report: AllocationReport, conversion: Conversion | null) => {
  const { from, to, parts, centres, unallocated, totals, unpriced } = report
  const totalOf = new Map(totals.map(({ currency, amount }) => [currency, amount]))
  const share = (each: { readonly currency: string; readonly amount: Picos }): string | null =>
    shareJson(shareOf(each.amount, totalOf.get(each.currency) ?? 0n))
  return {
    schema: 'octroi-report-allocation/1',
    ...{ from: maybeInstant(from), to: maybeInstant(to) },
    centres: centres.map((centre) => ({ ...centreJson(centre), share: share(centre) })),
    unallocated: unallocated.map((left) => ({ ...unallocatedJson(left), share: share(left) })),
    totals: totals.map(({ currency, allocatedShare, ...amounts }) => ({
      currency,
      ...moneyJson(amounts),
      allocatedShare: shareJson(allocatedShare),
    })),
    versions: parts.map(partJson),
    unpriced,
    ...(conversion !== null && { conversion: conversionJson(conversion) }),
  }
}

const partJson = ({ version, from, to, centres, pools, unallocated }: AllocationPart) => ({
  ...{ version, from: maybeInstant(from), to: maybeInstant(to) },
  centres: centres.map(centreJson),
  pools: pools.map(poolJson),
  unallocated: unallocated.map(unallocatedJson),
})

const centreJson = ({ name, currency, shares, direct, amount }: CentreAllocation) => ({
  ...{ name, currency },
  ...moneyJson({ direct, amount }),
  shares: shares.map((share) => ({ pool: share.pool, amount: formatPicos(share.amount) })),
})

const poolJson = ({ name, currency, rule, measure, own, received, given, unallocated }: PoolAllocation) => ({
  ...{ name, currency, rule, measure },
  ...moneyJson({ own, received, unallocated }),
  given: given.map(({ to, amount }) => ({ to, amount: formatPicos(amount) })),
})

const unallocatedJson = ({ currency, unmatched, fromPools, amount }: Unallocated) => ({
  currency,
  ...moneyJson({ unmatched, amount }),
  fromPools: fromPools.map((left) => ({ pool: left.pool, amount: formatPicos(left.amount) })),
})

const moneyJson = <Name extends string>(amounts: Readonly<Record<Name, Picos>>): Record<Name, string> =>
  Object.fromEntries(
    Object.entries<Picos>(amounts).map(([name, amount]) => [name, formatPicos(amount)]),
  ) as Record<Name, string>

const shareJson = (share: Rational | null): string | null =>
  share === null ? null : formatScaled(roundHalfEven(share, 6), 6)

const maybeInstant = (at: Instant | null): string | null => (at === null ? null : formatInstant(at))
