import { formatPicos, type Picos } from '../money/money.ts'
import { formatInstant } from '../time.ts'
import type { QuotedRequest } from './quote-item.ts'
import { formatTable } from './table.ts'

/** Lays a quote out for people: what the call costs, what it can use, and why these are apart. */
export const formatQuoteTable = (
  { call, endpoint, quote, reasons }: QuotedRequest,
  options: { readonly color: boolean },
): string => {
  const costs = [
    ['least', amount(quote.least)],
    ...(quote.expected === null ? [] : [['expected', amount(quote.expected)]]),
    ['most', amount(quote.most)],
  ]
  const bounds = quote.usage.map(({ meters: [meter], least, most }) => [
    meter,
    String(least),
    most === null ? '?' : String(most),
  ])
  return [
    `${endpoint} with ${call.model} (${call.provider}), priced on ${formatInstant(call.at).slice(0, 10)}\n`,
    formatTable([{ title: '' }, { title: `cost ${quote.currency}`, align: 'right' }], costs, options),
    formatTable(
      [{ title: 'meter' }, { title: 'least', align: 'right' }, { title: 'most', align: 'right' }],
      bounds,
      options,
    ),
    reasons.map((line) => `${line}\n`).join(''),
  ]
    .filter((part) => part !== '')
    .join('\n')
}

const amount = (picos: Picos | null): string => (picos === null ? '?' : formatPicos(picos))
