import { OctroiError } from '../../errors.ts'
import { parseDecimal, type Rational } from '../../money/rational.ts'
import { formatInstant, type Instant, parseInstant } from '../../time.ts'
import { type BilledCall, charge, type RawPriceRow } from '../books.ts'
import { type BillFault, type BillFaults, billedMeter, isFor } from './bill-faults.ts'
import { type BillLine, linesOf, shownLine } from './bill-lines.ts'
import { priceFinder, providerOf } from './books.ts'
import { defaultProject } from './callers.ts'

/** A call as the bill has it. `call.at` is when it was billed; `items` are what it costs by meter, in 10^-12 dollars,
 * null where no price held. */
export type BillEntry = {
  readonly call: BilledCall
  readonly requests: number
  readonly items: readonly {
    readonly meter: string
    readonly quantity: number
    readonly picos: bigint | null
  }[]
}

/** The bill of the vendors of today: the books, as their usage and cost reports tell them. It is the books' sum to the
 * last digit until a fault makes it something else. */
export type Bill = {
  readonly faults: BillFaults
  /** Every line of every day, all vendors'. What has no price is in none of them. */
  readonly lines: () => readonly BillLine[]
}

/** A bill, and the calls that it is made of. */
export type OpenBill = Bill & {
  readonly entries: () => readonly BillEntry[]
  readonly exactLines: () => ReturnType<typeof linesOf>
}

/** Opens the bill of some calls by raw price rows: a fold, made anew whenever it is asked for. */
export const openBill = ({
  calls,
  prices,
  faults,
}: {
  readonly calls: () => readonly BilledCall[]
  readonly prices: readonly RawPriceRow[]
  readonly faults: BillFaults
}): OpenBill => {
  const priceOf = priceFinder(prices)
  const entries = (): readonly BillEntry[] =>
    faults
      .list()
      .reduce(struck, calls().map(served))
      .map(({ call, servedAt, requests, prices }) => ({
        call,
        requests,
        items: Object.entries(call.usage).map(([meter, quantity]) => {
          const { tier, factor = one } = prices.get(billedMeter(meter)) ?? {}
          const attributes = { ...call.attributes, ...(tier !== undefined && { tier }) }
          const { rate } = priceOf({ ...call, at: servedAt, attributes }, meter)
          if (rate === null) return { meter, quantity, picos: null }
          const numerator = rate.numerator * factor.numerator
          const denominator = rate.denominator * factor.denominator
          return { meter, quantity, picos: charge(quantity, { ...rate, numerator, denominator }) }
        }),
      }))
  const exactLines = () => linesOf(entries(), faults.list())
  return { faults, entries, exactLines, lines: () => exactLines().map(shownLine) }
}

const refuse = (): never => {
  throw new OctroiError('bad_input', 'Only the profile "now" has a bill. The profile 2023-11 has its books.')
}

/** The bill of a profile that has none. */
export const noBill: Bill = { faults: { add: refuse, list: refuse, clear: refuse }, lines: refuse }

const one: Rational = { numerator: 1n, denominator: 1n }

/** A call before it is priced, and what its meters are priced by that they should not be. */
type Draft = {
  readonly call: BilledCall
  readonly servedAt: Instant
  readonly requests: number
  readonly prices: ReadonlyMap<string, { readonly tier?: string; readonly factor?: Rational }>
}

const served = (call: BilledCall): Draft => ({
  call,
  servedAt: call.at,
  requests: 1,
  prices: new Map(),
})

const dayOf = (at: Instant): string => formatInstant(at).slice(0, 10)

/** All drafts, with a fault on those that it is for. */
const struck = (drafts: readonly Draft[], fault: BillFault): readonly Draft[] => {
  const matching = drafts.filter(({ call, servedAt }) =>
    isFor(fault, {
      day: dayOf(servedAt),
      provider: providerOf(call),
      model: call.model,
      project: call.project ?? null,
      meters: Object.keys(call.usage),
    }),
  )
  const some = (unlessSaid: number): ReadonlySet<Draft> =>
    new Set(matching.slice(0, ('calls' in fault ? fault.calls : undefined) ?? unlessSaid))
  const each = (chosen: ReadonlySet<Draft>, bend: (draft: Draft) => readonly Draft[]): readonly Draft[] =>
    drafts.flatMap((draft) => (chosen.has(draft) ? bend(draft) : [draft]))
  switch (fault.kind) {
    case 'unbilled':
      return each(some(1), () => [])
    case 'billed-twice':
      return each(some(1), (draft) => [draft, { ...draft }])
    case 'late-day':
      return each(lastOfDays(matching, fault.calls ?? 1), (draft) => [late(draft)])
    case 'cache-class':
      return each(some(drafts.length), (draft) => [withoutCache(draft, fault.meter)])
    case 'wrong-price': {
      const factor = parseDecimal(fault.factor)
      return each(some(drafts.length), (draft) => [repriced(draft, fault.meter, { factor })])
    }
    case 'wrong-tier': {
      const { tier, told = false } = fault
      return each(some(drafts.length), (draft) =>
        told
          ? [{ ...draft, call: { ...draft.call, attributes: { ...draft.call.attributes, tier } } }]
          : [repriced(draft, fault.meter, { tier })],
      )
    }
    case 'outside':
      return [...drafts, outside(fault)]
    default:
      return drafts
  }
}

/** The last calls of each day: the sandbox numbers calls as they are billed. */
const lastOfDays = (drafts: readonly Draft[], count: number): ReadonlySet<Draft> =>
  new Set(
    [...Map.groupBy(drafts, ({ servedAt }) => dayOf(servedAt)).values()].flatMap((ofDay) =>
      ofDay.toSorted((a, b) => a.servedAt - b.servedAt).slice(-count),
    ),
  )

const dayMs = 86_400_000

const late = (draft: Draft): Draft => ({
  ...draft,
  call: { ...draft.call, at: (Math.floor(draft.servedAt / dayMs) + 1) * dayMs },
})

/** The same input, read from no cache. */
const uncached: Readonly<Record<string, string>> = {
  cached_input_tokens: 'input_text_tokens',
  cached_input_text_tokens: 'input_text_tokens',
  cached_input_audio_tokens: 'input_audio_tokens',
  cached_input_image_tokens: 'input_image_tokens',
}

const withoutCache = (draft: Draft, only: string | undefined): Draft => {
  const usage: Record<string, number> = {}
  for (const [meter, quantity] of Object.entries(draft.call.usage)) {
    const told = only === undefined || only === meter ? (uncached[meter] ?? meter) : meter
    usage[told] = (usage[told] ?? 0) + quantity
  }
  return { ...draft, call: { ...draft.call, usage } }
}

const repriced = (
  draft: Draft,
  only: string | undefined,
  by: { readonly tier?: string; readonly factor?: Rational },
): Draft => {
  const meters = only === undefined ? Object.keys(draft.call.usage) : [only]
  const prices = meters.map((meter) => {
    const before = draft.prices.get(billedMeter(meter)) ?? {}
    return [billedMeter(meter), { ...before, ...by }] as const
  })
  return { ...draft, prices: new Map([...draft.prices, ...prices]) }
}

const outside = (fault: Extract<BillFault, { kind: 'outside' }>): Draft => {
  const at = parseInstant(fault.day) + (fault.hour ?? 12) * 3_600_000
  const isOpenai = fault.provider === 'openai'
  const call: BilledCall = {
    ...{ number: 0, at, id: 'outside', requestId: null, user: null },
    wire: fault.wire ?? (isOpenai ? 'chat-completions' : 'messages'),
    ...{ provider: fault.provider, model: fault.model, usage: fault.usage },
    attributes: {
      tier: fault.tier ?? 'standard',
      ...(fault.cacheLifetime !== undefined && { cache_ttl: fault.cacheLifetime }),
    },
    project: fault.project ?? (isOpenai ? defaultProject : null),
    apiKey: fault.apiKey ?? null,
  }
  return { call, servedAt: at, requests: fault.requests ?? 1, prices: new Map() }
}
