import { formatPicos } from '../money/money.ts'
import { formatScaled, type Rational, roundHalfEven } from '../money/rational.ts'
import type { CapSaving } from '../reports/conversation-caps.ts'
import type { ConversationSpend } from '../reports/conversations.ts'
import type { MeterSum } from '../reports/meter-sums.ts'
import { formatShare, shareOf } from '../reports/share.ts'
import { type Meter, meterNames } from '../usage/meter.ts'
import type { ReadConversation, ReadConversations } from './conversation-readings.ts'
import { type DrawnTurn, drawTurns } from './plan-plot.ts'
import { capsOf } from './plan-table.ts'
import { formatCount } from './reports.ts'
import { type Column, formatTable } from './table.ts'

type Printing = { readonly color: boolean; readonly plot: boolean }

/** The dearest conversations as a table for people, a line each; columns that none of them has are left out. Below it
 * what caps would have saved of them. */
export const conversationsTable = (
  { listed, caps }: ReadConversations,
  { color, plot }: Printing,
): string => {
  const spends = listed.map(({ spend }) => spend)
  const shown = figuresOf(spends)
  const table = formatTable(
    shown,
    spends.map((spend) => shown.map(({ cell }) => cell(spend))),
    { color },
  )
  return [
    table,
    ...currenciesOf(spends).flatMap((currency) => {
      const some = listed.filter(({ spend }) => spend.currency === currency)
      return [
        ...(plot ? [plotOf(some.map(drawnConversation), { currency, each: 'conversation' })] : []),
        capsTable(caps.get(currency) ?? [], { listed: some, currency, color }),
      ]
    }),
  ]
    .filter((part) => part !== '')
    .join('\n')
}

/** What each cap would have saved of some conversations, and what it takes for granted; nothing where no cap would. */
export const capsTable = (
  caps: readonly CapSaving[],
  {
    listed,
    currency,
    color,
  }: { readonly listed: readonly ReadConversation[]; readonly currency: string; readonly color: boolean },
): string => {
  const worth = caps.filter(({ tokens }) => tokens > 0n)
  if (worth.length === 0) return ''
  const total = listed.reduce((sum, { spend }) => sum + (spend.conversation === null ? 0n : spend.amount), 0n)
  const [one] = listed
  const title = listed.length === 1 || one === undefined ? 'the same with' : 'each of these with'
  const columns = [
    { title },
    ...['turns shortened', 'input left out', `saved ${currency}`, 'of cost'].map(rightColumn),
  ]
  const rows = worth.map((cap) => [
    capsOf(cap),
    formatCount(cap.turns),
    formatCount(cap.tokens),
    formatPicos(cap.saved),
    formatShare(shareOf(cap.saved, total)),
  ])
  return `${formatTable(columns, rows, { color })}\n${assumptions(listed)}`
}

/** A plot as text; empty where there is nothing to draw. */
export const plotOf = (
  turns: readonly DrawnTurn[],
  options: { readonly currency: string; readonly each?: string },
): string =>
  drawTurns(turns, options)
    .map((line) => `${line}\n`)
    .join('')

/** Meters that are no tokens, with how much of each: `code_interpreter_session 2`. */
export const formatMeters = (meters: readonly MeterSum[]): string =>
  meters.map(({ meter, quantity }) => `${meter} ${roundedQuantity(quantity)}`).join(', ')

/** A column of numbers. */
export const rightColumn = (title: string) => ({ title, align: 'right' as const })

const assumptions = (listed: readonly ReadConversation[]): string =>
  [
    'It takes the answers for what they were. What is left out is priced at what the input of its call came to a token.',
    ...(listed.some(({ turns }) => turns?.cached === true)
      ? [
          'Some input was read from a cache, or written to one. A cap changes what a cache can find again: it then saves less, or nothing.',
        ]
      : []),
    ...(listed.some(({ spend }) => !spend.resent.exact)
      ? ['Some history (~) was not counted but apportioned by size, and so is what is left out of it.']
      : []),
  ]
    .map((line) => `${line}\n`)
    .join('')

type Figure = Column & { readonly cell: (spend: ConversationSpend) => string }

const figuresOf = (spends: readonly ConversationSpend[]): readonly Figure[] => {
  const some = (has: (spend: ConversationSpend) => boolean, figures: readonly Figure[]) =>
    spends.some(has) ? figures : []
  const used = new Set(spends.flatMap(({ meters }) => meters.map(({ meter }) => meter)))
  return [
    ...nameFigures,
    ...some(
      ({ endUsers }) => endUsers.length > 0,
      [{ title: 'end user', cell: ({ endUsers }) => named(endUsers) }],
    ),
    ...some(
      ({ holders }) => holders.length > 0,
      [{ title: 'assistant', cell: ({ holders }) => named(holders) }],
    ),
    ...callFigures,
    ...meterNames.filter((meter) => used.has(meter)).flatMap(meterFigures),
    ...costFigures,
    ...some(({ amount, list }) => list !== amount, listFigures),
    ...resentFigures,
    ...some(({ leftOut }) => leftOut.calls > 0, leftOutFigures),
  ]
}

const nameFigures: readonly Figure[] = [
  { title: 'team', cell: ({ team }) => team ?? '(none)' },
  { title: 'conversation', cell: ({ conversation }) => conversation ?? '(none)' },
  { title: 'model', cell: ({ models }) => models.join(', ') },
]

const callFigures: readonly Figure[] = [
  { ...rightColumn('calls'), cell: ({ calls }) => formatCount(calls) },
  { ...rightColumn('input'), cell: ({ inputTokens }) => formatCount(inputTokens) },
  {
    ...rightColumn('of which re-sent'),
    cell: ({ resent }) => `${resent.exact ? '' : '~'}${formatShare(resent.shareOfInput)}`,
  },
  { ...rightColumn('output'), cell: ({ outputTokens }) => formatCount(outputTokens) },
]

const costFigures: readonly Figure[] = [
  {
    ...rightColumn('cost'),
    cell: ({ amount, estimated }) => `${estimated > 0 ? '~' : ''}${formatPicos(amount)}`,
  },
  { title: '', cell: ({ currency }) => currency },
]

const resentFigures: readonly Figure[] = [
  {
    ...rightColumn('re-sent cost'),
    cell: ({ resent }) => `${resent.exact ? '' : '~'}${formatPicos(resent.amount)}`,
  },
  { ...rightColumn('of cost'), cell: ({ resent }) => formatShare(resent.shareOfAmount) },
]

/** What it would be without promotions and discounts. */
const listFigures: readonly Figure[] = [{ ...rightColumn('list'), cell: ({ list }) => formatPicos(list) }]

/** What caps of the gateway left out, and what it would have cost. */
const leftOutFigures: readonly Figure[] = [
  { ...rightColumn('capped'), cell: ({ leftOut }) => formatCount(leftOut.calls) },
  { ...rightColumn('left out'), cell: ({ leftOut }) => formatCount(leftOut.tokens) },
  { ...rightColumn('saved'), cell: ({ leftOut }) => formatPicos(leftOut.amount) },
]

/** How much of a meter there was, and what it came to. */
const meterFigures = (meter: Meter): readonly Figure[] => {
  const cellOf =
    (write: (sum: MeterSum) => string) =>
    ({ meters }: ConversationSpend): string => {
      const sum = meters.find((each) => each.meter === meter)
      return sum === undefined ? '' : write(sum)
    }
  return [
    { ...rightColumn(meter), cell: cellOf(({ quantity }) => roundedQuantity(quantity)) },
    {
      ...rightColumn('cost'),
      cell: cellOf(({ amount, priced }) => (priced ? formatPicos(amount) : '?')),
    },
  ]
}

/** To six places at most: gigabyte-days seldom end sooner. */
const roundedQuantity = (quantity: Rational): string =>
  quantity.denominator === 1n ? formatCount(quantity.numerator) : formatScaled(roundHalfEven(quantity, 6), 6)

const named = ([first = '', ...others]: readonly string[]): string =>
  others.length === 0 ? first : `${first} and ${others.length} more`

const drawnConversation = ({ spend }: ReadConversation): DrawnTurn => ({
  cost: spend.amount,
  costWithoutHistory: spend.amount - spend.resent.amount,
})

const currenciesOf = (spends: readonly ConversationSpend[]): readonly string[] => [
  ...new Set(spends.map(({ currency }) => currency)),
]
