import { formatPicos } from '../money/money.ts'
import type { ConversationLine } from '../reports/conversation-turns.ts'
import { formatShare } from '../reports/share.ts'
import { formatInstant, type Instant } from '../time.ts'
import type { ReadConversation } from './conversation-readings.ts'
import { capsTable, formatMeters, plotOf, rightColumn } from './conversation-table.ts'
import { formatCount } from './reports.ts'
import { shortened } from './shortened.ts'
import { formatTable, harmless } from './table.ts'

/** One conversation for people: a line a turn, what sending history again came to, and what caps would have saved. */
export const conversationTurnsTable = (
  read: ReadConversation,
  { color, plot }: { readonly color: boolean; readonly plot: boolean },
): string => {
  const { spend, turns, caps } = read
  const lines = turns?.lines ?? []
  const { currency } = spend
  const drawn = lines.flatMap(({ turn, amount, resent }) =>
    turn === null ? [] : [{ cost: amount, costWithoutHistory: amount - (resent?.amount ?? 0n) }],
  )
  return [
    `${titleOf(read)}\n`,
    turnTable(read, lines, color),
    [historyLine(read), leftOutLine(read), listLine(read)].join(''),
    plot ? plotOf(drawn, { currency }) : '',
    capsTable(caps, { listed: [read], currency, color }),
    sureLine(read),
  ]
    .filter((part) => part !== '')
    .join('\n')
}

const titleOf = ({ spend }: ReadConversation): string => {
  const { conversation, team, calls, models, endUsers, holders } = spend
  const parts = [
    `${formatCount(calls)} ${calls === 1 ? 'turn' : 'turns'}`,
    ...(models.length === 0 ? [] : [`with ${models.join(', ')}`]),
    ...(team === null ? [] : [`of team ${team}`]),
    ...(endUsers.length === 0 ? [] : [`for ${endUsers.join(', ')}`]),
    ...(holders.length === 0 ? [] : [`assistant ${holders.join(', ')}`]),
  ]
  return harmless(`${conversation ?? '(none)'}: ${parts.join(', ')}`)
}

const turnTable = (
  { spend }: ReadConversation,
  lines: readonly ConversationLine[],
  color: boolean,
): string => {
  const hasOther = lines.some(({ meters }) => meters.length > 0)
  const hasUnpriced = lines.some(({ unpricedMeters }) => unpricedMeters.length > 0)
  const optional = <Value>(has: boolean, value: Value): readonly Value[] => (has ? [value] : [])
  const columns = [
    ...[rightColumn('turn'), { title: 'at' }, { title: 'model' }],
    ...['input', 'of which history', 'output'].map(rightColumn),
    ...optional(hasOther, { title: 'other' }),
    ...[`cost ${spend.currency}`, 'so far'].map(rightColumn),
    ...optional(hasUnpriced, { title: 'without a price' }),
  ]
  const row = (line: ConversationLine): string[] => [
    line.turn === null ? '' : formatCount(line.turn),
    minuteOf(line.at),
    line.model ?? '',
    ...(line.turn === null ? ['', '', ''] : tokenCells(line)),
    ...optional(hasOther, formatMeters(line.meters)),
    `${line.basis === 'estimated' ? '~' : ''}${formatPicos(line.amount)}`,
    formatPicos(line.cumulative),
    ...optional(hasUnpriced, line.unpricedMeters.join(', ')),
  ]
  const resent = `${spend.resent.exact ? '' : '~'}${formatCount(spend.resent.tokens)}`
  const total = [
    ...['total', '', '', formatCount(spend.inputTokens), resent, formatCount(spend.outputTokens)],
    ...optional(hasOther, formatMeters(spend.meters)),
    ...[`${spend.estimated > 0 ? '~' : ''}${formatPicos(spend.amount)}`, ''],
    ...optional(hasUnpriced, ''),
  ]
  return formatTable(columns, shortened(lines.map(row)), { color, totals: [total] })
}

const tokenCells = ({ inputTokens, resent, outputTokens }: ConversationLine): readonly string[] => [
  formatCount(inputTokens),
  `${resent?.exact === false ? '~' : ''}${formatCount(resent?.tokens ?? 0)}`,
  formatCount(outputTokens),
]

const historyLine = ({ spend }: ReadConversation): string => {
  const { resent, amount, currency } = spend
  if (resent.tokens === 0n) return ''
  const sure = resent.exact ? '' : '~'
  const shares = `${formatShare(resent.shareOfInput)} of the input and ${formatShare(resent.shareOfAmount)} of the cost`
  return `History sent again is ${sure}${shares}: ${sure}${formatPicos(resent.amount)} ${currency}. If history were free: ${sure}${formatPicos(amount - resent.amount)} ${currency}.\n`
}

const leftOutLine = ({ spend: { leftOut, currency } }: ReadConversation): string => {
  if (leftOut.calls === 0) return ''
  const turns = leftOut.calls === 1 ? '1 turn' : `${formatCount(leftOut.calls)} turns`
  return `History caps left ${formatCount(leftOut.tokens)} input tokens out of ${turns}: ${formatPicos(leftOut.amount)} ${currency} saved.\n`
}

const listLine = ({ spend: { amount, list, currency } }: ReadConversation): string =>
  list === amount
    ? ''
    : `Without promotions and discounts it would be ${formatPicos(list)} ${currency} in place of ${formatPicos(amount)}.\n`

const sureLine = ({ spend: { calls, estimated } }: ReadConversation): string => {
  if (estimated === 0) return ''
  const which =
    estimated === calls
      ? 'Every turn is'
      : `${formatCount(estimated)} of the turns ${estimated === 1 ? 'is' : 'are'}`
  return `${which} estimated (~). --json has a note of each.\n`
}

/** To the minute: `2023-11-15 12:07`. */
const minuteOf = (at: Instant): string => formatInstant(at).slice(0, 16).replace('T', ' ')
