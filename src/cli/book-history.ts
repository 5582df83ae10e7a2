import { multiply, rational } from '../money/rational.ts'
import { formatInstant, type Instant } from '../time.ts'
import { type Meter, meterFacts } from '../usage/meter.ts'
import {
  appliesTo,
  comparedPrice,
  comparedUnits,
  createFootnotes,
  dayOf,
  type NamedPrice,
  priceJson,
} from './book-prices.ts'
import { formatJson } from './json.ts'
import { drawSteps, drawTimeAxis, type Step } from './step-plot.ts'
import { formatTable } from './table.ts'

/** The prices of one meter for the same calls, one after the other. `units`: what they are compared by. */
export type Series = {
  readonly meter: Meter
  readonly appliesTo: string
  readonly currency: string
  readonly units: bigint
  readonly prices: readonly NamedPrice[]
}

/** Sorts the prices of a name into series: one for each meter, what it applies to and currency. */
export const seriesOf = (prices: readonly NamedPrice[]): readonly Series[] => {
  const groups = Map.groupBy(prices, ({ price }) => `${price.meter}\n${appliesTo(price)}\n${price.currency}`)
  return [...groups.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, group]): Series[] => {
      const ordered = group.toSorted((a, b) => a.from - b.from)
      const last = ordered.at(-1)?.price
      if (last === undefined) return []
      const { meter, currency } = last
      return [{ meter, appliesTo: appliesTo(last), currency, units: comparedUnits(last), prices: ordered }]
    })
}

const titleOf = ({ meter, appliesTo, currency, units }: Series): string => {
  const { unit } = meterFacts(meter)
  const each = units === 1n ? `a ${unit}` : `${units.toLocaleString('en-US')} ${unit}s`
  return `${meter}, ${appliesTo}: ${currency} for ${each}`
}

/** Draws each series and lists its prices. `now` divides what was from what is scheduled. */
export const formatHistory = (
  series: readonly Series[],
  { name, now, color }: { readonly name: string; readonly now: Instant; readonly color: boolean },
): string => {
  const all = series.flatMap(({ prices }) => prices)
  const start = Math.min(...all.map(({ from }) => from))
  const scheduled = all
    .flatMap(({ from, to }) => [from, ...(to === null ? [] : [to])])
    .filter((at) => at > now)
  const end =
    scheduled.length === 0 ? Math.max(now, start + dayMs) : Math.max(...scheduled) + (now - start) / 8
  const frame = { start, end, now, width: plotWidth }
  const footnotes = createFootnotes()
  const parts = series.map((each) => {
    const { prices } = each
    const steps = prices
      .filter(({ price }) => price.supersededOn === null)
      .map((price) => stepOf(price, each.units))
    const lines = drawSteps(steps, frame)
    const margin = Math.max(0, ...steps.map(({ label }) => label.length))
    const dates = [start, ...prices.flatMap(({ from, to }) => [from, to ?? from]), Math.min(now, end)]
    const axis = drawTimeAxis(
      [...new Set(dates)].map((at) => ({ at, label: dayOf(at).slice(0, 10) })),
      frame,
      margin,
    )
    return `${titleOf(each)}\n${[...lines, ...axis].map((line) => `  ${line}\n`).join('')}\n${tableOf(prices, footnotes, color)}`
  })
  return `${name}\n\n${parts.join('\n')}\n${footnotes.lines()}`
}

const plotWidth = 64
const dayMs = 86_400_000

const stepOf = ({ price, from, to }: NamedPrice, units: bigint): Step => ({
  from,
  to,
  level: multiply(price.rate.perUnit, rational(units)),
  label: comparedPrice(price, units),
})

const tableOf = (
  prices: readonly NamedPrice[],
  footnotes: ReturnType<typeof createFootnotes>,
  color: boolean,
): string => {
  const rows = prices.map(({ price, from, to }) => [
    `${price.fromPrecision === 'exact' || from !== price.from ? '' : '~'}${dayOf(from)}`,
    to === null ? '' : dayOf(to),
    `${price.rate.unitPrice} / ${price.rate.per}`,
    price.model ?? '(any)',
    price.confidence,
    price.supersededOn === null ? (price.row.endReason ?? '') : `superseded on ${dayOf(price.supersededOn)}`,
    footnotes.mark(price),
  ])
  return formatTable(columns, rows, { color })
}

const columns = [
  { title: 'from' },
  { title: 'until' },
  { title: 'price / units', align: 'right' },
  { title: 'model' },
  { title: 'confidence' },
  { title: 'then' },
  { title: 'source' },
] as const

/** A history as `octroi book history --json` prints it. */
export const formatHistoryJson = (
  series: readonly Series[],
  asked: { readonly name: string; readonly provider: string; readonly version: string },
): string =>
  `${formatJson({
    schema: 'octroi-book-history/1',
    version: asked.version,
    name: asked.name,
    provider: asked.provider,
    series: series.map(({ meter, appliesTo, currency, prices }) => ({
      meter,
      appliesTo,
      currency,
      prices: prices.map(({ price, from, to }) => ({
        from: formatInstant(from),
        to: to === null ? null : formatInstant(to),
        price: priceJson(price),
      })),
    })),
  })}\n`
