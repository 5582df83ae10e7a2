import { type ColumnKind, columnFacts, type FocusVersion, isFocusColumn } from './columns.ts'
import { isPlainDecimal } from './decimal.ts'
import { keyValueFault } from './key-values.ts'
import type { FocusRule } from './rules.ts'

/** What is wrong with a cell. */
export type Fault = readonly [rule: FocusRule, message: string]

/** Judges the cells of one column; null where nothing is wrong. */
export type CellJudge = (cell: string | null) => Fault | null

/** The judge of a column; one that FOCUS has not holds any text but the empty one. ServiceSubcategory is judged with its
 * category. */
export const judgeOf = (column: string, version: FocusVersion): CellJudge => {
  const facts = isFocusColumn(column) ? columnFacts(column) : null
  const nulls = facts?.[version]?.nulls ?? true
  const judge = kinds[facts?.kind ?? 'text'](column, facts?.values ?? [])
  return (cell) => {
    if (cell === null) return nulls ? null : ['null', 'is null, which is not allowed']
    if (cell === '') return ['empty-text', 'is an empty text; write null']
    return judge(cell)
  }
}

type TextJudge = (cell: string) => Fault | null

const kinds: Readonly<Record<ColumnKind, (column: string, values: readonly string[]) => TextJudge>> = {
  text: () => () => null,
  choice: (_, values) => (values.length > 0 ? once(choice(values)) : () => null),
  decimal: () => decimal,
  price: () => (cell) =>
    decimal(cell) ?? (cell.startsWith('-') ? ['decimal-sign', `is negative: ${shown(cell)}`] : null),
  instant: () => once(instant),
  currency: (column) => (column === 'BillingCurrency' ? once(nationalCurrency) : () => null),
  unit: () => once(unit),
  'key-value': (column) => once(column === 'SkuPriceDetails' ? skuPriceDetails : keyValues),
  json: () => once(json),
}

/** Few texts fill most columns: what was found right is right again. */
const once = (judge: TextJudge): TextJudge => {
  const right = new Set<string>()
  return (cell) => {
    if (right.has(cell)) return null
    const fault = judge(cell)
    if (fault !== null) return fault
    if (right.size >= rememberedMax) right.clear()
    right.add(cell)
    return null
  }
}

const rememberedMax = 2_000

const shown = (text: string): string => (text.length > 60 ? `${text.slice(0, 60)}...` : text)

const choice =
  (values: readonly string[]): TextJudge =>
  (cell) =>
    values.includes(cell) ? null : ['allowed-value', `is "${shown(cell)}", none of: ${values.join(', ')}`]

const decimal: TextJudge = (cell) =>
  isPlainDecimal(cell) ? null : ['decimal', `is no plain decimal: "${shown(cell)}"`]

const instantShape = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/

const instant: TextJudge = (cell) => {
  const at = instantShape.test(cell) ? Date.parse(cell) : Number.NaN
  const exists = !Number.isNaN(at) && new Date(at).toISOString().startsWith(cell.slice(0, 19))
  return exists ? null : ['instant', `is not YYYY-MM-DDTHH:mm:ssZ: "${shown(cell)}"`]
}

const currencies: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'))

const nationalCurrency: TextJudge = (cell) =>
  currencies.has(cell) ? null : ['currency', `is no code of ISO 4217: "${shown(cell)}"`]

const unitShape = /^(?:[1-9]\d* )?[A-Z][A-Za-z0-9]*(?:[-/ ][A-Za-z0-9]+)*$/

const unit: TextJudge = (cell) =>
  unitShape.test(cell) ? null : ['unit', `is no unit such as 1000000 Tokens: "${shown(cell)}"`]

const keyValues: TextJudge = (cell) => {
  const fault = keyValueFault(cell)
  return fault === null ? null : ['key-values', fault]
}

const json: TextJudge = (cell) => {
  try {
    const value: unknown = JSON.parse(cell)
    if (typeof value === 'object' && value !== null) return null
  } catch {
    // Told below.
  }
  return ['json', `is no JSON object or array: "${shown(cell)}"`]
}

/** The keys that FOCUS 1.2 and 1.4 define, by the type of their values. */
const detailTypes: Readonly<Record<string, 'number' | 'string'>> = {
  ...Object.fromEntries(
    [
      'CoreCount',
      'DiskMaxIops',
      'DiskSpace',
      'GpuCount',
      'MemorySize',
      'NetworkMaxIops',
      'NetworkMaxThroughput',
    ].map((key) => [key, 'number' as const]),
  ),
  ...Object.fromEntries(
    ['DiskType', 'InstanceSeries', 'InstanceType', 'OperatingSystem', 'Redundancy', 'StorageClass'].map(
      (key) => [key, 'string' as const],
    ),
  ),
}

const skuPriceDetails: TextJudge = (cell) => {
  const fault = keyValues(cell)
  if (fault !== null) return fault
  for (const [key, value] of Object.entries(JSON.parse(cell) as Record<string, unknown>)) {
    if (key.startsWith('x_')) continue
    const type = Object.hasOwn(detailTypes, key) ? detailTypes[key] : undefined
    if (type === undefined)
      return ['sku-price-details', `has the key "${shown(key)}"; name it x_${shown(key)}`]
    if (typeof value !== type) return ['sku-price-details', `has no ${type} under "${key}"`]
  }
  return null
}
