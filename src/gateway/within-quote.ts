import type { Quote } from '../planning/quote.ts'
import type { Usage } from '../usage/usage.ts'

/** A usage that was counted here because the vendor reported none, and never more than what the call could use: on a
 * busy machine a text is taken at a token a byte, which can pass the output limit that the request set and that was
 * held. What is above the most of a bound is taken off its meters, from the last on. */
export const withinQuote = (usage: Usage, quoted: Pick<Quote, 'usage'>): Usage => {
  const kept: Record<string, Usage[keyof Usage]> = { ...usage }
  for (const { meters, most } of quoted.usage) {
    if (most === null) continue
    let room = most
    for (const meter of meters) {
      const quantity = kept[meter]
      if (typeof quantity !== 'number') continue
      kept[meter] = Math.min(quantity, room)
      room -= Math.min(quantity, room)
    }
  }
  return kept
}
