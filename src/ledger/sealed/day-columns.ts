import type { EntryColumn } from '../seal.ts'

/** What a row of a day's file is made of: the columns of the entry, with names in the place of their ids; its charges and
 * holds; and, of the entry that says what a call cost, who made it, and when. Amounts are decimals of 12 places. A charge
 * has its quantity in `units` where that is a whole number, else in `fraction`, as it was written. */

/** A column of a day's file. */
export type FileColumn = {
  readonly name: string
  readonly type: 'text' | 'integer' | 'amount' | 'boolean'
}

/** A value of a column: an amount in whole 10^-12. */
export type FileValue = string | bigint | boolean | null

export type FileCharge = {
  readonly price_name: string
  readonly meter: string
  readonly units: bigint | null
  readonly fraction: string | null
  readonly amount: bigint
  readonly exact: string | null
}

export type FileHold = {
  readonly limit_name: string
  readonly window_start: bigint
  readonly amount: bigint
}

/** A row of a day's file; its values are those of `fileColumns`. */
export type FileRow = {
  readonly sequence: bigint
  readonly values: readonly FileValue[]
  readonly charges: readonly FileCharge[]
  readonly holds: readonly FileHold[]
}

/** What the entry that says what a call cost has beside its own columns. */
const standingColumns = [
  { name: 'is_standing', type: 'boolean' },
  { name: 'call_made', type: 'integer' },
  { name: 'call_organization', type: 'text' },
  { name: 'call_team', type: 'text' },
  { name: 'call_project', type: 'text' },
  { name: 'call_environment', type: 'text' },
  { name: 'call_key', type: 'text' },
  { name: 'call_provider', type: 'text' },
  { name: 'call_model', type: 'text' },
  { name: 'call_endpoint', type: 'text' },
  { name: 'call_currency', type: 'text' },
  { name: 'call_end_user', type: 'text' },
  { name: 'call_conversation', type: 'text' },
  { name: 'call_tags', type: 'text' },
  { name: 'call_cost', type: 'amount' },
] as const satisfies readonly FileColumn[]

/** The columns of a day's file before its lists, from those of the table of entries. */
export const fileColumns = (columns: readonly EntryColumn[]): readonly FileColumn[] => [
  ...columns.map(entryColumn),
  ...standingColumns,
]

/** The column of a file that a column of entries is. */
export const entryColumn = ({ name, type, isName }: EntryColumn): FileColumn => {
  if (isName) return { name: `${name}_name`, type: 'text' }
  return { name, type: type === 'ANY' ? 'amount' : type === 'INTEGER' ? 'integer' : 'text' }
}

/** The columns in DuckDB's types. */
export const fileTypes = {
  text: 'VARCHAR',
  integer: 'BIGINT',
  amount: 'DECIMAL(38,12)',
  boolean: 'BOOLEAN',
} as const satisfies Record<FileColumn['type'], string>

export const chargesType =
  'STRUCT(price_name VARCHAR, meter VARCHAR, units BIGINT, fraction VARCHAR, amount DECIMAL(38,12), exact VARCHAR)[]'

export const holdsType = 'STRUCT(limit_name VARCHAR, window_start BIGINT, amount DECIMAL(38,0))[]'

/** What a row says, as one text that no other row has: texts by their length, nothing of what is null. The same as
 * `rowTextSql` gives of the file. */
export const rowText = (columns: readonly FileColumn[], { values, charges, holds }: FileRow): string => {
  let said = ''
  for (const [index, { type }] of columns.entries()) said += part(type, values[index])
  said += `${charges.length};`
  for (const { price_name, meter, units, fraction, amount, exact } of charges) {
    said += `${part('text', price_name)}${part('text', meter)}${part('integer', units)}${part('text', fraction)}`
    said += `${part('amount', amount)}${part('text', exact)}`
  }
  said += `${holds.length};`
  for (const { limit_name, window_start, amount } of holds) {
    said += `${part('text', limit_name)}${window_start};${amount};`
  }
  return said
}

const part = (type: FileColumn['type'], value: FileValue | undefined): string => {
  if (value === null || value === undefined) return type === 'text' ? ':' : ';'
  if (typeof value === 'string') return `${Buffer.byteLength(value)}:${value}`
  return type === 'amount' && typeof value === 'bigint' ? `${decimalText(value)};` : `${value};`
}

/** As DuckDB writes a decimal of 12 places. */
const decimalText = (picos: bigint): string => {
  const digits = `${picos < 0n ? -picos : picos}`.padStart(13, '0')
  return `${picos < 0n ? '-' : ''}${digits.slice(0, -12)}.${digits.slice(-12)}`
}

/** The text of a row in DuckDB. A column that the file lacks is null. */
export const rowTextSql = (columns: readonly FileColumn[], has: ReadonlySet<string>): string => {
  const values = columns.map(({ name, type }) => partSql(type, has.has(name) ? `"${name}"` : 'NULL'))
  const charge = [
    ...[partSql('text', 'x.price_name'), partSql('text', 'x.meter'), partSql('integer', 'x.units')],
    ...[partSql('text', 'x.fraction'), partSql('amount', 'x.amount'), partSql('text', 'x.exact')],
  ]
  const hold = [
    partSql('text', 'x.limit_name'),
    partSql('integer', 'x.window_start'),
    partSql('integer', 'x.amount'),
  ]
  return `concat(${[...values, listSql('charges', charge), listSql('holds', hold)].join(', ')})`
}

/** `concat` leaves out what is null. */
const partSql = (type: FileColumn['type'], value: string): string =>
  type === 'text' ? `strlen(${value}), ':', ${value}` : `${value}, ';'`

const listSql = (name: string, parts: readonly string[]): string =>
  `len(${name}), ';', array_to_string(list_transform(${name}, lambda x: concat(${parts.join(', ')})), '')`
