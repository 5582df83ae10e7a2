import { OctroiError } from '../errors.ts'
import { type Instant, parseInstant } from '../time.ts'
import { parseMeter } from '../usage/meter.ts'
import { attributeRules, type Holds } from './attributes.ts'
import { contentHash } from './content-hash.ts'
import type { Price, PriceFile, PriceRow } from './price-book.ts'
import { parseRate } from './rate.ts'

/** A row read and checked: the price, the names it goes by, and the tests that select it.
 * `key` is what two rows share that must not hold at one time. */
export type ReadRow = {
  readonly price: Price
  readonly aliases: readonly string[]
  readonly holds: readonly Holds[]
  /** How many of its attributes a call must name: such a row goes before one without them. */
  readonly named: number
  readonly key: string
}

/** Reads one row of a file. Throws `bad_price_row`, naming the row and the field. */
export const readRow = (row: PriceRow, file: PriceFile): ReadRow => {
  const field = fieldReader(row)
  if (row.provider !== file.provider) {
    throw badRow(row, 'provider', `is not "${file.provider}", the provider of its file`)
  }
  if (row['kind'] !== undefined) throw badRow(row, 'kind', `"${row['kind']}" is not known`)
  const from = field('effectiveFrom', parseInstant)
  const to = row.effectiveTo === null ? null : field('effectiveTo', parseInstant)
  const knownSince = row.knownSince === undefined ? null : field('knownSince', parseInstant)
  const supersededOn = row.supersededOn === undefined ? null : field('supersededOn', parseInstant)
  if (to !== null && to <= from) throw badRow(row, 'effectiveTo', 'is not after effectiveFrom')
  if (supersededOn !== null && supersededOn <= (knownSince ?? Number.NEGATIVE_INFINITY)) {
    throw badRow(row, 'supersededOn', 'is not after knownSince')
  }
  field('fromPrecision', oneOf('exact', 'inferred', 'observed'))
  const key = keyOf(row)
  const price: Price = {
    id: idOf(key, { from, knownSince }),
    provider: field('provider', name),
    model: row.model === null ? null : field('model', name),
    service: field('service', name),
    meter: field('meter', parseMeter),
    attributes: row.attributes,
    rate: field('unitPrice', (text) => parseUnitPrice(text, row)),
    currency: field('currency', currency),
    from,
    to,
    knownSince,
    supersededOn,
    confidence: field('confidence', oneOf('high', 'medium', 'low')),
    source: field('source', name),
  }
  return { price, aliases: aliasesOf(row), key, ...selectors(row) }
}

/** Provider, model, service, meter, attributes and currency: what one period after another has one price for. */
const keyOf = (row: PriceRow): string =>
  JSON.stringify([row.provider, row.model, row.service, row.meter, sorted(row.attributes), row.currency])

/** A hash of key and start. What was announced and later replaced has the key and start of what replaced it,
 * so the day it was known is part of it where there is one. */
const idOf = (key: string, { from, knownSince }: { from: Instant; knownSince: Instant | null }): string =>
  contentHash(knownSince === null ? `${key}${from}` : `${key}${from} ${knownSince}`).slice(0, 16)

const selectors = (row: PriceRow): Pick<ReadRow, 'holds' | 'named'> => {
  if (typeof row.attributes !== 'object' || row.attributes === null) {
    throw badRow(row, 'attributes', 'must be an object')
  }
  const holds: Holds[] = []
  let named = 0
  for (const [attribute, value] of Object.entries(row.attributes)) {
    const rule = Object.hasOwn(attributeRules, attribute) ? attributeRules[attribute] : undefined
    if (rule === undefined) throw badRow(row, `attributes.${attribute}`, 'is not known to this version')
    const test = attempt(row, `attributes.${attribute}`, () => rule.read(value, row.attributes))
    if (test !== null) holds.push(test)
    if (rule.named) named += 1
  }
  return { holds, named }
}

const aliasesOf = (row: PriceRow): readonly string[] => {
  const aliases: unknown = row.aliases ?? []
  if (!Array.isArray(aliases)) throw badRow(row, 'aliases', 'must be a list of names')
  return attempt(row, 'aliases', () => aliases.map(name))
}

const fieldReader =
  (row: PriceRow) =>
  <Value>(field: keyof PriceRow & string, read: (text: string) => Value): Value =>
    attempt(row, field, () => read(name(row[field])))

const attempt = <Value>(row: PriceRow, field: string, read: () => Value): Value => {
  try {
    return read()
  } catch (error) {
    throw badRow(row, field, error instanceof Error ? error.message : String(error))
  }
}

const badRow = (row: PriceRow, field: string, reason: string): OctroiError =>
  new OctroiError(
    'bad_price_row',
    `Price row ${String(row.provider)} / ${String(row.model)} / ${String(row.meter)} from ${String(row.effectiveFrom)}: ${field}: ${reason}`,
    { field },
  )

const parseUnitPrice = (text: string, row: PriceRow): Price['rate'] => {
  if (!Number.isSafeInteger(row.per) || row.per < 1)
    throw new Error(`per must be a whole number, not ${row.per}`)
  const rate = parseRate(text, row.per)
  if (rate.amount.numerator < 0n) throw new Error('must not be negative')
  return rate
}

const name = (value: unknown): string => {
  if (typeof value !== 'string' || value.trim() === '') throw new Error('must be a text')
  return value
}

const currency = (text: string): string => {
  if (!/^[A-Z]{3}$/.test(text)) throw new Error(`"${text.slice(0, 20)}" is not an ISO 4217 code such as USD`)
  return text
}

const oneOf =
  <Value extends string>(...values: readonly Value[]) =>
  (text: string): Value => {
    const found = values.find((value) => value === text)
    if (found === undefined) throw new Error(`"${text.slice(0, 40)}" is none of ${values.join(', ')}`)
    return found
  }

const sorted = (attributes: PriceRow['attributes']): unknown =>
  Object.entries(attributes ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
