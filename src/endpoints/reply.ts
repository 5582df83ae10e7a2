import type { Rational } from '../money/rational.ts'
import type { Meter } from '../usage/meter.ts'
import type { Reading } from '../usage/read.ts'
import type { Usage } from '../usage/usage.ts'
import type { Json } from './json.ts'

/** A wire of which the replies are known: what a recorded reply used can be read and priced. */
export type ReadWire = { readonly id: string; readonly reader: ReplyReader }

/** The reading half of a wire. `request` is what was asked, where it is at hand: some replies name neither the
 * model nor what selects the price. `meterStream` is null where the wire has no streams. */
export type ReplyReader = {
  readonly readReply: (reply: Json, request?: Json) => Reply
  readonly meterStream: ((request?: Json) => StreamMeter) | null
}

/** What a whole reply or a whole stream says of its cost. `usage` is null where the vendor reported none;
 * `produced` then holds the visible text, one a choice, for counting. */
export type Reply = Priced & {
  /** The vendor's id of what is billed: what comes again with the same id is the same charge, not a second
   * one. Null where the vendor names none; then each call is its own. */
  readonly id: string | null
  readonly usage: Reading | null
  readonly produced: readonly string[]
  /** Where a stream broke off before it said its output: as many tokens as it said at its beginning. The usage then
   * holds a bound of the output, by the text that came, and who counts that text knows better. */
  readonly outputBegun?: number
  /** What the same reply bills under another model or other attributes. */
  readonly apart: readonly Portion[]
  /** What goes on costing with time. */
  readonly standing: readonly Standing[]
  /** The vendor's ids of what it wrote, where later calls can name each by itself. */
  readonly items?: readonly string[]
  /** The vendor's own sum for the call, which is then its price. */
  readonly stated: Stated | null
  /** False while the vendor still works on it, or where a stream broke off: more may come. */
  readonly ended: boolean
}

/** What selects a price, as served: the model, the tier in the price list's words, and what else the reply or
 * the request says (`size`, `quality`, `cache_ttl` ...). */
export type Priced = {
  readonly model: string | null
  readonly tier: string | null
  readonly attributes: Readonly<Record<string, string>>
}

/** A part of a reply with a price of its own: a line of a batch, a tool's model, a cache lifetime. `id` names
 * it within the reply; its `usage` is null where the vendor reported none. `contextTokens`: where it is part of one call, all input tokens of that call, which
 * choose the context card; null where it is a call of its own. */
export type Portion = Priced & {
  readonly id: string | null
  readonly usage: Reading | null
  readonly contextTokens: number | null
}

/** Something that exists at the vendor and costs with time, as a reply shows it: whoever keeps accruals takes
 * it from here, once an `id`. `bytes` is null where its price does not depend on a size. */
export type Standing = {
  readonly meter: Meter
  readonly id: string
  readonly bytes: number | null
  readonly attributes: Readonly<Record<string, string>>
}

export type Stated = { readonly amount: Rational; readonly currency: 'USD' }

/** Reads a stream's events one by one. */
export type StreamMeter = {
  /** Returns true for the event that ends the stream. */
  readonly event: (event: string) => boolean
  readonly reply: () => Reply
  /** What was surely used so far; absent where that shows at the end alone. */
  readonly soFar?: () => UsedSoFar
}

/** A lower bound of what a stream has used: what the vendor last said, nothing where it has not yet, and how many tokens
 * the text has at least that came. Cheap to make. */
export type UsedSoFar = { readonly usage: Usage; readonly outputTokens: number }
