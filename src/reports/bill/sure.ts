import type { Basis } from '../../ledger/entry.ts'
import { formatInstant } from '../../time.ts'
import type { BillReport } from '../bill.ts'
import { shareOf } from '../share.ts'
import { receiptQuery } from '../spend-query.ts'
import { formatWhere } from '../spend-where.ts'
import type { Section } from './first.ts'
import type { Format } from './format.ts'
import { type Html, html } from './html.ts'
import { heading, named, receiptOf, table } from './parts.ts'
import { partsBar, swatch } from './plots.ts'
import { basisWords, said } from './words.ts'

/** In the order of how sure they are, and the series whose colour each has. */
const bases: readonly (readonly [basis: Basis, series: number])[] = [
  ['reconciled', 2],
  ['measured', 0],
  ['imported', 1],
  ['estimated', 3],
]

/** How sure the total is: by its basis, by what has no price. */
export const sure = ({ bill, currency, total, format, page, level }: Section): Html => {
  const { words } = page
  const rows = bases.flatMap(([basis, series]) => {
    const amount = total.basis[basis]
    return amount === 0n ? [] : [{ basis, series, amount, ...basisWords(words, basis) }]
  })
  const share = shareOf(total.basis.measured + total.basis.reconciled, total.amount)
  const sentence = said(words.sureSummary, { share: format.share(share) })
  type Row = (typeof rows)[number]
  return html`<div>${heading(level, words.sure)}<p>${sentence}</p>${partsBar({
    id: page.id(),
    title: [words.sure, ...rows.map(({ name, amount }) => `${name} ${format.money(amount, currency)}`)].join(
      ', ',
    ),
    parts: rows,
  })}${table<Row>({
    caption: words.sure,
    columns: [
      {
        ...{ title: words.basis, align: 'left' },
        cell: ({ basis, series, name, means }) =>
          html`<span class="named">${swatch(series)}<span>${name}<br><span class="soft">${means}</span></span></span>${receiptOf(
            page,
            receiptQuery(bill.total, { names: [basis], currency }, ['basis']),
            name,
          )}`,
      },
      { title: words.cost, cell: ({ amount }) => format.money(amount, currency) },
      { title: words.share, cell: ({ amount }) => format.share(shareOf(amount, total.amount)) },
    ],
    rows,
  })}</div>`
}

/** What the total leaves out, and the history in it that was sent again. */
export const leftOut = ({ bill, currency, total, format, page, level }: Section): Html => {
  const { words } = page
  const { resent } = total
  const some = bill.models.groups.filter(
    (group) => group.currency === currency && group.unpricedMeters.length > 0,
  )
  const isNone = total.unpricedMeters.length === 0
  const listed = some.map(({ names, unpricedMeters }) => `${names.join(' ')}: ${unpricedMeters.join(', ')}`)
  return html`<div>${heading(level, words.unpriced)}${
    isNone
      ? html`<p>${words.unpricedNone}</p>`
      : html`<div class="warn"><p>${words.unpricedSome} ${said(words.unpricedCalls, { count: format.count(total.unpriced ?? 0) })}</p><ul>${(
          listed.length === 0 ? [total.unpricedMeters.join(', ')] : listed
        ).map((line) => html`<li>${named(line)}</li>`)}</ul></div>`
  }${
    resent === null || resent.amount === 0n
      ? null
      : html`<p>${said(words.resent, { amount: format.money(resent.amount, currency), share: format.share(resent.share) })}</p>`
  }</div>`
}

/** When it was made, until when it knows, and what is closed of it. */
export const freshness = (bill: BillReport, format: Format): Html => {
  const { words } = format
  const at = { made: format.moment(bill.madeAt), zone: bill.timeZone }
  return html`<p>${
    bill.knownUntil === null
      ? said(words.freshNone, at)
      : said(words.fresh, { ...at, until: format.moment(bill.knownUntil) })
  } <time class="hidden" datetime="${formatInstant(bill.madeAt)}">${formatInstant(bill.madeAt)}</time></p>${
    bill.closed.length === 0
      ? html`<p>${words.openStill}</p>`
      : html`<ul>${bill.closed.map(
          ({ provider, at: closedAt, note, ...period }) =>
            html`<li>${said(words.closedFor, { provider: provider ?? words.closedAll, period: format.period(period), at: format.moment(closedAt) })}${
              note === null ? null : html` ${named(said(words.closedNote, { note }))}`
            }</li>`,
        )}</ul>`
  }${bill.where.length === 0 ? null : html`<p>${said(words.where, { where: formatWhere(bill.where) })}</p>`}`
}
