import { hash } from 'node:crypto'
import type { DuckDBValue } from '@duckdb/node-api'
import type { SealedSums, SumsPart } from '../sealed-sums.ts'
import { columnsOf } from './day-hashes.ts'
import { type Duck, quoted } from './duck.ts'
import { partColumns, sumColumns } from './sums-sql.ts'

/** Sums are compared with a plain fold of what they sum, row by row. A fold is one number: what each row says, times a
 * number that only its key has (64 bits of a SHA-256), and all of that added up. Rows and their sums come to the same, and
 * sums of which one is wrong come to something else, but for one chance in 2^62; it takes no memory, however many keys
 * there are. */

/** What is folded: the parts of a key, without tags of some names, and whether its meters are. */
export type FoldedSums = Pick<SealedSums, 'parts' | 'without' | 'hasMeters'>

/** Folds the calls of sealed days, or rows of sums, in each of some ways. */
export const foldFiles = async (
  duck: Duck,
  { files, isDay }: { readonly files: readonly string[]; readonly isDay: boolean },
  ways: readonly FoldedSums[],
): Promise<readonly bigint[]> => {
  let folds = ways.map(() => 0n)
  for (const path of files) {
    const more = await foldFile(duck, { path, isDay }, ways)
    folds = folds.map((fold, way) => fold + (more[way] ?? 0n))
  }
  return folds
}

const foldFile = async (
  duck: Duck,
  { path, isDay }: { readonly path: string; readonly isDay: boolean },
  ways: readonly FoldedSums[],
): Promise<readonly bigint[]> => {
  const has = await columnsOf(duck, path)
  const wanted = new Set(ways.flatMap(({ parts }) => parts.map((part) => partColumns[part])))
  const read = isDay ? ofDay : ofSums
  const select = [...wanted, ...always, ...read.columns].filter((column) => has.has(column))
  const values = select.map((column) => (isDay && column === 'charges' ? chargesRead : column))
  const folds = ways.map(() => 0n)
  for await (const columns of duck.columns(
    `SELECT ${values.join(', ')} FROM read_parquet(${quoted(path)})${isDay ? ' WHERE is_standing' : ''}`,
  )) {
    const column = (name: string): Column => columns[select.indexOf(name)] ?? []
    const sumsAt = read.sums(column)
    const keysAt = ways.map(({ parts, without }) => createKeys(column, parts, without))
    for (let row = 0; row < (columns[0]?.length ?? 0); row += 1) {
      const { calls, uses } = sumsAt(row)
      const all = calls + uses
      for (const [way, { hasMeters }] of ways.entries()) {
        const key = keysAt[way]?.(row) ?? ''
        folds[way] = (folds[way] ?? 0n) + weightOf(key) * (hasMeters ? all : calls)
      }
    }
  }
  return folds
}

/** What is folded of charges. */
const chargesRead = `list_transform(charges, lambda c:
  struct_pack(meter := c.meter, units := c.units, fraction := c.fraction, amount := c.amount))`

const always = ['call_currency', 'basis'] as const

type Column = readonly DuckDBValue[]
type Columns = (name: string) => Column

/** What a row says of its calls, and of what their meters came to: each as one number. */
type Read = {
  readonly columns: readonly string[]
  readonly sums: (columns: Columns) => (row: number) => { readonly calls: bigint; readonly uses: bigint }
}

const ofDay: Read = {
  columns: ['call_cost', 'unpriced', 'resent_tokens', 'resent_amount', 'charges'],
  sums: (columns) => {
    const [cost, unpriced, charges] = [columns('call_cost'), columns('unpriced'), columns('charges')]
    const [tokens, resent] = [columns('resent_tokens'), columns('resent_amount')]
    return (row) => {
      const lacking = unpriced[row]
      let uses = 0n
      for (const { meter, units, fraction, amount } of structs(charges[row])) {
        uses += useOf(meter, 'true', fraction, [units, 1n, amount])
      }
      if (typeof lacking === 'string') for (const gap of gapsOf(lacking)) uses += gap
      const of = [cost[row], 1n, typeof lacking === 'string' ? 1n : 0n, tokens[row], resent[row]]
      return { calls: packed(of), uses }
    }
  },
}

/** What had no price, as it is written: JSON. */
const gapsOf = (written: string): readonly bigint[] => {
  const lacking: readonly { readonly meter: string; readonly quantity: string }[] = JSON.parse(written)
  return lacking.map(({ meter, quantity }) => {
    const units = /^-?\d{1,19}$/.test(quantity) ? BigInt(quantity) : null
    const isUnits = units !== null && BigInt.asIntN(64, units) === units
    return useOf(meter, 'false', isUnits ? null : quantity, [isUnits ? units : 0n, 1n, 0n])
  })
}

const ofSums: Read = {
  columns: [...sumColumns, 'uses'],
  sums: (columns) => {
    const [sums, used] = [sumColumns.map(columns), columns('uses')]
    return (row) => {
      let uses = 0n
      for (const { meter, priced, units, fraction, times, amount } of structs(used[row])) {
        uses += useOf(meter, `${priced}`, fraction, [units, times, amount])
      }
      return { calls: packed(sums.map((column) => column[row])), uses }
    }
  },
}

type Value = DuckDBValue | undefined

const useOf = (meter: Value, priced: string, fraction: Value, sums: readonly Value[]): bigint =>
  useWeight(`${meter} ${priced} ${fraction ?? ''}`) * packed(sums)

/** Several sums as one: each has 160 bits to itself, which none passes. */
const packed = (sums: readonly Value[]): bigint => {
  let all = 0n
  for (let place = sums.length - 1; place >= 0; place -= 1) all = (all << 160n) + whole(sums[place])
  return all
}

const createKeys = (columns: Columns, parts: readonly SumsPart[], without: readonly string[]) => {
  const names = [...parts.filter((part) => part !== 'tags').map((part) => partColumns[part]), ...always].map(
    columns,
  )
  const tags = parts.includes('tags') ? columns('call_tags') : null
  return (row: number): string => {
    let key = ''
    for (const column of names) key += `${JSON.stringify(column[row] ?? null)},`
    return tags === null ? key : key + tagsOf(tags[row], without)
  }
}

const tagsOf = (written: Value, without: readonly string[]): string => {
  if (typeof written !== 'string') return ''
  const tags = Object.entries<unknown>(JSON.parse(written)).filter(([name]) => !without.includes(name))
  return JSON.stringify(tags.sort(([a], [b]) => (a < b ? -1 : 1)))
}

const weightOf = (key: string): bigint => hash('sha256', key, 'buffer').readBigUInt64LE() | 1n

/** There are few kinds of use, but for fractions. */
const useWeights = new Map<string, bigint>()
const useWeight = (name: string): bigint => {
  const known = useWeights.get(name)
  if (known !== undefined) return known
  if (useWeights.size > 10_000) useWeights.clear()
  const weight = weightOf(`use ${name}`)
  useWeights.set(name, weight)
  return weight
}

const whole = (value: Value): bigint => {
  if (typeof value === 'bigint') return value
  return typeof value === 'object' && value !== null && 'scale' in value ? value.value : 0n
}

const structs = (value: Value): readonly Readonly<Record<string, DuckDBValue>>[] => {
  if (typeof value !== 'object' || value === null || !('items' in value)) return []
  return value.items.flatMap((item) =>
    typeof item === 'object' && item !== null && 'entries' in item && !Array.isArray(item.entries)
      ? [item.entries as Readonly<Record<string, DuckDBValue>>]
      : [],
  )
}
