import { boundsOfUsage } from '../endpoints/bound.ts'
import type { Call } from '../ledger/entry.ts'
import type { CallLife } from '../ledger/reading.ts'
import { type Actual, type Asked, createAdmission, type Ended, type Misfit } from '../limits/admit.ts'
import type { Action, Limit } from '../limits/limit.ts'
import { type Used, usedIn } from '../limits/measure.ts'
import type { Picos } from '../money/money.ts'
import type { Usage } from '../usage/usage.ts'
import { admitLowered, outputOf } from './replayed-clamp.ts'
import { createSchedule } from './schedule.ts'

/** What a policy would have done about the calls of one team, by one of its limits. `amount`: what these calls came to
 * in truth, in 10^-12 of the currency. */
export type ReplayRow = {
  readonly limit: string
  readonly action: Action
  readonly team: string | null
  readonly currency: string
  readonly calls: number
  readonly amount: Picos
}

/** A call that a policy would not have let pass at once. */
export type ReplayExample = {
  readonly call: Call
  readonly most: Picos | null
  readonly currency: string
  readonly misfit: Misfit
  /** What its output would have been lowered to; null where it would have been stopped. */
  readonly outputTokens: number | null
}

/** What became of the calls in a replay. `refused`, `waited`, `lowered`, `warned`: how many the policy would have
 * stopped, made to wait, let pass with less output, or let pass with a warning. Rows beyond the first `rowsMax` are only counted. */
export type LimitReplay = {
  readonly calls: number
  readonly refused: number
  readonly waited: number
  readonly lowered: number
  readonly warned: number
  readonly rows: readonly ReplayRow[]
  readonly rowsLeftOut: number
  readonly examples: readonly ReplayExample[]
}

const rowsMax = 1_000
const examplesMax = 10

/** Tries limits on calls that were made, in the order in which they were reserved: each asks for the most it was held
 * at, and settles what it came to when it ended. A call that is refused, or would have had to wait, uses nothing; one whose output is lowered uses less. Token,
 * image and audio limits are asked for what was used, since the ledger keeps no other bound. Keeps as much as there are
 * calls in flight at one time. */
export const createLimitReplay = (limits: readonly Limit[]) => {
  const admission = createAdmission(limits, [])
  const schedule = createSchedule()
  const count = { calls: 0, refused: 0, waited: 0, lowered: 0, warned: 0, rowsLeftOut: 0 }
  const rows = new Map<string, ReplayRow>()
  const examples: ReplayExample[] = []

  const note = (life: CallLife, misfit: Misfit, outputTokens: number | null = null): void => {
    const { call, most, currency } = life.reserved
    const name = JSON.stringify([misfit.limit, misfit.action, call.team, currency])
    const row = rows.get(name) ?? {
      ...{ limit: misfit.limit, action: misfit.action, team: call.team, currency },
      ...{ calls: 0, amount: 0n },
    }
    if (row.calls > 0 || rows.size < rowsMax) {
      rows.set(name, { ...row, calls: row.calls + 1, amount: row.amount + truthOf(life).cost })
    } else count.rowsLeftOut += 1
    if (examples.length < examplesMax) examples.push({ call, most, currency, misfit, outputTokens })
  }

  const endLater = (life: CallLife, holds: Ended['holds'], truth: Actual = truthOf(life)): void => {
    const first = life.ends[0]
    const last = life.ends.at(-1)
    if (first === undefined || last === undefined) return
    const at = first.kind === 'expired' && last.kind !== 'expired' ? last.at : first.at
    const ended = { holds, reservedAt: life.reserved.call.at, at }
    schedule.put(at, () => {
      if (last.kind === 'expired') admission.expire(ended)
      else if (last.kind === 'released') admission.release(ended)
      else admission.settle(ended, truth)
    })
  }

  return {
    /** Tries the next call. */
    add: (life: CallLife): void => {
      count.calls += 1
      schedule.runUntil(life.reserved.call.at)
      const decision = admission.admit(askedBy(life))
      const lowered =
        !decision.admitted && decision.action === 'clamp'
          ? admitLowered(admission, askedBy(life), truthOf(life))
          : null
      if (!decision.admitted) {
        if (lowered !== null) {
          count.lowered += 1
          note(life, decision, lowered.outputTokens)
          endLater(life, lowered.admitted.holds, lowered.truth)
          return
        }
        if (decision.action === 'wait') count.waited += 1
        else count.refused += 1
        note(life, decision)
        return
      }
      if (decision.warnings.length > 0) count.warned += 1
      for (const warning of decision.warnings) note(life, warning)
      endLater(life, decision.holds)
    },
    /** What came of all calls so far; the rows with most calls first. */
    result: (): LimitReplay => ({
      ...count,
      rows: [...rows.values()].sort((a, b) => b.calls - a.calls),
      examples,
    }),
  }
}

const askedBy = (life: CallLife): Asked => {
  const { call, most, currency } = life.reserved
  const { usages, unpriced, cost } = truthOf(life)
  const usage = usages.flatMap(boundsOfUsage)
  return { subject: call, at: call.at, most, currency, quote: { usage, unpriced, pricedMost: most ?? cost } }
}

/** What a call came to, as the ledger knows it now; nothing where it is open or expired. */
const truthOf = ({ ends }: CallLife) => {
  const last = ends.at(-1)
  if (last === undefined || !('charges' in last)) {
    return { cost: 0n, used: {}, usages: [], unpriced: [], output: { tokens: 0n, amount: 0n } } as const
  }
  const usages: readonly Usage[] = [
    ...last.charges.map(({ meter, measured, quantity }) => ({ [meter]: measured ?? quantity })),
    ...last.unpriced.map(({ meter, quantity }) => ({ [meter]: quantity })),
  ]
  const used: Used = last.used ?? usedIn(usages)
  const output = outputOf(last.charges)
  return { cost: costOf(last.charges), used, usages, unpriced: last.unpriced, output }
}

const costOf = (charges: readonly { readonly amount: Picos }[]): Picos =>
  charges.reduce((sum, { amount }) => sum + amount, 0n)
