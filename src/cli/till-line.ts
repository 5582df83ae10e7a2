import type { TillLine } from '../gateway/till.ts'
import { formatPicos } from '../money/money.ts'
import { formatInstant } from '../time.ts'
import { meterFacts } from '../usage/meter.ts'

/** One line a call, like a till roll: time, model, tokens in and out, cost, running total. A cost with a
 * tilde is an estimate; what has no price is named. */
export const tillLine = ({ call, settlement, cost, runningTotal, spooled }: TillLine): string => {
  const { charges, unpriced, basis, currency, status } = settlement
  const tokens = (direction: 'input' | 'output'): number =>
    [...charges, ...unpriced]
      .filter(({ meter }) => meterFacts(meter).unit === 'token' && meterFacts(meter).direction === direction)
      .reduce((sum, { quantity }) => sum + (typeof quantity === 'number' ? quantity : 0), 0)
  const grouped = (count: number): string => count.toLocaleString('en-US')
  const price =
    unpriced.length > 0 ? 'unpriced' : `${basis === 'estimated' ? '~' : ''}${formatPicos(cost)} ${currency}`
  const failed = status !== null && status >= 400 ? `  (answered ${status})` : ''
  return [
    formatInstant(call.at).slice(11, 19),
    settlement.model.padEnd(22),
    `${grouped(tokens('input')).padStart(9)} in`,
    `${grouped(tokens('output')).padStart(7)} out`,
    price.padStart(18),
    `total ${formatPicos(runningTotal)}${failed}${spooled === undefined ? '' : `  (spooled: ${spooled})`}`,
  ].join('  ')
}
