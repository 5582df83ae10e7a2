import type { BillReport } from '../bill.ts'
import { details } from './details.ts'
import { type Section, summary, when, whoAndWhat, why } from './first.ts'
import { type BillLanguage, createFormat } from './format.ts'
import { type Html, html, raw } from './html.ts'
import { heading, type Page, quoted } from './parts.ts'
import { patterns } from './plots.ts'
import { style } from './style.ts'
import { freshness, leftOut, sure } from './sure.ts'
import { said } from './words.ts'

/** What a page may load: nothing. Its style stands in it, and it has no script. */
export const billPolicy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"

/** A bill as one page of HTML that needs nothing else: no script, no font, no image. `ledger`: the file that receipts are
 * read from, where the commands must name it. */
export const billPage = (
  bill: BillReport,
  { language, ledger }: { readonly language: BillLanguage; readonly ledger: string | null },
): string => {
  const format = createFormat(language, bill.timeZone)
  const { words } = format
  const title = said(words.title, { period: format.period(bill) })
  let ids = 0
  const page: Page = {
    words,
    receiptCommand: `octroi report receipt${ledger === null ? '' : ` --ledger ${quoted(ledger)}`}`,
    id: () => {
      ids += 1
      return `part-${ids}`
    },
  }
  const totals = bill.total.totals
  const level = totals.length > 1 ? 3 : 2
  const sections = totals.map((total): Section => {
    return { bill, currency: total.currency, total, level, format, page }
  })
  const body = html`<body>${patterns}<header><p class="brand"><b>${words.product}</b><span>${format.moment(bill.madeAt)} (${bill.timeZone})</span></p><h1>${title}</h1></header><main>${
    sections.length === 0
      ? html`<section><p>${words.nothing}</p></section>`
      : sections.map((section) => shown(section, sections.length > 1))
  }</main><footer>${freshness(bill, format)}<p>${said(words.footer, { zone: bill.timeZone })}</p></footer></body>`
  return `<!doctype html>\n${
    html`<html lang="${language}"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${raw(billPolicy)}"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer"><title>${title}</title><style>${raw(style)}</style></head>${body}</html>`
      .html
  }\n`
}

const shown = (section: Section, isNamed: boolean): Html =>
  html`${isNamed ? heading(2, said(section.page.words.inCurrency, { currency: section.currency })) : null}${summary(section)}${whoAndWhat(section)}${when(section)}<section class="pair"><div>${why(section)}${leftOut(section)}</div>${sure(section)}</section>${details(section)}`
