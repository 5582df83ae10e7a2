import { type Picos, post } from '../money/money.ts'
import { add, multiply, rational, zero } from '../money/rational.ts'
import type { Charge } from '../pricing/price.ts'
import { meterFacts } from '../usage/meter.ts'

/** What the note of a capped call says: the cap, and the input tokens that its whole history would have been. */
export type CapNote = { readonly cap: string; readonly uncappedTokens: number }

/** The part of a settlement's note that tells of a cap: `history cap last_messages=4; uncapped 18000 input tokens`. */
export const formatCapNote = ({ cap, uncappedTokens }: CapNote): string =>
  `history cap ${cap}; uncapped ${uncappedTokens} input tokens`

/** What a capped call did not cost: the tokens of history that were left out, counted, at the price of the input that
 * was sent. Null where the note tells of no cap, and where nothing was sent by whose price it could be told. */
export const capSaving = (
  note: string | null,
  charges: readonly Charge[],
): { readonly cap: string; readonly tokens: number; readonly amount: Picos } | null => {
  const [, cap, uncapped] =
    /(?:^|; )history cap ([^;]+); uncapped (\d{1,15}) input tokens/.exec(note ?? '') ?? []
  if (cap === undefined) return null
  const input = charges.filter(({ meter }) => meterFacts(meter).direction === 'input')
  const sent = input.reduce((sum, { quantity }) => sum + (typeof quantity === 'number' ? quantity : 0), 0)
  if (sent === 0) return null
  const tokens = Math.max(0, Number(uncapped) - sent)
  const exact = input.reduce((sum, charge) => add(sum, charge.exact), zero)
  return { cap, tokens, amount: post(multiply(exact, rational(BigInt(tokens), BigInt(sent)))) }
}
