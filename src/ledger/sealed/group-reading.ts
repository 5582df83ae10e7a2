import type { DuckDBValue } from '@duckdb/node-api'
import { OctroiError } from '../../errors.ts'
import { rational } from '../../money/rational.ts'
import { parseFraction } from '../columns.ts'
import type { Basis } from '../entry.ts'
import { dayMs } from '../seal.ts'
import type { Duck } from './duck.ts'
import { type Grouped, groupKeys, groupSums, nameColumns } from './group-sql.ts'
import { addGroup, type Dimension, type Group, type Groups, nothing } from './grouping.ts'

/** What calls of a group came to (`meter` is null), or one meter of it. `isOther`: of all groups that are not told apart,
 * which have no names. Several may be of the same group. */
export type FactGroup = Group & { readonly meter: string | null; readonly isOther: boolean }

/** More groups than this are refused: nobody reads them, and they have no room. */
const groupsMost = 1_000_000

/** Adds the groups that a statement gives. */
export const readGroups = async (duck: Duck, sql: string, groups: Groups): Promise<void> => {
  const { by } = groups.asked
  const grouped = by.includes('meter') ? 'meters' : 'calls'
  for await (const page of readRows(duck, sql, { by, grouped, isRanked: false })) {
    for (const { meter: _, isOther: __, ...group } of page) {
      addGroup(groups, group)
      if (groups.sums.size > groupsMost) throw tooMany(by)
    }
  }
}

/** Reads what a statement gives as facts. */
export const factsOf = async (
  duck: Duck,
  sql: string,
  asked: { readonly by: readonly Dimension[]; readonly grouped: Grouped; readonly isRanked: boolean },
): Promise<readonly FactGroup[]> => {
  const facts: FactGroup[] = []
  for await (const page of readRows(duck, sql, asked)) {
    facts.push(...page)
    if (facts.length > groupsMost) throw tooMany(asked.by)
  }
  return facts
}

const tooMany = (by: readonly Dimension[]): OctroiError =>
  new OctroiError(
    'bad_input',
    `By ${by.join(', ')} there are more than ${groupsMost} groups. Ask for the largest, group by less, or ask for a shorter period.`,
  )

async function* readRows(
  duck: Duck,
  sql: string,
  asked: { readonly by: readonly Dimension[]; readonly grouped: Grouped; readonly isRanked: boolean },
): AsyncGenerator<readonly FactGroup[]> {
  const { by, grouped, isRanked } = asked
  const columns: readonly string[] = [
    ...nameColumns(by),
    ...(isRanked ? ['is_other'] : []),
    ...groupKeys[grouped],
    ...groupSums[grouped],
  ]
  for await (const page of duck.columns(`SELECT ${columns.join(', ')} FROM (${sql})`)) {
    const at = (name: string): readonly DuckDBValue[] => page[columns.indexOf(name)] ?? []
    const names = page.slice(0, by.length)
    const [currency, basis, amount, others] = [at('currency'), at('basis'), at('amount'), at('is_other')]
    const sums = grouped === 'calls' ? callSums(at) : meterSums(at)
    const groups: FactGroup[] = []
    for (let row = 0; row < amount.length; row += 1) {
      groups.push({
        ...nothing,
        names: by.map((dimension, index) => readName(dimension, names[index]?.[row])),
        currency: String(currency[row]),
        basis: String(basis[row]) as Basis,
        amount: whole(amount[row]),
        isOther: others[row] === true,
        ...sums(row),
      })
    }
    yield groups
  }
}

type Columns = (name: string) => readonly DuckDBValue[]

const callSums = (at: Columns) => {
  const [calls, unpriced] = [at('calls'), at('unpriced')]
  const [tokens, amount] = [at('resent_tokens'), at('resent_amount')]
  return (row: number) => ({
    meter: null,
    calls: whole(calls[row]),
    unpriced: whole(unpriced[row]),
    resentTokens: whole(tokens[row]),
    resentAmount: whole(amount[row]),
  })
}

/** Quantities that are not whole are grouped by what they are, so that their sum is exact. */
const meterSums = (at: Columns) => {
  const [meter, priced, fraction] = [at('meter'), at('priced'), at('fraction')]
  const [units, times] = [at('units'), at('times')]
  return (row: number) => {
    const written = fraction[row]
    return {
      meter: String(meter[row]),
      isPriced: priced[row] === true,
      quantity:
        typeof written === 'string' ? scaled(written, whole(times[row])) : rational(whole(units[row])),
    }
  }
}

const readName = (dimension: Dimension, value: DuckDBValue | undefined): string | null => {
  if (value === null || value === undefined) return null
  if (dimension === 'day') return new Date(Number(value) * dayMs).toISOString().slice(0, 10)
  if (dimension === 'hour') return new Date(Number(value) * 3_600_000).toISOString().slice(0, 13)
  return String(value)
}

const scaled = (fraction: string, times: bigint) => {
  const { numerator, denominator } = parseFraction(fraction)
  return rational(numerator * times, denominator)
}

/** Values of DuckDB are told apart by what they have: to load its classes takes time. */
const whole = (value: DuckDBValue | undefined): bigint => {
  if (typeof value === 'bigint') return value
  return typeof value === 'object' && value !== null && 'scale' in value ? value.value : 0n
}
