import type { StreamMeter, UsedSoFar } from '../endpoints/reply.ts'
import { OctroiError } from '../errors.ts'
import type { Reservation } from '../ledger/entry.ts'
import type { Admission, LimitState } from '../limits/admit.ts'
import type { Hold } from '../limits/hold.ts'
import { unitOf } from '../limits/limit.ts'
import { formatAmount, usedIn } from '../limits/measure.ts'
import type { Quote } from '../planning/quote.ts'
import { price } from '../pricing/price.ts'
import { type Meter, meterFacts } from '../usage/meter.ts'
import type { Usage } from '../usage/usage.ts'
import { pricedCall } from './estimate.ts'
import type { Parts } from './parts.ts'
import type { Upstream } from './upstream.ts'

/** Watches one stream against the limits of its call. */
export type StreamLimit = {
  /** Told of each event, with its bytes. Gives why the stream has to end, once it has to. */
  readonly seen: (bytes: number) => OctroiError | null
  /** The call is settled: what it used beyond its holds is counted there. */
  readonly end: () => void
}

/** Ends streams that have surely used more than their calls were held at, where a limit has no room for it. */
export type StreamLimits = {
  /** Null where no limit of the call counts what a stream uses, or its wire says nothing of that before the end. */
  readonly watch: (call: {
    readonly reservation: Reservation
    readonly quoted: Quote
    readonly meter: StreamMeter
    readonly upstream: Upstream
    readonly tier: string | null
  }) => StreamLimit | null
}

/** How often a stream is looked at: after so many events or bytes, whichever comes first. */
const eventsEach = 16
const bytesEach = 8_192

/** What streams use beyond their holds is held nowhere: it is kept here, so that several streams cannot all take the
 * same room. */
export const createStreamLimits = ({ admission, book }: Pick<Parts, 'admission' | 'book'>): StreamLimits => {
  const beyond = new Map<string, bigint>()

  return {
    watch: ({ reservation, quoted, meter, upstream, tier }) => {
      const holds = reservation.holds.filter(({ measure = 'cost' }) => counted.has(measure))
      const { soFar } = meter
      const { call } = reservation
      if (holds.length === 0 || soFar === undefined) return null
      const taken = new Map<string, bigint>()
      const isBounded = boundTest(quoted)
      let [events, bytes] = [0, 0]

      const note = (name: string, excess: bigint): bigint => {
        const others = (beyond.get(name) ?? 0n) - (taken.get(name) ?? 0n)
        taken.set(name, excess)
        if (others + excess > 0n) beyond.set(name, others + excess)
        else beyond.delete(name)
        return others
      }

      const look = (): OctroiError | null => {
        const known = soFar()
        const usage = atLeast(known.usage, known)
        if (isBounded(usage)) return null
        const cost = price(usage, pricedCall(call, upstream, { model: call.model, tier }), book)
        const used = usedIn([usage])
        const ceilings = admission.atCeiling(holds, cost.unpriced)
        let about: ReturnType<Admission['about']> | null = null
        for (const hold of holds) {
          const { measure = 'cost' as const } = hold
          const now =
            measure === 'cost' ? cost.pricedTotal + ceilingOf(ceilings, hold) : (used[measure] ?? 0n)
          const excess = now > hold.amount ? now - hold.amount : 0n
          const others = note(nameOf(hold), excess)
          if (excess === 0n) continue
          about ??= admission.about(askedBy(reservation))
          const state = about.find(({ limit }) => limit === hold.limit)
          if (state === undefined || state.action === 'warn' || excess + others <= state.free) continue
          return reached(state, { hold, used: now, isAtCeiling: ceilingOf(ceilings, hold) > 0n })
        }
        return null
      }

      return {
        seen: (more) => {
          events += 1
          bytes += more
          if (events < eventsEach && bytes < bytesEach) return null
          events = 0
          bytes = 0
          return look()
        },
        end: () => {
          for (const name of taken.keys()) note(name, 0n)
        },
      }
    },
  }
}

/** Whether a stream was ended for a limit. */
export const isLimitReached = (broken: OctroiError | null): boolean =>
  broken?.code === 'budget_exceeded' || broken?.code === 'rate_limited'

/** A usage with as much output, at least, as came of a stream. */
export const atLeast = (usage: Usage, soFar: Pick<UsedSoFar, 'outputTokens'> | undefined): Usage => {
  const missing = (soFar?.outputTokens ?? 0) - tokensOf(usage, 'output')
  if (missing <= 0) return usage
  const { output_text_tokens: text } = usage
  return { ...usage, output_text_tokens: (typeof text === 'number' ? text : 0) + missing }
}

/** Measures that a stream uses more of as it goes on. */
const counted: ReadonlySet<string> = new Set(['cost', 'input_tokens', 'output_tokens', 'tokens'])

const nameOf = ({ limit, counter = '', windowStart }: Hold): string =>
  JSON.stringify([limit, counter, windowStart])

const askedBy = ({ call, currency }: Reservation) => ({ subject: call, at: call.at, most: 0n, currency })

const ceilingOf = (ceilings: readonly Hold[], hold: Hold): bigint =>
  ceilings.find(({ limit, counter }) => limit === hold.limit && counter === hold.counter)?.amount ?? 0n

const tokensOf = (usage: Usage, way: 'input' | 'output'): number =>
  Object.entries(usage).reduce((sum, [meter, quantity]) => {
    const { unit, direction } = meterFacts(meter as Meter)
    return unit === 'token' && direction === way && typeof quantity === 'number' ? sum + quantity : sum
  }, 0)

/** Whether a usage is surely within what was held, without a look at its price: no tokens beyond those that were
 * quoted, and nothing else. */
const boundTest = ({ most, usage: bounds }: Quote): ((usage: Usage) => boolean) => {
  const room = (way: 'input' | 'output'): number =>
    bounds
      .filter(({ meters: [meter] }) => {
        const { unit, direction } = meterFacts(meter)
        return unit === 'token' && direction === way
      })
      .reduce((sum, bound) => sum + (bound.most ?? 0), 0)
  const [input, output] = [room('input'), room('output')]
  return (usage) =>
    most !== null &&
    tokensOf(usage, 'input') <= input &&
    tokensOf(usage, 'output') <= output &&
    Object.keys(usage).every((meter) => meterFacts(meter as Meter).unit === 'token')
}

const reached = (
  state: LimitState,
  { hold, used, isAtCeiling }: { readonly hold: Hold; readonly used: bigint; readonly isAtCeiling: boolean },
): OctroiError => {
  const { limit, measure, currency } = state
  const amount = (units: bigint): string => formatAmount(measure, units)
  const unit = currency ?? `${unitOf(state)}s`
  return new OctroiError(
    measure === 'cost' ? 'budget_exceeded' : 'rate_limited',
    `The reply ended at a limit: it has used ${amount(used)} ${unit} at least${
      isAtCeiling ? ', at the ceiling of what has no price' : ''
    }, was held at ${amount(hold.amount)}, and the limit "${limit}" has ${amount(state.free)} left.`,
    {
      ...{ limit, ...(Object.keys(state.counter).length > 0 && { counter: state.counter }), measure },
      ...{ cap: amount(state.cap), held: amount(hold.amount), used: amount(used), free: amount(state.free) },
      ...(currency !== null && { currency }),
    },
  )
}
