import { boundsOfUsage } from '../../endpoints/bound.ts'
import { emptyReply } from '../../endpoints/reply-shape.ts'
import { OctroiError } from '../../errors.ts'
import type { Reservation } from '../../ledger/entry.ts'
import type { CallLife } from '../../ledger/reading.ts'
import { formatPicos } from '../../money/money.ts'
import { pricedCall } from '../estimate.ts'
import type { Caller } from '../identify.ts'
import type { Parts } from '../parts.ts'
import { release, reserve } from '../reserve.ts'
import { costOf, type Outcome, settle } from '../settle.ts'
import type { Upstream } from '../upstream.ts'
import type { readReservationAsked, readUsageAsked, Spent } from './asked.ts'
import {
  besideId,
  isBesideId,
  nameStated,
  quoteRequest,
  quoteStated,
  replyTargetOf,
  upstreamOf,
} from './calls.ts'

/** What became of a call, and whether it was so before it was asked. */
export type Done = { readonly life: CallLife; readonly repeated: boolean }

/** The ledger's verbs for calls that do not pass through this gateway, over the same admission. One id is worked on
 * once at a time, and what is asked again gives what is written. */
export const createVerbs = (parts: Parts, upstreams: readonly Upstream[]) => {
  const { ledger, clock } = parts
  const alone = createQueue()

  /** Throws `unknown_object` where a key has made no such reservation. */
  const owned = async (caller: Caller, id: string): Promise<CallLife> => {
    const life = isBesideId(id) ? await ledger.life(id) : null
    if (life !== null && life.reserved.call.key === (caller.key?.id ?? null)) return life
    throw new OctroiError('unknown_object', `There is no reservation "${id.slice(0, 200)}" of this key.`)
  }

  const done = async (caller: Caller, id: string): Promise<Done> => ({
    life: await owned(caller, id),
    repeated: false,
  })

  const settleAs = async (reservation: Reservation, spent: Spent): Promise<void> => {
    const upstream = upstreamOf(upstreams, reservation.call.provider)
    const outcome = outcomeOf(upstream, reservation, spent)
    const model = outcome.model ?? reservation.call.model
    const { pricedTotal } = costOf(
      parts,
      outcome,
      pricedCall(reservation.call, upstream, { model, tier: outcome.tier }),
    )
    const over = reservation.most === null ? 0n : pricedTotal - reservation.most
    const note = over > 0n ? `over_most: ${formatPicos(over)} ${reservation.currency} beyond its most` : null
    const noted = [outcome.note, note].filter((each) => each !== null).join('; ')
    await settle(parts, reservation, upstream, { ...outcome, note: noted === '' ? null : noted })
  }

  return {
    show: (caller: Caller, id: string): Promise<CallLife> => owned(caller, id),
    reserve: (caller: Caller, asked: ReturnType<typeof readReservationAsked>): Promise<Done> => {
      const id = besideId(caller, asked.id)
      return alone(id, async () => {
        const before = asked.id === undefined ? null : await ledger.life(id)
        if (before !== null) return { life: before, repeated: true }
        const place = { upstream: upstreamOf(upstreams, asked.provider), endpoint: asked.endpoint }
        const { hold } = asked
        const { call, quoted, tighten } =
          hold.by === 'request'
            ? await quoteRequest(parts, place, { caller, id, request: hold.request })
            : await quoteStated(parts, place, { caller, id, hold })
        await reserve(parts, call, quoted, tighten, asked.leaseSeconds * 1_000)
        return done(caller, id)
      })
    },
    settle: (caller: Caller, id: string, spent: Spent): Promise<Done> =>
      alone(id, async () => {
        const life = await owned(caller, id)
        if (hasEnded(life)) return { life, repeated: true }
        await settleAs(life.reserved, spent)
        return done(caller, id)
      }),
    release: (caller: Caller, id: string, reason: string): Promise<Done> =>
      alone(id, async () => {
        const life = await owned(caller, id)
        if (hasEnded(life)) return { life, repeated: true }
        await release(parts, life.reserved, reason)
        return done(caller, id)
      }),
    /** Gives the instant until which the lease lasts at least. Throws `bad_input` where it has ended. */
    renew: (caller: Caller, id: string, leaseMs: number): Promise<number> =>
      alone(id, async () => {
        const life = await owned(caller, id)
        if (life.ends.length > 0) {
          throw new OctroiError(
            'bad_input',
            `The reservation "${id}" has ended (${life.ends.at(-1)?.kind}), so its lease cannot be renewed.`,
          )
        }
        const until = clock.now() + leaseMs
        await ledger.renew({ callIds: [id], until })
        return until
      }),
    /** Books what was never reserved. No limit refuses it; what it is too much shows as over. */
    book: (caller: Caller, asked: ReturnType<typeof readUsageAsked>): Promise<Done> => {
      const id = besideId(caller, asked.id)
      return alone(id, async () => {
        const before = asked.id === undefined ? null : await ledger.life(id)
        if (before !== null && hasEnded(before)) return { life: before, repeated: true }
        const upstream = upstreamOf(upstreams, asked.provider)
        const place = { upstream, endpoint: asked.endpoint }
        const call = await nameStated(parts, place, { caller, id, stated: asked.call })
        const reservation = before?.reserved ?? (await hold(parts, upstream, { call, spent: asked.spent }))
        await settleAs(reservation, asked.spent)
        return done(caller, id)
      })
    },
  }
}

const hasEnded = ({ ends }: CallLife): boolean => {
  const last = ends.at(-1)
  return last !== undefined && last.kind !== 'expired'
}

const bookedLeaseMs = 60_000

/** Holds what was used already, at what it came to. */
const hold = async (
  parts: Parts,
  upstream: Upstream,
  { call, spent }: { readonly call: Reservation['call']; readonly spent: Spent },
): Promise<Reservation> => {
  const { admission, ledger, clock } = parts
  const open = {
    call,
    currency: 'USD' as const,
    most: null,
    holds: [],
    leaseUntil: clock.now() + bookedLeaseMs,
  }
  const outcome = outcomeOf(upstream, open, spent)
  const as = { model: outcome.model ?? call.model, tier: outcome.tier }
  const { currency, total, pricedTotal, unpriced } = costOf(parts, outcome, pricedCall(call, upstream, as))
  const usage = [outcome.usage, ...(outcome.apart ?? []).flatMap(({ usage: part }) => part?.usage ?? [])]
  const quote = { usage: usage.flatMap(boundsOfUsage), unpriced, pricedMost: pricedTotal }
  const holds = admission.hold({ subject: call, at: call.at, most: total, quote, currency })
  const reservation = { ...open, currency, most: total, holds }
  try {
    await ledger.reserve(reservation)
  } catch (error) {
    admission.release({ holds, reservedAt: call.at, at: clock.now() })
    throw error
  }
  return reservation
}

const outcomeOf = (upstream: Upstream, { call, currency, holds }: Reservation, spent: Spent): Outcome => {
  const told = { resent: null, status: null, model: spent.model, tier: spent.tier }
  if (spent.by === 'usage') return { ...told, usage: spent.usage, basis: 'imported', note: null }
  if (spent.by === 'amount') {
    const other = holds.find(({ measure }) => measure !== undefined && !counted.includes(measure))
    if (spent.usage === null && other !== undefined) {
      throw new OctroiError(
        'bad_input',
        `usage: the limit "${other.limit}" counts ${other.measure}, so say the usage beside the amount.`,
      )
    }
    if (currency !== 'USD') {
      throw new OctroiError('currency_mismatch', `An amount is in USD; this call is priced in ${currency}.`)
    }
    const stated = { amount: spent.amount, currency: 'USD' } as const
    return { ...told, stated, usage: spent.usage ?? {}, basis: 'imported', note: 'the amount was told' }
  }
  const { wire } = replyTargetOf(upstream, call.endpoint)
  const { usage, model, tier, attributes, apart, stated } = { ...emptyReply, ...wire.readReply(spent.reply) }
  if (usage === null && stated === null && apart.length === 0) {
    throw new OctroiError('bad_input', 'reply: it reports no usage. Say usage or an amount.')
  }
  return {
    ...{ ...told, model: model ?? spent.model, tier: tier ?? spent.tier, attributes, apart, stated },
    ...{ usage: usage?.usage ?? {}, basis: 'measured', note: null },
  }
}

/** What a call counts of whatever it used. */
const counted: readonly string[] = ['requests', 'concurrent']

/** Works on one id once at a time. */
const createQueue = () => {
  const busy = new Map<string, Promise<unknown>>()
  return async <Result>(id: string, work: () => Promise<Result>): Promise<Result> => {
    const before = busy.get(id) ?? Promise.resolve()
    const mine = before.then(work, work)
    busy.set(id, mine)
    try {
      return await mine
    } finally {
      if (busy.get(id) === mine) busy.delete(id)
    }
  }
}
