import { OctroiError } from '../errors.ts'
import { type Instant, parseInstant } from '../time.ts'
import { type Meter, parseMeter } from '../usage/meter.ts'
import { attributeRules, type Holds, lifetimeOf, type RowSelection, tiersOf } from './attributes.ts'
import { billingOf, isBillingAttribute } from './billing.ts'
import { type Calendar, parseCalendar } from './calendar.ts'
import { contentHash } from './content-hash.ts'
import { type Multiplier, multiplierSelection, parseFactor } from './multiplier.ts'
import type { Price, PriceFile, PriceRow } from './price-book.ts'
import { parseRate, type Rate } from './rate.ts'
import type { Cell, Selection } from './shelf.ts'
import { assumptionOf } from './time-band.ts'

/** A row read and checked: a price with what selects it, or a multiplier. */
export type ReadRow = { readonly names: readonly DatedName[] } & (
  | { readonly cell: Cell; readonly multiplier: null }
  | { readonly multiplier: Multiplier; readonly cell: null }
)

/** A name that a row goes by besides its model, within its own period. */
export type DatedName = { readonly name: string; readonly from: Instant; readonly to: Instant }

/** Reads the rows of a file. What they have in common is read once: most of a book's rows have the same few
 * attributes, rates and days. Throws `bad_price_row`, naming the row and the field, or the calendar. */
export const readRows = (file: PriceFile): readonly ReadRow[] => {
  const calendars = readCalendars(file)
  const memory: Memory = { calendars, selections: new Map(), rates: new Map(), instants: new Map() }
  return file.prices.map((row) => readRow(row, file, memory))
}

type Memory = {
  readonly calendars: ReadonlyMap<string, Calendar>
  readonly selections: Map<string, Selection>
  readonly rates: Map<string, Rate>
  readonly instants: Map<string, Instant>
}

const readRow = (row: PriceRow, file: PriceFile, memory: Memory): ReadRow => {
  if (row.provider !== file.provider) {
    throw badRow(row, 'provider', `is not "${file.provider}", the provider of its file`)
  }
  if (typeof row.attributes !== 'object' || row.attributes === null) {
    throw badRow(row, 'attributes', 'must be an object')
  }
  if (row['kind'] !== undefined) return readMultiplier(row, memory)
  const periods = periodsOf(row, memory)
  const { from, to, knownSince, supersededOn } = periods
  const meter = field(row, 'meter', parseMeter)
  const selection = selectionBy(row, meter, memory)
  let id: string | undefined
  const price: Price = {
    get id() {
      id ??= idOf(keyOf(row, selection.text), periods)
      return id
    },
    provider: field(row, 'provider', name),
    model: row.model === null ? null : field(row, 'model', name),
    service: field(row, 'service', name),
    meter,
    attributes: row.attributes,
    rate: attempt(row, 'unitPrice', () => readRate(row, memory)),
    currency: field(row, 'currency', currency),
    from,
    fromPrecision: field(row, 'fromPrecision', precision),
    to,
    knownSince,
    supersededOn,
    confidence: field(row, 'confidence', confidence),
    source: field(row, 'source', name),
    overlay: file.overlay === true,
    row,
  }
  const cell: Cell = {
    price,
    from,
    to: to ?? Number.POSITIVE_INFINITY,
    knownSince: knownSince ?? Number.NEGATIVE_INFINITY,
    supersededOn: supersededOn ?? Number.POSITIVE_INFINITY,
    selection,
  }
  return { names: namesOf(row, cell), cell, multiplier: null }
}

const readMultiplier = (row: PriceRow, memory: Memory): ReadRow => {
  if (row['kind'] !== 'multiplier') throw badRow(row, 'kind', `"${row['kind']}" is not known`)
  const periods = periodsOf(row, memory)
  let id: string | undefined
  const multiplier: Multiplier = {
    get id() {
      id ??= idOf(keyOf(row, sortedText(row.attributes)), periods)
      return id
    },
    provider: field(row, 'provider', name),
    ...attempt(row, 'unitPrice', () => parseFactor(row)),
    ...attempt(row, 'attributes', () => multiplierSelection(row)),
    ...periods,
    confidence: field(row, 'confidence', confidence),
    source: field(row, 'source', name),
    row,
  }
  return { names: noNames, cell: null, multiplier }
}

type Periods = Pick<Price, 'from' | 'to' | 'knownSince' | 'supersededOn'>

const periodsOf = (row: PriceRow, { instants }: Memory): Periods => {
  const instant = (text: string): Instant => {
    const known = instants.get(text)
    if (known !== undefined) return known
    const read = parseInstant(text)
    instants.set(text, read)
    return read
  }
  const from = field(row, 'effectiveFrom', instant)
  const to = row.effectiveTo === null ? null : field(row, 'effectiveTo', instant)
  const knownSince = row.knownSince === undefined ? null : field(row, 'knownSince', instant)
  const supersededOn = row.supersededOn === undefined ? null : field(row, 'supersededOn', instant)
  if (to !== null && to <= from) throw badRow(row, 'effectiveTo', 'is not after effectiveFrom')
  if (supersededOn !== null && supersededOn <= (knownSince ?? Number.NEGATIVE_INFINITY)) {
    throw badRow(row, 'supersededOn', 'is not after knownSince')
  }
  return { from, to, knownSince, supersededOn }
}

/** Provider, model, service, meter, attributes and currency: what one period after another has one price for. */
const keyOf = ({ provider, model, service, meter, currency }: PriceRow, attributes: string): string =>
  `${JSON.stringify([provider, model, service, meter]).slice(0, -1)},${attributes},${JSON.stringify(currency)}]`

/** A hash of key and start. What was announced and later replaced has the key and start of what replaced it,
 * so the day it was known is part of it where there is one. */
const idOf = (key: string, { from, knownSince }: Periods): string =>
  contentHash(knownSince === null ? `${key}${from}` : `${key}${from} ${knownSince}`).slice(0, 16)

const selectionBy = (row: PriceRow, meter: Meter, { calendars, selections }: Memory): Selection => {
  const { attributes, resolved } = row
  const said = meter + JSON.stringify(attributes) + (resolved === undefined ? '' : JSON.stringify(resolved))
  const known = selections.get(said)
  if (known !== undefined) return known
  const selection = readSelection(row, { attributes, resolved: resolved ?? {}, calendars })
  selections.set(said, selection)
  return selection
}

const readCalendars = (file: PriceFile): ReadonlyMap<string, Calendar> =>
  new Map(
    Object.entries(file.calendars ?? {}).map(([calendar, value]) => {
      try {
        return [calendar, parseCalendar(value)]
      } catch (error) {
        throw new OctroiError(
          'bad_price_row',
          `Calendar "${calendar}" of ${file.provider}: ${reasonOf(error)}`,
        )
      }
    }),
  )

const readSelection = (row: PriceRow, selection: RowSelection): Selection => {
  const holds: Holds[] = []
  const rest: Holds[] = []
  let named = 0
  for (const [attribute, value] of Object.entries(row.attributes)) {
    const rule = Object.hasOwn(attributeRules, attribute) ? attributeRules[attribute] : undefined
    if (rule === undefined) {
      if (isBillingAttribute(attribute)) continue
      throw badRow(row, `attributes.${attribute}`, 'is not known to this version')
    }
    const test = attempt(row, `attributes.${attribute}`, () => rule.read(value, selection))
    if (test !== null) holds.push(test)
    if (test !== null && attribute !== 'tier') rest.push(test)
    if (rule.named) named += 1
  }
  const { tier } = row.attributes
  return {
    text: sortedText(row.attributes),
    tiers: tier === undefined ? null : tiersOf(tier, row.attributes),
    holds,
    rest,
    named,
    lifetime: lifetimeOf(row.attributes),
    isPromotion: row.attributes['promotion'] !== undefined,
    billing: billingOf(row.attributes, row.meter, (attribute, read) =>
      attempt(row, `attributes.${attribute}`, read),
    ),
    assumption: assumptionOf(selection),
  }
}

/** The aliases of a row. Where the vendor dates one, `resolved.aliases` says the days, and stands for `aliases`. */
const namesOf = (row: PriceRow, { from, to }: Cell): readonly DatedName[] => {
  const aliases: unknown = row.resolved?.aliases ?? row.aliases
  if (aliases === undefined) return noNames
  if (!Array.isArray(aliases)) throw badRow(row, 'aliases', 'must be a list of names')
  return attempt(row, 'aliases', () => aliases.map((alias: unknown) => readName(alias, { from, to })))
}

const noNames: readonly DatedName[] = []

const readName = (alias: unknown, { from, to }: Pick<DatedName, 'from' | 'to'>): DatedName => {
  if (typeof alias === 'string') return { name: name(alias), from, to }
  const dated: Readonly<Record<string, unknown>> = Object(alias)
  return {
    name: name(dated['name']),
    from: dated['from'] === undefined ? from : Math.max(from, parseInstant(name(dated['from']))),
    to: dated['to'] === undefined ? to : Math.min(to, parseInstant(name(dated['to']))),
  }
}

const field = <Value>(
  row: PriceRow,
  field: keyof PriceRow & string,
  read: (text: string) => Value,
): Value => {
  try {
    return read(name(row[field]))
  } catch (error) {
    throw badRow(row, field, reasonOf(error))
  }
}

const attempt = <Value>(row: PriceRow, field: string, read: () => Value): Value => {
  try {
    return read()
  } catch (error) {
    throw badRow(row, field, reasonOf(error))
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const badRow = (row: PriceRow, field: string, reason: string): OctroiError =>
  new OctroiError(
    'bad_price_row',
    `Price row ${String(row.provider)} / ${String(row.model)} / ${String(row.meter)} from ${String(row.effectiveFrom)}: ${field}: ${reason}`,
    { field },
  )

const readRate = ({ unitPrice, per }: PriceRow, { rates }: Memory): Rate => {
  const text = `${name(unitPrice)} / ${per}`
  const known = rates.get(text)
  if (known !== undefined) return known
  if (!Number.isSafeInteger(per) || per < 1) throw new Error(`per must be a whole number, not ${per}`)
  const rate = parseRate(unitPrice, per)
  if (rate.amount.numerator < 0n) throw new Error('must not be negative')
  rates.set(text, rate)
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

const confidence = oneOf('high', 'medium', 'low')
const precision = oneOf('exact', 'inferred', 'observed')

const sortedText = (attributes: PriceRow['attributes']): string =>
  JSON.stringify(Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1)))
