import type { Adjustment } from '../ledger/entry.ts'
import type { CallRow } from '../ledger/reading.ts'
import { type Picos, post } from '../money/money.ts'
import { multiply, rational, zero } from '../money/rational.ts'
import { price } from '../pricing/price.ts'
import type { PriceBook } from '../pricing/price-book.ts'
import { formatInstant, type Instant } from '../time.ts'
import { type Meter, meterFacts } from '../usage/meter.ts'
import type { Quantity } from '../usage/usage.ts'
import { readRunNote } from './run-note.ts'
import { shareWithin } from './share-within.ts'
import { inOrder, type Tokens, type VendorBucket } from './vendor-usage.ts'

/** An estimated call whose tokens follow from what the vendor billed: `adjustment` is what to write. */
export type ReconciledCall = {
  readonly row: CallRow
  /** The buckets within which it was billed. */
  readonly from: Instant
  readonly to: Instant
  readonly before: Tokens
  readonly after: Tokens
  readonly amountBefore: Picos
  readonly amountAfter: Picos
  readonly adjustment: Adjustment
}

/** Why a difference is left as it is. `no_estimated_call`: nothing in the ledger could have used it. `less_billed`:
 * the calls that reported their usage come to more than was billed. `outside_intervals`: no usage of the estimated
 * calls within their intervals comes to what was billed. `other_meters`: an estimated call has meters that this report
 * does not tell apart. `beyond_report`: a call may have been billed before the report begins or after it ends. */
export type UnexplainedReason =
  | 'no_estimated_call'
  | 'less_billed'
  | 'outside_intervals'
  | 'other_meters'
  | 'beyond_report'

/** A stretch of time and a model whose difference between vendor and ledger nothing explains. */
export type Unexplained = {
  readonly why: UnexplainedReason
  readonly from: Instant
  readonly to: Instant
  readonly model: string
  readonly billed: Tokens
  /** Of calls whose usage is known, and of those that are estimated. */
  readonly known: Tokens
  readonly estimated: Tokens
  readonly estimatedCalls: readonly string[]
}

/** `billed` is the whole report, `before` and `after` what the ledger has of the calls it was held against. */
export type RunReconciliation = {
  readonly reconciled: readonly ReconciledCall[]
  readonly unexplained: readonly Unexplained[]
  readonly billed: Tokens
  readonly before: Tokens
  readonly after: Tokens
}

/** What calls are held against the report, and by which prices they are priced anew. */
export type ReconciliationAsked = {
  readonly buckets: readonly VendorBucket[]
  /** Calls of any provider; those of others are passed over. A call may have begun before the report. */
  readonly rows: readonly CallRow[]
  /** As calls name it. */
  readonly provider: string
  readonly pricesFrom: string
  readonly book: PriceBook
  /** When the adjustments are made. */
  readonly at: Instant
}

/** Holds the calls of a ledger against the vendor's usage report. What the vendor billed, less what calls reported, is
 * what the estimated calls of the same model and bucket used. One such call takes all of it; several share the
 * difference to their estimates in proportion to what their intervals leave open, so that each stays within its own
 * and their sum is what was billed.
 *
 * A call was billed when it ended. Where the vendor said when, that decides its bucket; else it was at some time
 * between its beginning and its settlement, and the buckets of that time are taken together. What cannot be explained
 * is listed and never forced. Throws `bad_input` for a report with gaps. */
export const reconcileRuns = (asked: ReconciliationAsked): RunReconciliation => {
  const buckets = inOrder(asked.buckets)
  const calls = asked.rows.flatMap((row) => seenCall(row, asked.provider, buckets))
  const models = new Set([
    ...buckets.flatMap(({ used }) => [...used.keys()]),
    ...calls.map(({ row }) => row.settlement.model),
  ])
  const stretches = [...models].sort().flatMap((model) => stretchesOf(model, buckets, calls))
  const results = stretches.map((stretch) => explain(stretch, asked))
  const reconciled = results.flatMap((result) => ('why' in result ? [] : result.reconciled))
  const before = sumOf(calls.map(({ tokens }) => tokens))
  const gained = reconciled.map((call) => lessOf(call.after, call.before))
  return {
    reconciled,
    unexplained: results.flatMap((result) => ('why' in result ? [result] : [])),
    billed: sumOf(buckets.flatMap(({ used }) => [...used.values()])),
    before,
    after: sumOf([before, ...gained]),
  }
}

/** A call that this report counts, and the buckets, by their places, in which it may have been billed. */
type SeenCall = {
  readonly row: CallRow
  readonly tokens: Tokens
  readonly first: number
  readonly last: number
  /** It may have been billed outside the report. */
  readonly beyond: boolean
}

/** The wires whose calls the vendor counts under completions. */
const wires: ReadonlySet<string> = new Set(['assistants', 'chat-completions', 'completions', 'responses'])

const seenCall = (row: CallRow, provider: string, buckets: readonly VendorBucket[]): readonly SeenCall[] => {
  const { call, settlement } = row
  const [begin, end] = [buckets[0]?.from ?? 0, buckets.at(-1)?.to ?? 0]
  if (call.provider !== provider || !wires.has(call.endpoint)) return []
  const { endedAt } = readRunNote(settlement.note)
  const [from, to] = endedAt === null ? [call.at, Math.max(call.at, settlement.at)] : [endedAt, endedAt]
  if (to < begin || from >= end || !usesOf(row).some(({ meter }) => isToken(meter))) return []
  return [
    {
      row,
      tokens: tokensOf(row),
      first: placeOf(buckets, Math.max(from, begin)),
      last: placeOf(buckets, Math.min(to, end - 1)),
      beyond: from < begin || to >= end,
    },
  ]
}

/** The place of the bucket in which an instant lies. */
const placeOf = (buckets: readonly VendorBucket[], at: Instant): number => {
  let [low, high] = [0, buckets.length - 1]
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if ((buckets[middle]?.from ?? 0) <= at) low = middle
    else high = middle - 1
  }
  return low
}

/** Buckets that are explained together: one, or those that calls of unknown instant join. */
type Stretch = {
  readonly model: string
  readonly from: Instant
  readonly to: Instant
  readonly billed: Tokens
  readonly calls: readonly SeenCall[]
}

const stretchesOf = (
  model: string,
  buckets: readonly VendorBucket[],
  calls: readonly SeenCall[],
): readonly Stretch[] => {
  const own = calls.filter(({ row }) => row.settlement.model === model)
  const used = buckets.flatMap(({ used }, place) =>
    used.has(model) ? [{ first: place, last: place, call: null }] : [],
  )
  const spans = [...used, ...own.map((call) => ({ first: call.first, last: call.last, call }))]
  const joined: { first: number; last: number; readonly calls: SeenCall[] }[] = []
  for (const { first, last, call } of spans.sort((a, b) => a.first - b.first)) {
    const open = joined.at(-1)
    const into = open !== undefined && first <= open.last ? open : { first, last, calls: [] }
    if (into !== open) joined.push(into)
    into.last = Math.max(into.last, last)
    if (call !== null) into.calls.push(call)
  }
  return joined.map(({ first, last, calls }) => ({
    model,
    from: buckets[first]?.from ?? 0,
    to: buckets[last]?.to ?? 0,
    billed: sumOf(buckets.slice(first, last + 1).flatMap((bucket) => bucket.used.get(model) ?? [])),
    calls,
  }))
}

const explain = (
  stretch: Stretch,
  asked: ReconciliationAsked,
): Unexplained | { readonly reconciled: readonly ReconciledCall[] } => {
  const { calls, billed, from, to, model } = stretch
  const isEstimated = ({ row }: SeenCall): boolean => row.settlement.basis === 'estimated'
  const estimated = calls.filter(isEstimated)
  const known = sumOf(calls.filter((call) => !isEstimated(call)).map(({ tokens }) => tokens))
  const left = lessOf(billed, known)
  const unexplained = (why: UnexplainedReason): Unexplained => ({
    ...{ why, from, to, model, billed, known },
    estimated: sumOf(estimated.map(({ tokens }) => tokens)),
    estimatedCalls: estimated.map(({ row }) => row.call.id),
  })
  if (estimated.length === 0 && left.input === 0 && left.output === 0) return { reconciled: [] }
  if (calls.some(({ beyond }) => beyond)) return unexplained('beyond_report')
  if (left.input < 0 || left.output < 0) return unexplained('less_billed')
  if (estimated.length === 0) return unexplained('no_estimated_call')
  if (!estimated.every(({ row }) => usesOf(row).every(({ meter }) => isPlain(meter)))) {
    return unexplained('other_meters')
  }
  const inputs = shareWithin(left.input, estimated.map(openOf('input_text_tokens', 'input')))
  const outputs = shareWithin(left.output, estimated.map(openOf('output_text_tokens', 'output')))
  if (inputs === null || outputs === null) return unexplained('outside_intervals')
  return {
    reconciled: estimated.map((call, index) =>
      reconciledCall(call, stretch, { input: inputs[index] ?? 0, output: outputs[index] ?? 0 }, asked),
    ),
  }
}

/** What a call's interval leaves open. One without an interval may have used nothing, or anything. */
const openOf = (meter: Meter, side: keyof Tokens) => (call: SeenCall) => ({
  estimate: call.tokens[side],
  ...(readRunNote(call.row.settlement.note).ranges.get(meter) ?? { low: 0, high: null }),
})

const reconciledCall = (
  { row, tokens: before }: SeenCall,
  { from, to }: Stretch,
  after: Tokens,
  { book, pricesFrom, at }: ReconciliationAsked,
): ReconciledCall => {
  const { call, settlement } = row
  const { model, tier, status, unresolved = [] } = settlement
  const cost = price(
    { input_text_tokens: after.input, output_text_tokens: after.output },
    { provider: pricesFrom, model, at: call.at, attributes: tier === null ? {} : { tier } },
    book,
  )
  const conversation = settlement.conversation
  return {
    ...{ row, from, to, before, after },
    amountBefore: settlement.charges.reduce((sum, { amount }) => sum + amount, 0n),
    amountAfter: cost.pricedTotal,
    adjustment: {
      ...{ callId: call.id, corrects: settlement.sequence, at, model, tier, status },
      basis: 'reconciled',
      ...{ currency: cost.currency, charges: cost.charges, unpriced: cost.unpriced },
      // What has no price still counts as it did against limits with a ceiling.
      ...(cost.unpriced.length > 0 && unresolved.length > 0 && { unresolved }),
      resent: resentOf(row, after, cost.charges),
      note: noteOf(settlement.note, { from, to, before, after }),
      bookVersion: book.version,
      ...(conversation !== undefined && { conversation }),
    },
  }
}

/** As many tokens of history as before, at most all of the input, at their share of its cost. */
const resentOf = (
  { settlement }: CallRow,
  { input }: Tokens,
  charges: Adjustment['charges'],
): Adjustment['resent'] => {
  if (settlement.resent === null || input === 0) return null
  const tokens = Math.min(settlement.resent.tokens, input)
  const cost = charges.find(({ meter }) => meter === 'input_text_tokens')?.exact ?? zero
  const amount = post(multiply(cost, rational(BigInt(tokens), BigInt(input))))
  return { tokens, amount, exact: settlement.resent.exact }
}

const noteOf = (
  note: string | null,
  { from, to, before, after }: { from: Instant; to: Instant; before: Tokens; after: Tokens },
): string =>
  [
    ...(note === null ? [] : [note]),
    `reconciled with what the vendor billed from ${formatInstant(from)} to ${formatInstant(to)}`,
    `estimated ${before.input} and ${before.output}, billed ${after.input} and ${after.output}`,
  ].join('; ')

const usesOf = ({
  settlement,
}: CallRow): readonly { readonly meter: Meter; readonly quantity: Quantity }[] => [
  ...settlement.charges,
  ...settlement.unpriced,
]

const isToken = (meter: Meter): boolean => {
  const { unit, direction } = meterFacts(meter)
  return unit === 'token' && (direction === 'input' || direction === 'output')
}

const isPlain = (meter: Meter): boolean => meter === 'input_text_tokens' || meter === 'output_text_tokens'

const tokensOf = (row: CallRow): Tokens => {
  const side = (wanted: keyof Tokens): number =>
    usesOf(row)
      .filter(({ meter }) => isToken(meter) && meterFacts(meter).direction === wanted)
      .reduce((sum, { quantity }) => sum + (typeof quantity === 'number' ? quantity : 0), 0)
  return { input: side('input'), output: side('output') }
}

const sumOf = (all: readonly Tokens[]): Tokens =>
  all.reduce((sum, each) => ({ input: sum.input + each.input, output: sum.output + each.output }), {
    input: 0,
    output: 0,
  })

const lessOf = (whole: Tokens, part: Tokens): Tokens => ({
  input: whole.input - part.input,
  output: whole.output - part.output,
})
