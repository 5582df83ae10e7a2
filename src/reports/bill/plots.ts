import type { Picos } from '../../money/money.ts'
import { type Html, html, raw } from './html.ts'

/** One bar of a plot over time: its name below, where it has one, and its parts from the bottom up. */
export type StackedBar = { readonly label: string | null; readonly parts: readonly Picos[] }

/** How many series have a pattern of their own; what more there is belongs to the last. */
export const seriesMax = 5

const [top, height, below] = [22, 176, 26]

/** Bars over time, each a stack of series that differ in colour and in pattern. The width is that of the page; texts keep
 * their size. What the lines are worth stands in the padding on the left. Nothing is drawn below zero. */
export const stackedBars = (plot: {
  readonly id: string
  readonly title: string
  readonly description: string
  readonly bars: readonly StackedBar[]
  readonly tick: (amount: Picos) => string
}): Html => {
  const { id, title, description, bars, tick } = plot
  const sums = bars.map(({ parts }) => parts.reduce((sum, part) => sum + positive(part), 0n))
  const { step, most } = scaleOf(largest(sums))
  const y = (amount: Picos): number => round(top + height - height * ratio(amount, most))
  const slot = 100 / Math.max(1, bars.length)
  const lines: Html[] = []
  for (let amount = step; amount <= most; amount += step) {
    lines.push(
      html`<line class="grid" x1="0" x2="100%" y1="${y(amount)}" y2="${y(amount)}"/><text x="-8" y="${round(y(amount) + 4)}" text-anchor="end">${tick(amount)}</text>`,
    )
  }
  return html`<svg class="plot" role="img" aria-labelledby="${id}-title ${id}-desc" width="100%" height="${top + height + below}"><title id="${id}-title">${title}</title><desc id="${id}-desc">${description}</desc>${lines}${bars.map(
    (bar, index) => stack(bar, { left: round(index * slot + slot * 0.14), width: round(slot * 0.72), y }),
  )}<line class="axis" x1="0" x2="100%" y1="${top + height}" y2="${top + height}"/>${bars.map(
    ({ label }, index) => (label === null ? null : barLabel(label, index, bars.length)),
  )}</svg>`
}

const stack = (
  { parts }: StackedBar,
  { left, width, y }: { left: number; width: number; y: (amount: Picos) => number },
): Html => {
  let below = 0n
  return html`${parts.map((part, series) => {
    if (part <= 0n) return null
    const [bottom, upper] = [y(below), y(below + part)]
    below += part
    const size = round(Math.max(0.6, bottom - upper - (upper > top && series < parts.length - 1 ? 1 : 0)))
    return html`<rect class="s${series}" x="${left}%" y="${round(bottom - size)}" width="${width}%" height="${size}"/>`
  })}`
}

const barLabel = (label: string, index: number, count: number): Html => {
  const anchor = index === 0 ? 'start' : index === count - 1 ? 'end' : 'middle'
  const x = round(((index + (anchor === 'start' ? 0.14 : anchor === 'end' ? 0.86 : 0.5)) / count) * 100)
  return html`<text class="label" x="${x}%" y="${top + height + 18}" text-anchor="${anchor}">${label}</text>`
}

/** A share of a whole as a bar beside its number, which says the same: so it is hidden from those who listen. */
export const shareBar = (part: Picos, whole: Picos): Html =>
  html`<svg class="bar" aria-hidden="true" focusable="false" width="100%" height="10"><rect class="track" width="100%" height="10" rx="2"/><rect class="fill" width="${round(100 * ratio(part, whole))}%" height="10" rx="2"/></svg>`

/** A change as a bar from the middle: to the right more, to the left less. */
export const changeBar = (part: Picos, most: Picos): Html => {
  const size = round(50 * ratio(part < 0n ? -part : part, most))
  const x = part < 0n ? 50 - size : 50
  return html`<svg class="bar" aria-hidden="true" focusable="false" width="100%" height="14"><line class="axis" x1="50%" x2="50%" y1="0" y2="14"/><rect class="${part < 0n ? 'less' : 'more'}" x="${round(x)}%" y="2" width="${size}%" height="10"/></svg>`
}

/** Parts of a whole side by side, in the colours and patterns of the series. The title says them. */
export const partsBar = (plot: {
  readonly id: string
  readonly title: string
  readonly parts: readonly { readonly series: number; readonly amount: Picos }[]
}): Html => {
  const whole = plot.parts.reduce((sum, { amount }) => sum + positive(amount), 0n)
  let left = 0
  return html`<svg class="parts" role="img" aria-labelledby="${plot.id}" width="100%" height="22"><title id="${plot.id}">${plot.title}</title>${plot.parts.map(
    ({ series, amount }) => {
      const width = 100 * ratio(amount, whole)
      const x = left
      left += width
      return width === 0
        ? null
        : html`<rect class="s${series}" x="${round(x)}%" width="${round(width)}%" height="22"/><line class="gap" x1="${round(x)}%" x2="${round(x)}%" y1="0" y2="22"/>`
    },
  )}</svg>`
}

/** The course of an amount, small enough to stand in a line of a table. */
export const sparkline = (id: string, title: string, amounts: readonly Picos[]): Html => {
  const most = largest(amounts)
  const points = amounts.map((amount, index) => {
    const x = amounts.length < 2 ? 50 : (100 * index) / (amounts.length - 1)
    return `${round(x)},${round(22 - 20 * ratio(amount, most))}`
  })
  return html`<svg class="spark" role="img" aria-labelledby="${id}" viewBox="0 0 100 24" preserveAspectRatio="none"><title id="${id}">${title}</title><polyline points="${points.join(' ')}"/></svg>`
}

/** The patterns of the series, once in a page. */
export const patterns: Html = raw(
  [
    '<svg class="hidden" aria-hidden="true" focusable="false" width="0" height="0"><defs>',
    pattern(1, '<path d="M0 6L6 0M-1 1L1 -1M5 7L7 5"/>'),
    pattern(2, '<circle cx="3" cy="3" r="1.1"/>'),
    pattern(3, '<path d="M0 3H6"/>'),
    pattern(4, '<path d="M0 0L6 6M0 6L6 0"/>'),
    '</defs></svg>',
  ].join(''),
)

function pattern(series: number, drawn: string): string {
  return `<pattern id="pattern-${series}" class="pattern-${series}" width="6" height="6" patternUnits="userSpaceOnUse"><rect width="6" height="6"/>${drawn}</pattern>`
}

/** A square in the colour and pattern of a series. */
export const swatch = (series: number): Html =>
  html`<svg class="swatch" aria-hidden="true" focusable="false" width="14" height="14"><rect class="s${series}" width="14" height="14" rx="2"/></svg>`

const largest = (amounts: readonly Picos[]): Picos => {
  let most = 0n
  for (const amount of amounts) if (amount > most) most = amount
  return most
}

/** At most five lines, at one, two or five times a power of ten. */
const scaleOf = (most: Picos): { readonly step: Picos; readonly most: Picos } => {
  if (most <= 0n) return { step: 1n, most: 1n }
  const power = 10n ** BigInt(`${most}`.length - 1)
  const steps = [power / 5n, power / 2n, power, power * 2n].filter((step) => step > 0n)
  const step = steps.find((each) => most <= each * 5n) ?? power
  return { step, most: ((most + step - 1n) / step) * step }
}

const positive = (amount: Picos): Picos => (amount > 0n ? amount : 0n)

/** From 0 to 1. */
const ratio = (part: Picos, whole: Picos): number =>
  whole <= 0n || part <= 0n ? 0 : Math.min(1, Number((part * 100_000n) / whole) / 100_000)

const round = (value: number): number => Math.round(value * 100) / 100
