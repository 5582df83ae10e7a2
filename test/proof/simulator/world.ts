import type { createAdmission } from '../../../src/limits/admit.ts'
import type { Balance, Hold } from '../../../src/limits/hold.ts'
import { counterParts, settledOf, unresolvedOf } from '../../../src/limits/hold.ts'

export type Admission = ReturnType<typeof createAdmission>

/** A call of the simulation. `truth`: what it uses, which is known when the vendor has answered. */
export type SimulatedCall = {
  readonly id: number
  readonly at: number
  readonly holds: readonly Hold[]
  readonly truth: bigint
}

type Status = 'reserved' | 'settled' | 'released' | 'expired'

/** What happened to something written to the ledger. */
export type Written = 'done' | 'late' | 'repeated' | 'unknown'

/** The rules of the ledger as plain code: every operation is idempotent, a call ends once, what was sent and lost is
 * unresolved until the truth is known. It outlives every crash. */
export const simulatedLedger = () => {
  const calls = new Map<number, { call: SimulatedCall; status: Status; leaseUntil: number }>()
  const balances = new Map<string, { -readonly [Name in keyof Balance]: Balance[Name] }>()

  const move = (hold: Hold, change: Partial<Record<'settled' | 'held' | 'unresolved', bigint>>): void => {
    const key = JSON.stringify([...counterParts(hold), hold.windowStart])
    const { amount: _, ...name } = hold
    const balance = balances.get(key) ?? { ...name, settled: 0n, held: 0n, unresolved: 0n }
    balance.settled += change.settled ?? 0n
    balance.held += change.held ?? 0n
    balance.unresolved += change.unresolved ?? 0n
    balances.set(key, balance)
  }

  const end = (id: number, status: 'settled' | 'released'): Written => {
    const known = calls.get(id)
    if (known === undefined) return 'unknown'
    if (known.status !== 'reserved' && known.status !== 'expired') return 'repeated'
    const late = known.status === 'expired'
    for (const hold of known.call.holds) {
      const { truth } = known.call
      const settled = status === 'released' ? 0n : settledOf(hold, truth, { tokens: truth, requests: 1n })
      move(hold, late ? { unresolved: -unresolvedOf(hold), settled } : { held: -hold.amount, settled })
    }
    known.status = status
    return late ? 'late' : 'done'
  }

  return {
    reserve: (call: SimulatedCall, leaseUntil: number): Written => {
      if (calls.has(call.id)) return 'repeated'
      calls.set(call.id, { call, status: 'reserved', leaseUntil })
      for (const hold of call.holds) move(hold, { held: hold.amount })
      return 'done'
    },
    settle: (id: number): Written => end(id, 'settled'),
    release: (id: number): Written => end(id, 'released'),
    expire: (at: number): readonly SimulatedCall[] =>
      [...calls.values()].flatMap((known) => {
        if (known.status !== 'reserved' || known.leaseUntil > at) return []
        known.status = 'expired'
        for (const hold of known.call.holds) {
          move(hold, { held: -hold.amount, unresolved: unresolvedOf(hold) })
        }
        return [known.call]
      }),
    /** In the order of their windows, as the ledger gives them. */
    balances: (): readonly Balance[] => [...balances.values()].sort((a, b) => a.windowStart - b.windowStart),
    calls: () => [...calls.values()],
  }
}
