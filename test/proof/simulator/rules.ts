import type { LimitState } from '../../../src/limits/admit.ts'
import type { CounterName } from '../../../src/limits/hold.ts'
import type { Lender } from '../../../src/limits/lender.ts'
import type { Limit } from '../../../src/limits/limit.ts'
import type { Keeper } from './keeper.ts'
import type { Worker } from './worker.ts'
import { type askedBy, Broken, type World } from './world.ts'

const nameOf = ({ limit, measure, counter }: LimitState): CounterName => ({
  limit,
  ...(measure !== 'cost' && { measure }),
  ...(Object.keys(counter).length > 0 && { counter: JSON.stringify(counter) }),
})

/** What may not be refused: a call that would fit if all that is lent came back. */
export const checkRefusal = (lender: Lender, asked: ReturnType<typeof askedBy>): void => {
  for (const state of lender.admission.about(asked)) {
    if (state.action === 'warn' || state.asked === null || state.asked === 0n) continue
    const { cap, settled, held, unresolved } = state
    const counted = settled + held + unresolved - lender.lent(nameOf(state))
    if (counted + state.asked > cap) return
  }
  throw new Broken('a call is refused that fits, were all slices given back')
}

/** The rules of every step, remembering what replaced limits have left above their caps. */
export const createRules = (world: World) => {
  /** Limits that have been put in the place of others and count something else: calls in flight are not in their caps. */
  const changed = new Set<string>()
  const overs = new Map<string, bigint>()
  const capsMax = new Map<string, bigint>()

  const noteCaps = (limits: readonly Limit[]): void => {
    for (const { name, cap } of limits) {
      const known = capsMax.get(name) ?? 0n
      if (cap >= known) capsMax.set(name, cap)
    }
  }
  noteCaps(world.limits)

  const checkState = (state: LimitState): void => {
    const { limit, cap, settled, held, unresolved, free, over } = state
    if (settled + held + unresolved + free !== cap + over) throw new Broken(`${limit}: not conserved`)
    if (settled < 0n || held < 0n || unresolved < 0n) throw new Broken(`${limit}: less than nothing`)
    if (limit === 'watched' || changed.has(limit)) return
    if (over === 0n) {
      if (overs.size > 0) overs.delete(keyOf(state))
      return
    }
    const key = keyOf(state)
    if (over > (overs.get(key) ?? 0n)) throw new Broken(`${limit}: ${over} over, slices and all`)
    overs.set(key, over)
  }

  const keyOf = ({ limit, counter }: LimitState): string => `${limit}\n${counter['endUser'] ?? ''}`

  return {
    changed,
    capMax: (name: string): bigint => capsMax.get(name) ?? 0n,
    /** After limits were replaced: what may be over from now on. */
    replaced: (before: readonly Limit[], lender: Lender): void => {
      noteCaps(world.limits)
      for (const limit of world.limits) {
        const old = before.find(({ name }) => name === limit.name)
        const isKept = old?.measure === limit.measure && sameJson(old, limit)
        if (!isKept) changed.add(limit.name)
      }
      for (const state of lender.admission.state(world.now)) overs.set(keyOf(state), state.over)
    },
    /** Conservation; no cap passed, with slices out; one total and the sum of its parts. */
    check: (lender: Lender): void => {
      let [settled, open] = [0n, 0n]
      for (const state of lender.admission.state(world.now)) {
        checkState(state)
        const sign = state.limit === 'all' ? 1n : state.limit === 'of a user' ? -1n : 0n
        if (sign === 0n) continue
        settled += sign * state.settled
        open += sign * (state.held - lender.lent(nameOf(state)) + state.unresolved)
      }
      if (settled !== 0n || open !== 0n) throw new Broken('the total is not the sum over users')
    },
  }
}

const sameJson = (a: Limit | undefined, b: Limit): boolean =>
  JSON.stringify([a?.window, a?.each]) === JSON.stringify([b.window, b.each])

export type Rules = ReturnType<typeof createRules>

/** Nothing can be used that the keeper does not know to be lent: slices, and messages under way. */
export const checkLent = (world: World, keeper: Keeper, workers: readonly Worker[], rules: Rules): void => {
  const lender = keeper.lender()
  const usable = new Map<string, { name: CounterName; amount: bigint }>()
  const add = (name: CounterName, amount: bigint): void => {
    const key = `${name.limit}\n${name.counter ?? ''}`
    usable.set(key, { name, amount: (usable.get(key)?.amount ?? 0n) + amount })
  }
  const epoch = lender.epoch()
  // What a limit had lent before it came to count something else is lost with what it counted.
  const isOf = (name: CounterName, its: number): boolean => its === epoch || !rules.changed.has(name.limit)
  for (const { slices, channel } of workers) {
    if (channel().isDead) continue
    for (const name of slices.idle(Number.POSITIVE_INFINITY)) {
      if (isOf(name, slices.epoch())) add(name, slices.left(name))
    }
  }
  for (const { up, down } of keeper.channels) {
    for (const message of up) {
      if (message.kind !== 'reserve') continue
      for (const hold of message.call.holds) if (isOf(hold, message.epoch)) add(hold, hold.amount)
    }
    for (const message of down) {
      if (message.kind !== 'lent') continue
      const { lent } = message
      for (const slice of lent.slices) if (isOf(slice, lent.epoch)) add(slice, slice.added)
    }
  }
  const kept = new Set(world.limits.map(({ name }) => name))
  for (const { name, amount } of usable.values()) {
    if (name.limit === 'watched' || !kept.has(name.limit)) continue
    if (lender.lent(name) < amount) throw new Broken(`${name.limit}: more can be used than is lent`)
  }
}

/** When nothing is under way: nothing is held or lent, memory and ledger agree, no stretch of time has more than its cap. */
export const checkEnd = (world: World, keeper: Keeper, rules: Rules): void => {
  const { ledger, now, limits } = world
  const lender = keeper.lender()
  rules.check(lender)
  const balances = ledger.balances()
  for (const state of lender.admission.state(now)) {
    const { limit, held, settled, unresolved, windowStart, measure } = state
    if (lender.lent(nameOf(state)) !== 0n) throw new Broken(`${limit}: a slice has leaked`)
    if (held !== 0n) throw new Broken(`${limit}: a hold has leaked`)
    const window = limits.find(({ name }) => name === limit)?.window ?? null
    if (window === null || !('calendar' in window)) continue
    const { counter } = nameOf(state)
    const kept = balances.find(
      (each) =>
        each.limit === limit &&
        (each.measure ?? 'cost') === measure &&
        each.counter === counter &&
        each.windowStart === windowStart,
    )
    if ((kept?.settled ?? 0n) !== settled || (kept?.unresolved ?? 0n) !== unresolved) {
      throw new Broken(`${limit}: memory and ledger do not agree`)
    }
  }
  for (const { limit, settled, held, unresolved } of balances) {
    if (held !== 0n) throw new Broken(`${limit}: the ledger still holds`)
    if (limit === 'rate' || limit === 'watched' || rules.changed.has(limit)) continue
    if (settled + unresolved > rules.capMax(limit)) throw new Broken(`${limit}: the cap is passed`)
  }
  if (!world.isLagging) checkStretches(world, rules, limits)
}

/** What calls came to, against the windows that move. */
const checkStretches = ({ ledger }: World, rules: Rules, limits: readonly Limit[]): void => {
  const holdIn = (name: string) => (call: ReturnType<typeof ledger.calls>[number]) => {
    const hold = call.call.holds.find(({ limit }) => limit === name)
    if (hold === undefined || call.status === 'released') return []
    const amount = call.status === 'settled' ? call.call.truth : hold.amount
    return amount === 0n ? [] : [{ at: call.call.at, amount, counter: hold.counter ?? '' }]
  }
  for (const { name, window } of limits) {
    if (window === null || 'calendar' in window || rules.changed.has(name)) continue
    const cap = rules.capMax(name)
    const used = ledger.calls().flatMap(holdIn(name))
    used.sort((a, b) => a.at - b.at)
    for (const [index, from] of used.entries()) {
      let sum = 0n
      for (let to = index; to < used.length; to += 1) {
        const call = used[to]
        if (call === undefined || call.counter !== from.counter) continue
        const ms = BigInt(call.at - from.at)
        sum += call.amount
        const most = 'bucket' in window ? cap * (BigInt(window.lengthMs) + ms) : cap * BigInt(window.lengthMs)
        if ('rolling' in window && call.at - from.at >= window.lengthMs) break
        if (sum * BigInt(window.lengthMs) > most) throw new Broken(`${name}: a stretch has more than its cap`)
      }
    }
  }
}
