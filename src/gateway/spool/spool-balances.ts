import type { Reservation } from '../../ledger/entry.ts'
import type { CallLife } from '../../ledger/reading.ts'
import { type Balance, counterParts, type Hold, settledOf, unresolvedOf } from '../../limits/hold.ts'
import { callIdOf, type SpooledVerb } from './spool-lines.ts'

type Sums = { readonly settled?: bigint; readonly held?: bigint; readonly unresolved?: bigint }

/** Balances as they are when verbs are posted that wait in a spool: of each call, what the ledger does not have yet.
 * In the order of their windows. */
export const balancesWith = async (
  kept: readonly Balance[],
  verbs: readonly SpooledVerb[],
  life: (callId: string) => Promise<CallLife | null>,
): Promise<readonly Balance[]> => {
  if (verbs.length === 0) return kept
  const balances = new Map(kept.map((balance) => [nameOf(balance), balance]))
  const move = (holds: readonly Hold[], sumsOf: (hold: Hold) => Sums): void => {
    for (const hold of holds) {
      const { amount: _, ...counter } = hold
      const name = nameOf(hold)
      const before = balances.get(name) ?? { ...counter, settled: 0n, held: 0n, unresolved: 0n }
      const { settled = 0n, held = 0n, unresolved = 0n } = sumsOf(hold)
      balances.set(name, {
        ...before,
        settled: before.settled + settled,
        held: before.held + held,
        unresolved: before.unresolved + unresolved,
      })
    }
  }
  for (const [callId, own] of Map.groupBy(verbs, callIdOf)) {
    const known = await life(callId)
    const last = known?.ends.at(-1)?.kind
    if (last !== undefined && last !== 'expired') continue
    let reservation: Reservation | undefined = known?.reserved
    for (const spooled of own) {
      if (spooled.verb === 'reserve') {
        if (reservation !== undefined) continue
        reservation = spooled.entry
        move(reservation.holds, ({ amount }) => ({ held: amount }))
        continue
      }
      const holds = reservation?.holds ?? []
      move(holds, (hold) =>
        last === 'expired' ? { unresolved: -unresolvedOf(hold) } : { held: -hold.amount },
      )
      if (spooled.verb === 'release') continue
      const { charges, used, unresolved = [] } = spooled.entry
      const cost = charges.reduce((sum, { amount }) => sum + amount, 0n)
      move(holds, (hold) => ({ settled: settledOf(hold, cost, used) }))
      move(unresolved, ({ amount }) => ({ unresolved: amount }))
    }
  }
  return [...balances.values()].sort((a, b) => a.windowStart - b.windowStart)
}

const nameOf = (counter: Omit<Hold, 'amount'>): string =>
  JSON.stringify([...counterParts(counter), counter.windowStart])
