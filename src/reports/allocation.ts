import type { AccruedRow, CallRow, ImportedRow, SpendRow } from '../ledger/reading.ts'
import type { LimitSubject } from '../limits/pattern.ts'
import type { Picos } from '../money/money.ts'
import type { Rational } from '../money/rational.ts'
import type { Instant } from '../time.ts'
import { type Meter, meterFacts } from '../usage/meter.ts'
import type { Quantity } from '../usage/usage.ts'
import { needsCalls, targetsOf } from './allocation-match.ts'
import {
  type AllocationPart,
  type CentreAllocation,
  type Matched,
  shareOut,
  type Unallocated,
} from './allocation-part.ts'
import type { AllocationRules, AllocationVersion } from './allocation-rules.ts'
import { shareOf } from './share.ts'

/** All there is in one currency: the total is what a report of spend says of the same period. */
export type AllocationTotal = {
  readonly currency: string
  readonly amount: Picos
  readonly direct: Picos
  readonly shared: Picos
  readonly unallocated: Picos
  /** Of all that was spent; null of nothing. */
  readonly allocatedShare: Rational | null
}

/** Who bears what. `parts`: the versions of the rules that held in the period, and what each came to; `centres` and
 * `unallocated`: all of them together. `unpriced`: meters that were used and have no price; the amounts leave them
 * out. */
export type AllocationReport = {
  readonly from: Instant | null
  readonly to: Instant | null
  readonly parts: readonly AllocationPart[]
  readonly centres: readonly CentreAllocation[]
  readonly unallocated: readonly Unallocated[]
  readonly totals: readonly AllocationTotal[]
  readonly unpriced: readonly Meter[]
}

/** Something that is allocated as one: whose it is, what it came to, and what was used for it. */
type Item = {
  readonly at: Instant
  readonly subject: LimitSubject
  readonly currency: string
  readonly amount: Picos
  readonly tokens: bigint
  readonly requests: number
}

/** Changes the currency of an amount at an instant; gives it as it is where there is no rate. */
export type Converting = (
  amount: Picos,
  currency: string,
  at: Instant,
) => { readonly amount: Picos; readonly currency: string }

/** Allocates what rows of the ledger come to. A period is read either as hourly sums (`addSpend`), or, where
 * `readsCalls` says that a rule asks for tags, end users or conversations, as calls, accruals and imported lines. */
export type AllocationFold = {
  readonly readsCalls: boolean
  readonly addSpend: (rows: readonly SpendRow[]) => void
  readonly addCalls: (rows: readonly CallRow[]) => void
  readonly addAccrued: (rows: readonly AccruedRow[]) => void
  readonly addImported: (rows: readonly ImportedRow[]) => void
  readonly result: () => AllocationReport
}

/** Begins an allocation. Each charge goes by the version of the rules that held in its hour. */
export const createAllocationFold = (
  rules: AllocationRules,
  asked: { readonly from: Instant | null; readonly to: Instant | null; readonly convert?: Converting },
): AllocationFold => {
  const parts = partsOf(rules, asked)
  const unpriced = new Set<Meter>()
  const convert: Converting = asked.convert ?? ((amount, currency) => ({ amount, currency }))
  const put = (item: Item): void => {
    const part = parts.findLast(({ from }) => from === null || from <= item.at)
    if (part === undefined) return
    const { currency, amount } = convert(item.amount, item.currency, item.at)
    const name = part.target(item.subject)
    const matched = part.matched.get(name) ?? { amounts: new Map(), tokens: 0n, requests: 0n }
    part.matched.set(name, matched)
    matched.amounts.set(currency, (matched.amounts.get(currency) ?? 0n) + amount)
    matched.tokens += item.tokens
    matched.requests += BigInt(item.requests)
  }
  const putCharged = (
    row: Pick<AccruedRow, 'charges' | 'unpriced' | 'currency'>,
    item: Omit<Item, 'amount' | 'tokens' | 'currency'>,
  ): void => {
    for (const { meter } of row.unpriced) unpriced.add(meter)
    const tokens = [...row.charges, ...row.unpriced].reduce((sum, use) => sum + tokensOf(use), 0n)
    // Each charge is converted by itself, as in the hourly sums.
    const amounts = row.charges.map(({ amount }) => amount)
    put({ ...item, currency: row.currency, amount: amounts[0] ?? 0n, tokens })
    for (const amount of amounts.slice(1)) {
      put({ ...item, currency: row.currency, amount, tokens: 0n, requests: 0 })
    }
  }
  return {
    readsCalls: parts.some(({ version }) => version !== null && needsCalls(version)),
    addSpend: (rows) => {
      for (const row of rows) {
        const base = { at: row.hour, subject: { ...row, ...nobody }, currency: row.currency }
        if (row.meter === null) put({ ...base, amount: 0n, tokens: 0n, requests: row.calls })
        else {
          if (!row.priced) unpriced.add(row.meter)
          put({ ...base, amount: row.amount, tokens: tokensOf(row), requests: 0 })
        }
      }
    },
    addCalls: (rows) => {
      for (const { call, settlement } of rows) {
        const subject = { ...call, model: settlement.model }
        putCharged(settlement, { at: call.at, subject, requests: 1 })
      }
    },
    addAccrued: (rows) => {
      for (const row of rows) {
        const { owner, provider, model, endpoint, conversation } = row
        const subject = { ...owner, provider, model, endpoint, conversation }
        putCharged(row, { at: row.from, subject, requests: 0 })
      }
    },
    addImported: (rows) => {
      for (const row of rows) {
        const { owner, provider, model, endpoint } = row
        const subject = { ...owner, provider, model, endpoint, conversation: null }
        putCharged(row, { at: row.from, subject, requests: row.calls })
      }
    },
    result: () => report(parts, asked, [...unpriced].sort()),
  }
}

/** What hourly sums do not tell. */
const nobody = { endUser: null, conversation: null, tags: {} } as const

const tokensOf = (use: { readonly meter: Meter; readonly quantity: Quantity }): bigint =>
  meterFacts(use.meter).unit === 'token' && typeof use.quantity === 'number' ? BigInt(use.quantity) : 0n

/** A version with what it matched; under null what nothing did. */
type OpenPart = {
  readonly version: AllocationVersion | null
  readonly from: Instant | null
  readonly to: Instant | null
  readonly target: (subject: LimitSubject) => string | null
  readonly matched: Map<string | null, Matched>
}

/** The stretches of a period in which one version holds, in their order. */
const partsOf = (
  rules: AllocationRules,
  { from, to }: { readonly from: Instant | null; readonly to: Instant | null },
): readonly OpenPart[] => {
  const begin = from ?? Number.NEGATIVE_INFINITY
  const end = to ?? Number.POSITIVE_INFINITY
  const versions = [
    { version: null, from: Number.NEGATIVE_INFINITY },
    ...rules.map((each) => ({ version: each, from: each.from })),
  ]
  return versions.flatMap(({ version, from: since }, index) => {
    const until = versions[index + 1]?.from ?? Number.POSITIVE_INFINITY
    const first = Math.max(since, begin)
    const last = Math.min(until, end)
    if (first >= last) return []
    return [
      {
        version,
        from: Number.isFinite(first) ? first : null,
        to: Number.isFinite(last) ? last : null,
        target: version === null ? () => null : targetsOf(version),
        matched: new Map(),
      },
    ]
  })
}

const report = (
  parts: readonly OpenPart[],
  { from, to }: { readonly from: Instant | null; readonly to: Instant | null },
  unpriced: readonly Meter[],
): AllocationReport => {
  const closed = parts.filter(({ version, matched }) => version !== null || matched.size > 0).map(closedPart)
  const centres = together(closed.flatMap((part) => part.centres))
  const unallocated = leftTogether(closed.flatMap((part) => part.unallocated))
  const currencies = [...new Set([...centres, ...unallocated].map(({ currency }) => currency))].sort()
  return {
    ...{ from, to, parts: closed, centres, unallocated, unpriced },
    totals: currencies.map((currency) => {
      const mine = centres.filter((centre) => centre.currency === currency)
      const rest = unallocated.find((left) => left.currency === currency)?.amount ?? 0n
      const direct = mine.reduce((sum, centre) => sum + centre.direct, 0n)
      const all = mine.reduce((sum, centre) => sum + centre.amount, 0n)
      const amount = all + rest
      return {
        ...{ currency, amount, direct, shared: all - direct, unallocated: rest },
        allocatedShare: shareOf(all, amount),
      }
    }),
  }
}

const closedPart = ({ version, from, to, matched }: OpenPart): AllocationPart => {
  const named = new Map(
    [...matched].flatMap(([name, sums]) => (name === null ? [] : [[name, sums] as const])),
  )
  const currencies = [...new Set([...matched.values()].flatMap(({ amounts }) => [...amounts.keys()]))].sort()
  const { centres, pools, left } =
    version === null ? { centres: [], pools: [], left: [] } : shareOut(version, named, currencies)
  const unmatched = matched.get(null)?.amounts
  return {
    ...{ version: version?.version ?? null, from, to, pools },
    centres: [...centres].sort(byAmount),
    unallocated: currencies.flatMap((currency) => {
      const fromPools = left
        .filter((each) => each.currency === currency)
        .map(({ pool, amount }) => ({ pool, amount }))
      const own = unmatched?.get(currency)
      if (own === undefined && fromPools.length === 0) return []
      const amount = fromPools.reduce((sum, each) => sum + each.amount, own ?? 0n)
      return [{ currency, unmatched: own ?? 0n, fromPools, amount }]
    }),
  }
}

/** What centres bear in all parts, the largest first. */
const together = (all: readonly CentreAllocation[]): readonly CentreAllocation[] =>
  [...Map.groupBy(all, ({ name, currency }) => JSON.stringify([name, currency])).values()]
    .flatMap((some) => {
      const [first] = some
      if (first === undefined) return []
      return [
        {
          ...{ name: first.name, currency: first.currency },
          direct: some.reduce((sum, { direct }) => sum + direct, 0n),
          shares: sharesTogether(some.flatMap(({ shares }) => shares)),
          amount: some.reduce((sum, { amount }) => sum + amount, 0n),
        },
      ]
    })
    .sort(byAmount)

const leftTogether = (all: readonly Unallocated[]): readonly Unallocated[] =>
  [...Map.groupBy(all, ({ currency }) => currency)]
    .map(([currency, some]) => ({
      currency,
      unmatched: some.reduce((sum, each) => sum + each.unmatched, 0n),
      fromPools: sharesTogether(some.flatMap(({ fromPools }) => fromPools)),
      amount: some.reduce((sum, each) => sum + each.amount, 0n),
    }))
    .sort((a, b) => (a.currency < b.currency ? -1 : 1))

type PoolShare = { readonly pool: string; readonly amount: Picos }

const sharesTogether = (shares: readonly PoolShare[]): readonly PoolShare[] =>
  [...Map.groupBy(shares, ({ pool }) => pool)].map(([pool, some]) => ({
    pool,
    amount: some.reduce((sum, { amount }) => sum + amount, 0n),
  }))

const byAmount = (a: CentreAllocation, b: CentreAllocation): number =>
  a.currency !== b.currency
    ? a.currency < b.currency
      ? -1
      : 1
    : a.amount !== b.amount
      ? a.amount > b.amount
        ? -1
        : 1
      : a.name < b.name
        ? -1
        : 1
