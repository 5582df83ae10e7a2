import type { BillReport, BillStretch } from '../bill.ts'
import { stretchReceipt } from '../bill-json.ts'
import { shareOf } from '../share.ts'
import type { SpendReport } from '../spend.ts'
import type { SpendGroup } from '../spend-group.ts'
import { receiptQuery } from '../spend-query.ts'
import type { Format } from './format.ts'
import { type Html, html } from './html.ts'
import { beside, heading, named, type Page, receiptOf, table } from './parts.ts'
import { changeBar, seriesMax, shareBar, stackedBars, swatch } from './plots.ts'
import { dimensionWord, said, stateWord } from './words.ts'

/** What the sections of one currency are made from. `level` is that of their headings. */
export type Section = {
  readonly bill: BillReport
  readonly currency: string
  readonly total: SpendGroup
  readonly level: 2 | 3
  readonly format: Format
  readonly page: Page
}

/** The first thing that is seen: how much, for when, against what, and how final that is. */
export const summary = ({ bill, currency, total, format, page }: Section): Html => {
  const { words } = page
  const { before = 0n, delta = 0n } = total.change ?? {}
  const period = format.period(bill.before)
  const share = before > 0n ? shareOf(delta, before) : null
  return html`<div class="summary"><div><p class="soft">${words.total}</p><p class="amount">${format.money(total.amount, currency)}</p>${
    total.calls === null ? null : html`<p class="soft">${callsOf(format, total.calls)}</p>`
  }${receiptOf(page, receiptQuery(bill.total, total, []), words.total)}</div><div>${
    before === 0n
      ? html`<p class="delta">${said(words.firstPeriod, { period })}</p>`
      : html`<p class="delta">${
          delta === 0n
            ? said(words.noChange, { period })
            : html`${delta > 0n ? '\u25B2' : '\u25BC'} <b>${format.change(delta, currency)}</b> (<b>${format.changeShare(share)}</b>) ${said(words.against, { amount: format.money(before, currency), period })}`
        }</p>`
  }${
    total.list === total.amount
      ? null
      : html`<p class="soft">${said(words.list, { amount: format.money(total.list, currency) })}</p>`
  }<p><span class="state"><span aria-hidden="true">${stateSigns[bill.state]}</span>${stateWord(words, bill.state)}</span></p></div></div>`
}

const stateSigns = { running: '\u25D4', ended: '\u25CB', closed: '\u25CF' } as const

const callsOf = (format: Format, calls: number): string =>
  said(format.words.callsOf, { count: format.count(calls) })

/** Who and what: the largest groups and models, each with its share as a bar. */
export const whoAndWhat = (section: Section): Html => {
  const { bill, page } = section
  const { words } = page
  const title = bill.by === 'team' ? words.who : said(words.by, { dimension: dimensionWord(words, bill.by) })
  return html`<section class="pair"><div>${heading(section.level, title)}${ranking(section, bill.groups, {
    ...{ title, name: dimensionWord(words, bill.by) },
    summary: words.whoSummary,
  })}</div><div>${heading(section.level, words.what)}${ranking(section, bill.models, {
    ...{ title: words.what, name: words.model },
    summary: words.whatSummary,
  })}</div></section>`
}

type RankedRow = { readonly group: SpendGroup; readonly name: string; readonly isOthers: boolean }

const rankedMax = 6

const ranking = (
  { currency, total, format, page }: Section,
  report: SpendReport,
  {
    title,
    name,
    summary: sentence,
  }: { readonly title: string; readonly name: string; readonly summary: string },
): Html => {
  const groups = report.groups.filter((group) => group.currency === currency)
  const isAll = groups.length <= rankedMax + 1 && countOf(report, currency) === 0
  const rows = (isAll ? groups : groups.slice(0, rankedMax)).map((group): RankedRow => {
    return { group, name: group.names.at(-1) ?? page.words.none, isOthers: false }
  })
  const [first] = rows
  const shown = (amount: bigint): string => format.money(amount, currency)
  const spent = rows.reduce((sum, { group }) => sum + group.amount, 0n)
  const count = groups.length - rows.length + countOf(report, currency)
  return html`${
    first === undefined
      ? null
      : html`<p>${said(sentence, { name: first.name, amount: shown(first.group.amount), share: format.share(first.group.share) })}</p>`
  }${table<RankedRow>({
    caption: title,
    columns: [
      {
        ...{ title: capital(name), align: 'left' },
        cell: ({ name: own, group, isOthers }) =>
          isOthers ? own : html`${named(own)}${receiptOf(page, receiptQuery(report, group, report.by), own)}`,
      },
      { title: page.words.cost, cell: ({ group }) => shown(group.amount) },
      {
        ...{ title: page.words.share, kind: 'wide' },
        cell: ({ group: { amount } }) =>
          beside(shareBar(amount, total.amount), format.share(shareOf(amount, total.amount))),
      },
    ],
    rows: [
      ...rows,
      ...(count === 0
        ? []
        : [
            {
              ...{ name: othersName(page, format, count), isOthers: true },
              group: { ...total, amount: total.amount - spent },
            },
          ]),
    ],
  })}`
}

/** How many groups a report leaves out in a currency. */
export const countOf = ({ others }: SpendReport, currency: string): number =>
  others.find((group) => group.currency === currency)?.count ?? 0

/** What the groups are called that are not listed. */
export const othersName = ({ words }: Page, format: Format, count: number): string =>
  count === 1 ? words.other : said(words.others, { count: format.count(count) })

/** The first letter as a capital. */
export const capital = (text: string): string => text.slice(0, 1).toLocaleUpperCase() + text.slice(1)

/** When: a bar for each day or month, stacked by the largest groups, with its table. */
export const when = (section: Section): Html => {
  const { bill, currency, format, page, level } = section
  const { words } = page
  const stretches = bill.stretches.filter((stretch) => stretch.currency === currency)
  const series = seriesOf(section, stretches)
  const dearest = stretches.reduce<BillStretch | null>(
    (most, each) => (most === null || each.amount > most.amount ? each : most),
    null,
  )
  const nameOf = ({ from }: BillStretch): string =>
    bill.every === 'day' ? format.day(from) : format.month(from)
  const money = (amount: bigint): string => format.money(amount, currency)
  const sum = stretches.reduce((all, { amount }) => all + amount, 0n)
  const count = BigInt(Math.max(1, stretches.filter(({ from }) => from < bill.madeAt).length))
  const sentence = said(bill.every === 'day' ? words.whenSummaryDay : words.whenSummaryMonth, {
    name: dearest === null ? '' : nameOf(dearest),
    amount: money(dearest?.amount ?? 0n),
    mean: money(sum / count),
  })
  const title = bill.every === 'day' ? words.whenTitleDay : words.whenTitleMonth
  const spacing = Math.max(1, Math.ceil(stretches.length / 4))
  return html`<section>${heading(level, words.when)}<p>${sentence}</p><ul class="legend">${series.map(
    ({ name }, index) => html`<li>${swatch(index)}${named(name)}</li>`,
  )}</ul>${stackedBars({
    id: page.id(),
    ...{ title, description: sentence },
    bars: stretches.map((stretch, index) => ({
      label:
        index % spacing === 0
          ? bill.every === 'day'
            ? format.shortDay(stretch.from)
            : format.month(stretch.from)
          : null,
      parts: series.map(({ amountOf }) => amountOf(stretch)),
    })),
    tick: (amount) => format.tick(amount, currency),
  })}<details><summary>${words.table}<span class="hidden"> ${title}</span></summary>${table<BillStretch>({
    caption: title,
    columns: [
      {
        ...{ title: bill.every === 'day' ? words.day : words.month, align: 'left' },
        cell: (stretch) =>
          html`${nameOf(stretch)}${receiptOf(page, stretchReceipt(bill, stretch), nameOf(stretch))}`,
      },
      { title: words.calls, cell: ({ calls }) => format.count(calls) },
      ...series.map(({ name, amountOf }) => ({
        title: name,
        cell: (stretch: BillStretch) => money(amountOf(stretch)),
      })),
      { title: words.total, cell: ({ amount }) => money(amount) },
    ],
    rows: stretches,
  })}</details></section>`
}

type Series = { readonly name: string; readonly amountOf: (stretch: BillStretch) => bigint }

/** The largest groups, and all others as the last. */
const seriesOf = ({ page: { words } }: Section, stretches: readonly BillStretch[]): readonly Series[] => {
  const names = stretches[0]?.parts.map(({ name }) => name ?? words.none) ?? []
  const isAll = names.length <= seriesMax && stretches.every(({ rest }) => rest === 0n)
  const shown = isAll ? names.length : Math.min(names.length, seriesMax - 1)
  const series = names.slice(0, shown).map((name, index): Series => {
    return { name, amountOf: ({ parts }) => parts[index]?.amount ?? 0n }
  })
  if (isAll) return series
  const restOf = ({ parts, rest }: BillStretch): bigint =>
    parts.slice(shown).reduce((sum, { amount }) => sum + amount, rest)
  return [...series, { name: words.rest, amountOf: restOf }]
}

/** Why it is more or less than before: price, volume and mix. */
export const why = ({ total, currency, format, page, level }: Section): Html | null => {
  const { change } = total
  if (change === null || change.before === 0n) return null
  const { words } = page
  const effects = (['price', 'volume', 'mix'] as const).map((part) => ({
    amount: change[part],
    name: words[`by${capitals[part]}`],
    means: words[`by${capitals[part]}Means`],
    isSum: false,
  }))
  const most = effects.reduce((size, { amount }) => {
    const own = amount < 0n ? -amount : amount
    return own > size ? own : size
  }, 1n)
  const money = (amount: bigint): string => format.change(amount, currency)
  type Effect = (typeof effects)[number]
  return html`<div class="sums">${heading(level, words.why)}<p>${said(words.whySummary, {
    before: format.money(change.before, currency),
    now: format.money(total.amount, currency),
    ...{ price: money(change.price), volume: money(change.volume), mix: money(change.mix) },
  })}</p>${table<Effect>({
    caption: words.why,
    columns: [
      {
        ...{ title: words.change, align: 'left' },
        cell: ({ name, means }) => html`${name}<br><span class="soft">${means}</span>`,
      },
      {
        ...{ title: words.cost, kind: 'wide' },
        cell: ({ amount, isSum }) => (isSum ? money(amount) : beside(changeBar(amount, most), money(amount))),
      },
    ],
    rows: effects,
    foot: [{ amount: change.delta, name: words.total, means: '', isSum: true }],
  })}</div>`
}

const capitals = { price: 'Price', volume: 'Volume', mix: 'Mix' } as const
