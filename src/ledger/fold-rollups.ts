import { add, format, type Rational, zero } from '../money/rational.ts'
import type { Books } from './fold.ts'
import { ownerParts, type Rollup, rollupNames, rollups, serviceParts } from './rollup.ts'
import { dayMs, dayOf } from './seal.ts'

/** Whether what is at this key of the hours is in the rollups. */
export type IsRolled = (hour: number, owner: readonly (string | null)[]) => boolean

/** A key, and what stands under it. */
type Lines = Iterable<readonly [key: string, value: string]>

/** What the rollups must say, from the hours that entries were folded to, in plain code. */
export const foldRollups = (
  { chargeHours, callHours }: Pick<Books, 'chargeHours' | 'callHours'>,
  isRolled: IsRolled,
): { readonly charges: Lines; readonly calls: Lines } => {
  const charges = new Map<string, { quantity: Rational; amount: bigint; parts: number }>()
  for (const [key, { quantity, amount }] of chargeHours) {
    for (const place of placesOf(key, isRolled)) {
      const sum = charges.get(place) ?? { quantity: zero, amount: 0n, parts: 0 }
      charges.set(place, sum)
      sum.quantity = add(sum.quantity, quantity)
      sum.amount += amount
      sum.parts += 1
    }
  }
  const calls = new Map<string, { counts: [number, number, number, number]; resentAmount: bigint }>()
  for (const [key, more] of callHours) {
    for (const place of placesOf(key, isRolled)) {
      const sum = calls.get(place) ?? { counts: [0, 0, 0, 0], resentAmount: 0n }
      calls.set(place, sum)
      const added = [more.calls, more.unpriced, more.resentTokens, 1]
      for (const [index, value] of added.entries()) sum.counts[index] = (sum.counts[index] ?? 0) + value
      sum.resentAmount += more.resentAmount
    }
  }
  return {
    charges: [...charges].map(([key, { quantity, amount, parts }]) => [
      key,
      `${format(quantity)} ${amount} of ${parts}`,
    ]),
    calls: [...calls].map(([key, { counts, resentAmount }]) => {
      const [ended, unpriced, resent, parts] = counts
      return [key, `${ended} ${unpriced} ${resent} ${resentAmount} of ${parts}`]
    }),
  }
}

/** The keys in rollups of a key of the hours: the hour, the parts of owner and service, the currency, and what else. */
function* placesOf(key: string, isRolled: IsRolled): Generator<string> {
  const [hour, ...rest]: [number, ...(string | null)[]] = JSON.parse(key)
  if (!isRolled(hour, rest.slice(0, ownerParts.length))) return
  for (const name of rollupNames) {
    const { by, grain }: Rollup = rollups[name]
    const kept = rest.map((value, index) => {
      const part = parts[index]
      return part === undefined || by.includes(part) ? value : null
    })
    yield JSON.stringify([name, grain === 'hour' ? hour : dayOf(hour) * dayMs, ...kept])
  }
}

const parts = [...ownerParts, ...serviceParts]
