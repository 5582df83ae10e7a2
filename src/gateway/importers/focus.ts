import { z } from 'zod'
import { multiply, type Rational, rational } from '../../money/rational.ts'
import { namesOf } from '../../reports/focus/meter-names.ts'
import { isMeter, type Meter, meterFacts } from '../../usage/meter.ts'
import { toQuantity, type Usage } from '../../usage/usage.ts'
import { amountOf, emptyLine, type LineOwner, readAmount, unusable } from './line.ts'
import { parseExact } from './raw-json.ts'
import type { RowImporter } from './row-importer.ts'
import { amountAt, copyOf, countAt, instantReader } from './row-values.ts'
import { findColumns } from './rows.ts'

/** Columns of FOCUS 1.0 to 1.4, and columns of our own where a file has them. */
const wanted = {
  billed: { names: ['BilledCost'], needed: true },
  effective: { names: ['EffectiveCost'] },
  currency: { names: ['BillingCurrency'], needed: true },
  from: { names: ['ChargePeriodStart'], needed: true },
  to: { names: ['ChargePeriodEnd'], needed: true },
  category: { names: ['ChargeCategory'], needed: true },
  quantity: { names: ['ConsumedQuantity'] },
  unit: { names: ['ConsumedUnit'] },
  service: { names: ['ServiceName'] },
  sku: { names: ['SkuMeter', 'SkuId', 'x_SkuMeter'] },
  account: { names: ['SubAccountId'] },
  resource: { names: ['ResourceId'] },
  model: { names: ['x_ModelId', 'x_model'] },
  meter: { names: ['x_Meter'] },
  tier: { names: ['x_ServiceTier', 'x_tier'] },
  requests: { names: ['x_requests'] },
  provider: { names: ['x_ProviderId', 'x_provider'] },
  basis: { names: ['x_Basis'] },
  team: { names: ['x_Team'] },
  ownProject: { names: ['x_Project'] },
  tags: { names: ['Tags'] },
} as const

const categories = new Set(['Usage', 'Purchase', 'Tax', 'Credit', 'Adjustment'])

/** FOCUS Cost and Usage, 1.0 to 1.4, as CSV or JSON Lines. Which cost is the amount is told by `cost`. A file that has
 * the columns of our own exports has each charge once, so that its periods may overlap, and says whose it is. */
export const focus = (cost: 'billed' | 'effective'): RowImporter => ({
  id: 'focus',
  role: 'usage',
  provider: null,
  rows: (columns, place) => {
    const at = findColumns(columns, wanted, place(1))
    if (cost === 'effective' && at.effective < 0) {
      throw unusable(place(1), 'the column "EffectiveCost" is missing. Leave --cost out to take BilledCost.')
    }
    const instant = instantReader()
    const isOwn = at.basis >= 0 && at.meter >= 0 && at.provider >= 0
    const ownerTags = tagsReader()
    const costName = cost === 'billed' ? 'BilledCost' : 'EffectiveCost'
    return ({ line, value, text }) => {
      const category = value(at.category)
      if (!categories.has(category)) {
        throw unusable(
          place(line, 'ChargeCategory'),
          `"${category.slice(0, 40)}" is none of ${[...categories].join(', ')}.`,
        )
      }
      const from = instant(value(at.from), () => place(line, 'ChargePeriodStart'))
      const to = instant(value(at.to), () => place(line, 'ChargePeriodEnd'))
      if (to <= from) throw unusable(place(line, 'ChargePeriodEnd'), 'the period ends before it begins.')
      const currency = value(at.currency)
      if (!/^[A-Z]{3}$/.test(currency)) {
        throw unusable(
          place(line, 'BillingCurrency'),
          `"${currency.slice(0, 20)}" is no currency of three letters.`,
        )
      }
      const ofCalls = category === 'Usage'
      const meter = value(at.meter)
      const usage = ofCalls
        ? quantityIn(value(at.quantity), value(at.unit), meterIn(meter, value(at.sku)), (column) =>
            place(line, column),
          )
        : {}
      return {
        id: text(),
        at: line,
        line: {
          ...emptyLine,
          ...{ from, to, currency, ofCalls, usage },
          provider: value(at.provider) || null,
          model: value(at.model) || null,
          endpoint: value(at.service) || 'focus',
          tier: value(at.tier) || null,
          project: value(at.account) || null,
          apiKey: value(at.resource) || null,
          amount: amountAt(value(cost === 'billed' ? at.billed : at.effective), () => place(line, costName)),
          requests:
            value(at.requests) === '' ? null : countAt(value(at.requests), () => place(line, 'x_requests')),
          lineItem: [category, isOwn ? meter : value(at.sku)].filter((each) => each !== '').join(', '),
          ...(isOwn && {
            isOwn: true,
            owner: {
              ...ownerTags(value(at.tags), () => place(line, 'Tags')),
              ...{ team: value(at.team) || null, project: value(at.ownProject) || null },
            },
          }),
        },
      }
    }
  },
})

type Tagged = Omit<LineOwner, 'team' | 'project'>

/** Reads the tags of an own export, of which two are parts of the owner; and remembers what it read last. */
const tagsReader = (): ((text: string, place: () => string) => Tagged) => {
  let last: { readonly text: string; readonly tagged: Tagged } = { text: '', tagged: untagged }
  return (text, place) => {
    if (last.text !== text) last = { text: copyOf(text), tagged: tagged(text, place) }
    return last.tagged
  }
}

const untagged: Tagged = { organization: null, environment: null, tags: {} }

const tagged = (text: string, place: () => string): Tagged => {
  if (text === '') return untagged
  const read = tagsShape.safeParse(parseExact(text, place()))
  if (!read.success) throw unusable(place(), 'tags are an object of texts.')
  const {
    organization = null,
    environment = null,
    team: _team,
    project: _project,
    key: _key,
    ...tags
  } = read.data
  return { organization, environment, tags }
}

const tagsShape = z.record(z.string(), z.string())

/** The meter that a column of our own names; or else the SKU, where it is the name of one. */
const meterIn = (own: string, sku: string): Meter | null =>
  isMeter(own) ? own : own === '' && isMeter(sku) ? sku : null

/** How many of the meter's units are in one of the file's: `1K tokens` has a thousand. Null where the unit is another. */
const factorOf = (unit: string, meter: Meter): Rational | null => {
  if (unit === namesOf(meter).unit) return one
  const [, thousands, name = ''] =
    /^(?:1 ?)?(k |thousand |million |)(.*?)s?$/.exec(unit.toLowerCase().replace(/^1?k(?=tok)/, 'k ')) ?? []
  const factor = { '': 1n, 'k ': 1_000n, 'thousand ': 1_000n, 'million ': 1_000_000n }[thousands ?? '']
  return factor === undefined || !meterFacts(meter).unit.endsWith(name) ? null : rational(factor)
}

const one = rational(1n)

const quantityIn = (
  written: string,
  unit: string,
  meter: Meter | null,
  place: (column: string) => string,
): Usage => {
  if (meter === null || written === '') return {}
  const [units, factor] = [readAmount(written), factorOf(unit, meter)]
  if (units === null || units < 0n)
    throw unusable(place('ConsumedQuantity'), `"${written.slice(0, 40)}" is no quantity.`)
  if (factor === null) {
    throw unusable(
      place('ConsumedUnit'),
      `${meter} is not counted in "${unit.slice(0, 40)}" but in ${meterFacts(meter).unit}s.`,
    )
  }
  const quantity = multiply(amountOf(units), factor)
  if (!meterFacts(meter).whole || quantity.denominator === 1n) return { [meter]: toQuantity(quantity) }
  throw unusable(
    place('ConsumedQuantity'),
    `${meter} counts whole things, and ${written.slice(0, 40)} is none.`,
  )
}
