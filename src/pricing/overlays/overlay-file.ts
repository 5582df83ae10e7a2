import { OctroiError } from '../../errors.ts'
import { parseDecimal } from '../../money/rational.ts'
import { parseInstant } from '../../time.ts'
import type { PriceFile, PriceRow } from '../price-book.ts'

/** A price file of the operator. `overlay` is `"contract"` where its prices were agreed with the vendor and go before
 * the list prices; anything else only fills gaps. `discounts` stand in a contract. */
export type OverlayFile = Omit<PriceFile, 'overlay'> & {
  readonly overlay?: boolean | 'contract'
  readonly discounts?: readonly Discount[]
}

/** A discount agreed with the vendor: so many percent off the list prices of its models and meters, or of all of
 * them. Models are names of the book, or prefixes that end in `*`. */
export type Discount = {
  readonly percent: string
  readonly models?: readonly string[]
  readonly meters?: readonly string[]
  readonly effectiveFrom: string
  readonly effectiveTo: string | null
  readonly source: string
  readonly note?: string
}

/** Reads one price file of the operator, or a list of them, as parsed from JSON. The rows are read when the book is
 * opened. Throws `bad_price_row` naming the file's provider and the field. */
export const readOverlayFiles = (json: unknown): readonly OverlayFile[] =>
  (Array.isArray(json) ? json : [json]).map(readFile)

type Fields = Readonly<Record<string, unknown>>

const readFile = (json: unknown): OverlayFile => {
  if (!isObject(json)) throw bad('(file)', 'it must be an object, or a list of objects')
  const { schema, provider, overlay, prices, discounts = [], calendars } = json
  const name = typeof provider === 'string' ? provider : '(no provider)'
  if (schema !== 'octroi-prices/1') throw bad(name, 'schema must be "octroi-prices/1"')
  if (typeof provider !== 'string' || provider === '') throw bad(name, 'provider must be a text')
  if (overlay !== undefined && typeof overlay !== 'boolean' && overlay !== 'contract') {
    throw bad(name, 'overlay must be "contract", true or false')
  }
  if (!Array.isArray(prices) || !prices.every(isObject)) throw bad(name, 'prices must be a list of rows')
  if (!Array.isArray(discounts)) throw bad(name, 'discounts must be a list')
  if (discounts.length > 0 && overlay !== 'contract') throw bad(name, 'discounts need overlay "contract"')
  return {
    schema,
    provider,
    ...(overlay !== undefined && { overlay }),
    ...(isObject(calendars) && { calendars }),
    prices: prices as readonly unknown[] as readonly PriceRow[],
    ...(discounts.length > 0 && {
      discounts: discounts.map((each, index) => readDiscount(name, each, index)),
    }),
  }
}

const discountFields = ['percent', 'models', 'meters', 'effectiveFrom', 'effectiveTo', 'source', 'note']

const readDiscount = (provider: string, json: unknown, index: number): Discount => {
  const where = `discounts[${index}]`
  const fields: Fields = isObject(json) ? json : {}
  const stranger = Object.keys(fields).find((field) => !discountFields.includes(field))
  if (stranger !== undefined) throw bad(provider, `${where}.${stranger} is not known`)
  const text = (field: string): string => {
    const value = fields[field]
    if (typeof value !== 'string' || value === '') throw bad(provider, `${where}.${field} must be a text`)
    return value
  }
  const read = <Value>(field: string, parse: (text: string) => Value): Value => {
    try {
      return parse(text(field))
    } catch (error) {
      throw bad(provider, `${where}.${field}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  const { numerator, denominator } = read('percent', parseDecimal)
  if (numerator <= 0n || numerator > 100n * denominator) {
    throw bad(provider, `${where}.percent must be above 0 and at most 100`)
  }
  read('effectiveFrom', parseInstant)
  if (fields['effectiveTo'] !== null) read('effectiveTo', parseInstant)
  const effectiveTo = fields['effectiveTo'] === null ? null : text('effectiveTo')
  const names = (field: string): readonly string[] | undefined => {
    const value = fields[field]
    const fits = Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === 'string')
    if (value !== undefined && !fits) throw bad(provider, `${where}.${field} must be a list of names`)
    return fits ? value : undefined
  }
  const [models, meters] = [names('models'), names('meters')]
  return {
    percent: text('percent'),
    ...(models !== undefined && { models }),
    ...(meters !== undefined && { meters }),
    effectiveFrom: text('effectiveFrom'),
    effectiveTo,
    source: text('source'),
    ...(fields['note'] !== undefined && { note: text('note') }),
  }
}

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const bad = (provider: string, what: string): OctroiError =>
  new OctroiError('bad_price_row', `The price file of ${provider.slice(0, 60)}: ${what}.`)
