import { z } from 'zod'
import { OctroiError } from '../errors.ts'
import { parseDecimal, type Rational } from '../money/rational.ts'
import { type Instant, parseInstant } from '../time.ts'

/** What one unit of a table's base is worth in a currency, from one day (UTC) on. */
export type DatedRate = {
  readonly date: string
  readonly at: Instant
  /** As the table has it. */
  readonly written: string
  readonly rate: Rational
}

/** Exchange rates by day, as the operator has them. `rates`: by currency, the earliest first; the base has none. */
export type RateTable = {
  readonly id: string
  readonly source: string
  readonly base: string
  readonly rates: ReadonlyMap<string, readonly DatedRate[]>
}

const currency = z.string().regex(/^[A-Z]{3}$/, 'write an ISO 4217 code such as EUR')
const rate = z
  .string('write the figure as a string, so that no digit is lost')
  .regex(/^\d{1,20}(\.\d{1,20})?$/, 'write a plain decimal such as "1.0868"')

/** The file of a rate table, as zod reads it. */
export const rateTableSchema = z
  .strictObject({
    schema: z.literal('octroi-rates/1'),
    id: z.string().min(1).max(100).describe('As converted rows name it.'),
    source: z.string().min(1).max(1_000).describe('Where the rates are from, and when they were read.'),
    base: currency,
    rates: z
      .array(z.strictObject({ date: z.iso.date(), currency, rate }))
      .min(1)
      .max(1_000_000)
      .describe('What one unit of the base is worth in the currency, from the day on.'),
  })
  .describe('Exchange rates by day.')

/** Reads a rate table, as parsed from JSON. Throws `bad_input` naming the rate and the remedy. */
export const readRateTable = (json: unknown): RateTable => {
  const parsed = rateTableSchema.safeParse(json)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw bad(`${issue?.path.join('.') || 'the file'}: ${issue?.message}`)
  }
  const { id, source, base, rates } = parsed.data
  return { id, source, base, rates: byCurrency(base, rates) }
}

/** Reads a table of one day a line and one currency a column, in which `Date` comes first and an empty cell or `N/A`
 * is no rate: the form in which the European Central Bank publishes what a euro is worth. Throws `bad_input` naming
 * the line. */
export const readRateColumns = (text: string, id: string): RateTable => {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/)
  const cells = (line: string): readonly string[] => line.split(',').map((cell) => cell.trim())
  const [first, ...names] = cells(lines[0] ?? '')
  const wrong = names.find(
    (name, index) => name !== '' && (!/^[A-Z]{3}$/.test(name) || names.indexOf(name) !== index),
  )
  if (first !== 'Date' || wrong !== undefined) {
    const what =
      first === 'Date'
        ? `the column "${wrong?.slice(0, 20)}" is no currency, or is there twice`
        : 'it does not begin with "Date,"'
    throw bad(`${what}. Write one day a line and one currency a column, or a JSON file`)
  }
  const rates = lines.slice(1).flatMap((line, index) => {
    if (line.trim() === '') return []
    const [date = '', ...values] = cells(line)
    if (!/^\d{4}-\d{2}-\d{2}$/.test(date))
      throw bad(`line ${index + 2}: "${date.slice(0, 20)}" is no day such as 2023-11-15`)
    return values.flatMap((value, column) => {
      const name = names[column] ?? ''
      if (name === '' || value === '' || value === 'N/A') return []
      if (!rate.safeParse(value).success)
        throw bad(`line ${index + 2}: ${name} "${value.slice(0, 20)}" is no decimal such as 1.0868`)
      return [{ date, currency: name, rate: value }]
    })
  })
  if (rates.length === 0) throw bad('it has no rates')
  return { id, source: `${id}: one day a line, in euros`, base: 'EUR', rates: byCurrency('EUR', rates) }
}

const byCurrency = (
  base: string,
  rates: readonly { readonly date: string; readonly currency: string; readonly rate: string }[],
): RateTable['rates'] => {
  const dated = rates.map(({ date, currency, rate: written }) => {
    const rate = parseDecimal(written)
    const where = `the rate of ${currency} on ${date}`
    if (rate.numerator === 0n) throw bad(`${where} is 0. Leave it out where there is none`)
    if (currency === base) throw bad(`${where} is one of the base itself. Leave it out`)
    return { currency, dated: { date, at: parseInstant(date), written, rate } }
  })
  const all = Map.groupBy(dated, ({ currency }) => currency)
  return new Map(
    [...all].map(([currency, some]) => {
      const sorted = some.map(({ dated }) => dated).sort((a, b) => a.at - b.at)
      const twice = sorted.find(({ at }, index) => sorted[index + 1]?.at === at)
      if (twice !== undefined) throw bad(`the rate of ${currency} on ${twice.date} is there twice. Keep one`)
      return [currency, sorted]
    }),
  )
}

const bad = (what: string): OctroiError => new OctroiError('bad_input', `Rate table: ${what}.`)
