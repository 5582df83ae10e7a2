import type { Picos } from '../../money/money.ts'
import { meanPriceOf } from '../bill-price.ts'
import { shareOf } from '../share.ts'
import type { SpendReport } from '../spend.ts'
import type { SpendGroup } from '../spend-group.ts'
import { receiptQuery } from '../spend-query.ts'
import { capital, countOf, othersName, type Section } from './first.ts'
import { type Html, html } from './html.ts'
import { heading, named, type PageColumn, receiptOf, table } from './parts.ts'
import { sparkline } from './plots.ts'
import { dimensionWord, said, unitWord } from './words.ts'

/** Every list of the bill, with what each came to before. */
export const details = (section: Section): Html => {
  const { bill, level, page } = section
  const { words } = page
  const below = level === 2 ? 3 : 4
  const title = said(words.by, { dimension: dimensionWord(words, bill.by) })
  const list = (name: string, report: SpendReport, more: readonly PageColumn<Row>[] = []): Html =>
    html`${heading(below, name)}${listOf(section, { report, caption: name, more })}`
  return html`<section>${heading(level, words.details)}<p class="soft">${words.receiptHow}</p>${list(title, bill.groups, [courseColumn(section)])}${list(words.models, bill.models)}${heading(below, words.meters)}<p class="soft">${words.meanOf}</p>${meters(section)}${
    bill.by === 'key' ? null : list(words.keys, bill.keys)
  }${bill.by === 'project' ? null : list(words.projects, bill.projects)}</section>`
}

type Row = { readonly name: string; readonly group: SpendGroup; readonly kind: 'group' | 'others' | 'total' }

const listOf = (
  { currency, total, format, page }: Section,
  { report, caption, more }: { report: SpendReport; caption: string; more: readonly PageColumn<Row>[] },
): Html => {
  const { words } = page
  const money = (amount: Picos): string => format.money(amount, currency)
  const [title = ''] = report.by.slice(-1)
  return table<Row>({
    caption,
    columns: [
      {
        ...{ title: capital(dimensionWord(words, title)), align: 'left' },
        cell: ({ name, group, kind }) =>
          kind === 'group'
            ? html`${named(name)}${receiptOf(page, receiptQuery(report, group, report.by), name)}`
            : name,
      },
      { title: words.cost, cell: ({ group }) => money(group.amount) },
      { title: words.share, cell: ({ group }) => format.share(shareOf(group.amount, total.amount)) },
      { title: words.before, cell: ({ group }) => money(group.change?.before ?? 0n) },
      { title: words.change, cell: ({ group }) => format.change(group.change?.delta ?? 0n, currency) },
      {
        title: words.calls,
        cell: ({ group: { calls } }) => (calls === null ? '\u2013' : format.count(calls)),
      },
      ...more,
    ],
    ...rowsOf(report, { total, currency, othersName: (count) => othersName(page, format, count), words }),
  })
}

const rowsOf = (
  report: SpendReport,
  by: {
    readonly total: SpendGroup
    readonly currency: string
    readonly othersName: (count: number) => string
    readonly words: { readonly none: string; readonly total: string }
  },
): { readonly rows: readonly Row[]; readonly foot: readonly Row[] } => {
  const own = report.groups.filter(({ currency }) => currency === by.currency)
  const count = countOf(report, by.currency)
  const rest = report.others.find(({ currency }) => currency === by.currency)
  return {
    rows: [
      ...own.map((group): Row => {
        return {
          group,
          name: group.names.map((name) => name ?? by.words.none).join(' \u00B7 '),
          kind: 'group',
        }
      }),
      ...(rest === undefined ? [] : [{ group: rest, name: by.othersName(count), kind: 'others' } as const]),
    ],
    foot: [{ group: by.total, name: by.words.total, kind: 'total' }],
  }
}

/** The course of each group over the days or months. */
const courseColumn = ({ bill, currency, format, page }: Section): PageColumn<Row> => {
  const stretches = bill.stretches.filter((stretch) => stretch.currency === currency)
  return {
    title: page.words.trend,
    cell: ({ group, name, kind }) => {
      if (kind !== 'group') return ''
      const amounts = stretches.map(
        ({ parts }) => parts.find((part) => part.name === group.names[0])?.amount ?? 0n,
      )
      const sorted = amounts.toSorted((a, b) => Number(a > b) - Number(a < b))
      const [least, most] = [sorted[0] ?? 0n, sorted.at(-1) ?? 0n]
      const title = said(page.words.trendOf, {
        name,
        least: format.money(least, currency),
        most: format.money(most, currency),
        unit: bill.every === 'day' ? page.words.unitDay : page.words.unitMonth,
      })
      return sparkline(page.id(), title, amounts)
    },
  }
}

const meters = ({ bill, currency, total, format, page }: Section): Html => {
  const { words } = page
  const report = bill.meters
  const isPer = (per: bigint, unit: string): string =>
    per === 1n ? unitWord(words, unit) : `${words.million} ${unitWord(words, unit)}`
  return table<Row>({
    caption: words.meters,
    columns: [
      {
        ...{ title: words.meter, align: 'left' },
        cell: ({ group, kind, name }) =>
          kind === 'group'
            ? html`${named(group.names[2] ?? words.none)}<br><span class="soft">${named(
                group.names
                  .slice(0, 2)
                  .map((each) => each ?? words.none)
                  .join(' \u00B7 '),
              )}</span>${receiptOf(page, receiptQuery(report, group, report.by), name)}`
            : name,
      },
      { title: words.cost, cell: ({ group }) => format.money(group.amount, currency) },
      { title: words.share, cell: ({ group }) => format.share(shareOf(group.amount, total.amount)) },
      {
        title: words.quantity,
        cell: ({ group: { quantity }, kind }) =>
          quantity === null || kind !== 'group' ? '\u2013' : format.quantity(quantity.amount),
      },
      {
        title: words.mean,
        cell: ({ group, kind }) => {
          const mean = kind === 'group' ? meanPriceOf(group) : null
          if (mean === null) return '\u2013'
          const [price, per] = [format.price(mean.price, currency), isPer(mean.per, mean.unit)]
          return html`${price}<br><span class="soft">/ ${per}</span>`
        },
      },
      {
        title: words.change,
        cell: ({ group }) => format.change(group.change?.delta ?? 0n, currency),
      },
    ],
    ...rowsOf(report, { total, currency, othersName: (count) => othersName(page, format, count), words }),
  })
}
