import type { Adjustment } from '../ledger/entry.ts'
import type { ClosedPeriod, Imported } from '../ledger/imported.ts'
import type { AccruedRow, CallRow, ImportedRow } from '../ledger/reading.ts'
import type { Picos } from '../money/money.ts'
import type { Charge } from '../pricing/price.ts'
import type { Instant } from '../time.ts'
import {
  adjustmentOf,
  type ChangedCharge,
  type Correction,
  type Kept,
  lineOf,
  type RepricedCharges,
  rerateAccrued,
  rerateCall,
  rerateImported,
} from './rerate-call.ts'
import type { RerateBooks } from './rerate-charge.ts'

/** A call or an imported line that is priced otherwise by the corrected book, and what to write. */
export type Rerated = {
  readonly id: string
  readonly at: Instant
  readonly provider: string
  readonly model: string | null
  readonly team: string | null
  readonly currency: string
  readonly before: Picos
  readonly after: Picos
  readonly changes: readonly ChangedCharge[]
} & (
  | { readonly kind: 'call'; readonly adjustment: Adjustment }
  | { readonly kind: 'imported'; readonly line: Imported }
)

/** What one model came to before and after. `calls` and `lines`: how many there are; `adjusted`: of how many calls and
 * lines something changes. `before` + `difference` = `after`, each a sum of its own. */
export type RerateGroup = {
  readonly provider: string
  readonly model: string | null
  readonly currency: string
  readonly calls: number
  readonly lines: number
  readonly adjusted: number
  readonly before: Picos
  readonly difference: Picos
  readonly after: Picos
}

/** What keeps its price, how often, and one call, accrual or line as an example. */
export type KeptGroup = Kept & {
  readonly provider: string
  readonly model: string | null
  readonly count: number
  readonly example: string
}

/** A re-rating: the report before, what changes, and the report after. Totals have one row for each currency. */
export type RerateReport = {
  readonly groups: readonly RerateGroup[]
  readonly totals: readonly Omit<RerateGroup, 'provider' | 'model'>[]
  readonly kept: readonly KeptGroup[]
}

/** Prices a period anew by a corrected book, page by page; keeps sums by model alone. Each `add` gives what would be
 * written for its page. A vendor-stated price stays. `provider`, `model`: only of these. */
export const createRerateFold = (
  books: RerateBooks,
  asked: {
    readonly correction: Correction
    /** Periods that are closed: imported lines in them stay. */
    readonly closed?: readonly ClosedPeriod[]
    readonly provider: string | null
    readonly model: string | null
  },
) => {
  const groups = new Map<string, { -readonly [Name in keyof RerateGroup]: RerateGroup[Name] }>()
  const kept = new Map<string, KeptGroup>()
  const isAsked = (of: Of): boolean =>
    (asked.provider === null || asked.provider === of.provider) &&
    (asked.model === null || asked.model === of.model)
  const inClosed = (row: ImportedRow): boolean =>
    (asked.closed ?? []).some(
      ({ provider, from, to }) =>
        from < row.to && row.from < to && (provider === null || provider === row.provider),
    )
  const groupOf = ({ provider, model, currency }: Of) => {
    const key = JSON.stringify([provider, model, currency])
    const empty = { calls: 0, lines: 0, adjusted: 0, before: 0n, difference: 0n, after: 0n }
    const group = groups.get(key) ?? { provider, model, currency, ...empty }
    groups.set(key, group)
    return group
  }
  const keep = ({ provider, model }: Of, example: string, all: readonly Kept[]): void => {
    for (const { meter, why } of all) {
      const key = JSON.stringify([provider, model, meter, why])
      const count = (kept.get(key)?.count ?? 0) + 1
      kept.set(key, { provider, model, meter, why, count, example: kept.get(key)?.example ?? example })
    }
  }
  const count = (of: Of, { before, after, changes }: Pick<Rerated, 'before' | 'after' | 'changes'>) => {
    const group = groupOf(of)
    group.before += before
    group.after += after
    group.difference += changes.reduce(
      (sum, { was, now }) => sum + (now?.amount ?? 0n) - (was?.amount ?? 0n),
      0n,
    )
    if (changes.length > 0) group.adjusted += 1
    return group
  }
  return {
    addCalls: (rows: readonly CallRow[]): readonly Rerated[] =>
      rows.flatMap((row): readonly Rerated[] => {
        const { call, settlement } = row
        const of = { provider: call.provider, model: settlement.model, currency: settlement.currency }
        if (!isAsked(of)) return []
        const result = rerateCall(row, books)
        keep(of, call.id, result.kept)
        count(of, result).calls += 1
        if (result.changes.length === 0) return []
        const { before, after, changes } = result
        const { id, at, team } = call
        const adjustment = adjustmentOf(row, result, asked.correction)
        return [{ kind: 'call', id, at, team, ...of, before, after, changes, adjustment }]
      }),
    addImported: (rows: readonly ImportedRow[]): readonly Rerated[] =>
      rows.flatMap((row): readonly Rerated[] => {
        if (!isAsked(row)) return []
        const result = inClosed(row) ? leftClosed(rerateImported(row, books)) : rerateImported(row, books)
        keep(row, row.lineId, result.kept)
        count(row, result).lines += 1
        if (result.changes.length === 0) return []
        const { before, after, changes } = result
        const { lineId: id, from: at, provider, model, currency, owner } = row
        const line = lineOf(row, result, asked.correction)
        const of = { provider, model, currency, team: owner.team }
        return [{ kind: 'imported', id, at, ...of, before, after, changes, line }]
      }),
    addAccrued: (rows: readonly AccruedRow[]): void => {
      for (const row of rows) {
        if (!isAsked(row)) continue
        keep(row, row.accrualId, rerateAccrued(row, books))
        const amount = sumOf(row.charges)
        count(row, { before: amount, after: amount, changes: [] })
      }
    },
    result: (): RerateReport => {
      const all = [...groups.values()].sort(byChange)
      return { groups: all, totals: totalsOf(all), kept: [...kept.values()] }
    },
  }
}

/** What would change stays, and is named. */
const leftClosed = (result: RepricedCharges): RepricedCharges => ({
  ...result,
  after: result.before,
  changes: [],
  kept: [...result.kept, ...result.changes.map(({ meter }) => ({ meter, why: 'closed' as const }))],
})

type Of = { readonly provider: string; readonly model: string | null; readonly currency: string }

const totalsOf = (groups: readonly RerateGroup[]): RerateReport['totals'] =>
  [...Map.groupBy(groups, ({ currency }) => currency)].map(([currency, some]) => ({
    currency,
    calls: some.reduce((sum, group) => sum + group.calls, 0),
    lines: some.reduce((sum, group) => sum + group.lines, 0),
    adjusted: some.reduce((sum, group) => sum + group.adjusted, 0),
    before: some.reduce((sum, group) => sum + group.before, 0n),
    difference: some.reduce((sum, group) => sum + group.difference, 0n),
    after: some.reduce((sum, group) => sum + group.after, 0n),
  }))

/** The largest change first, then by name. */
const byChange = (a: RerateGroup, b: RerateGroup): number => {
  const size = (amount: bigint): bigint => (amount < 0n ? -amount : amount)
  const [one, other] = [size(a.difference), size(b.difference)]
  if (one !== other) return one > other ? -1 : 1
  return `${a.provider} ${a.model}` < `${b.provider} ${b.model}` ? -1 : 1
}

const sumOf = (charges: readonly Charge[]): Picos => charges.reduce((sum, { amount }) => sum + amount, 0n)
