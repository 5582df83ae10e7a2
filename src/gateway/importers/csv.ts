import { z } from 'zod'
import { OctroiError } from '../../errors.ts'
import { type Meter, meterFacts, meterNames } from '../../usage/meter.ts'
import { type Quantity, toQuantity } from '../../usage/usage.ts'
import { amountOf, emptyLine, unusable } from './line.ts'
import type { RowImporter } from './row-importer.ts'
import { amountAt, countAt, instantReader } from './row-values.ts'
import { findColumns } from './rows.ts'

const column = z.string().min(1).max(200)
const meter = z.enum(meterNames as readonly [Meter, ...Meter[]])

/** How a file of any columns is read. Fields are named on the left, the file's columns on the right. */
const mappingSchema = z.strictObject({
  columns: z.strictObject({
    from: column,
    to: column.optional(),
    provider: column.optional(),
    model: column.optional(),
    tier: column.optional(),
    project: column.optional(),
    apiKey: column.optional(),
    amount: column.optional(),
    currency: column.optional(),
    requests: column.optional(),
    lineItem: column.optional(),
    id: column.optional(),
    usage: z.partialRecord(meter, column).optional(),
  }),
  separator: z.enum([',', ';', '\t', '|']).optional(),
  decimal: z.enum(['.', ',']).default('.'),
  date: z.enum(['iso', 'dmy', 'mdy', 'unix']).default('iso'),
  bucket: z.enum(['hour', 'day']).default('day'),
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/)
    .default('USD'),
  provider: z.string().min(1).max(100).optional(),
  endpoint: z.string().min(1).max(100).default('csv'),
  amountUnit: z.enum(['whole', 'cents']).default('whole'),
  tokensUnit: z.union([z.literal(1), z.literal(1_000), z.literal(1_000_000)]).default(1),
})

/** A mapping as it was read. */
export type Mapping = z.infer<typeof mappingSchema>

/** Reads a mapping. Throws `bad_input` that names the field. */
export const readMapping = (json: unknown, file: string): Mapping => {
  const parsed = mappingSchema.safeParse(json)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw new OctroiError(
      'bad_input',
      `${file}: ${issue?.path.join('.') || 'the mapping'}: ${issue?.message}.`,
    )
  }
  const { columns } = parsed.data
  if (columns.amount !== undefined || Object.keys(columns.usage ?? {}).length > 0) return parsed.data
  throw new OctroiError(
    'bad_input',
    `${file}: columns: neither "amount" nor "usage" is mapped: there is nothing to import.`,
  )
}

const widths = { hour: 3_600_000, day: 86_400_000 } as const

/** A file of any columns, read by a mapping. */
export const csv = (mapping: Mapping): RowImporter => ({
  id: 'csv',
  role: 'usage',
  provider: mapping.provider ?? null,
  rows: (columns, place) => {
    const { usage: metered = {}, ...plain } = mapping.columns
    const wanted = (names: Readonly<Record<string, string | undefined>>) =>
      Object.fromEntries(
        Object.entries(names).flatMap(([name, at]) =>
          at === undefined ? [] : [[name, { names: [at], needed: true as const }]],
        ),
      )
    const at: Readonly<Record<string, number>> = findColumns(columns, wanted(plain), place(1))
    const meterColumns = Object.entries(findColumns(columns, wanted(metered), place(1))).map(
      ([name, index]) => [name as Meter, index] as const,
    )
    const instant = instantReader()
    const isComma = mapping.decimal === ','
    const width = widths[mapping.bucket]
    return ({ line, value, text }) => {
      const inColumn = (name: keyof typeof plain) => () => place(line, plain[name])
      const said = (name: keyof typeof plain): string => value(at[name] ?? -1).trim()
      const time = (name: 'from' | 'to') => instant(isoOf(said(name), mapping.date), inColumn(name))
      const begin = time('from')
      const from = plain.to === undefined ? Math.floor(begin / width) * width : begin
      const to = plain.to === undefined ? from + width : time('to')
      if (to <= from) throw unusable(place(line, plain.to), 'the period ends before it begins.')
      const currency = said('currency').toUpperCase() || mapping.currency
      if (!/^[A-Z]{3}$/.test(currency))
        throw unusable(place(line, plain.currency), `"${currency.slice(0, 20)}" is no currency.`)
      const amount = said('amount') === '' ? null : amountAt(said('amount'), inColumn('amount'), isComma)
      const usage: { [M in Meter]?: Quantity } = {}
      for (const [name, index] of meterColumns) {
        const quantity = quantityIn(value(index).trim(), name, mapping, () => place(line, columns[index]))
        if (quantity !== null) usage[name] = quantity
      }
      return {
        id: plain.id === undefined ? text() : said('id'),
        at: line,
        line: {
          ...emptyLine,
          ...{ from, to, currency, usage },
          provider: said('provider') || null,
          model: said('model') || null,
          endpoint: mapping.endpoint,
          tier: said('tier') || null,
          project: said('project') || null,
          apiKey: said('apiKey') || null,
          amount: amount === null || mapping.amountUnit === 'whole' ? amount : inCents(amount),
          requests: said('requests') === '' ? null : countAt(said('requests'), inColumn('requests')),
          lineItem: said('lineItem') || null,
          // Money that comes back, and brought no usage, is a credit.
          ofCalls: !(amount !== null && amount < 0n && Object.keys(usage).length === 0),
          contextTokens: 0,
        },
      }
    }
  },
})

const inCents = (amount: bigint): bigint => amount / 100n

const quantityIn = (
  text: string,
  name: Meter,
  { decimal, tokensUnit }: Mapping,
  place: () => string,
): Quantity | null => {
  if (text === '') return null
  const { unit, whole } = meterFacts(name)
  const units = amountAt(text, place, decimal === ',') * (unit === 'token' ? BigInt(tokensUnit) : 1n)
  const quantity = amountOf(units)
  if (units < 0n || (whole && quantity.denominator !== 1n)) {
    throw unusable(place(), `"${text.slice(0, 40)}" is no quantity of ${name}.`)
  }
  return units === 0n ? null : toQuantity(quantity)
}

const isoOf = (text: string, format: Mapping['date']): string => {
  if (format === 'iso') return text
  if (format === 'unix') return /^\d{1,12}$/.test(text) ? new Date(Number(text) * 1000).toISOString() : text
  const [, first = '', second = '', year = '', rest = ''] =
    /^(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})(.*)$/.exec(text) ?? []
  const [day, month] = format === 'dmy' ? [first, second] : [second, first]
  return year === '' ? text : `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}${rest.trimEnd()}`
}
