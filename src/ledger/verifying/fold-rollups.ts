import { add, format, type Rational, zero } from '../../money/rational.ts'
import type { CallSums } from '../fold.ts'
import type { NamePart } from '../names.ts'
import { ownerParts, type Rollup, type RollupName, rollupNames, rollups, serviceParts } from '../rollup.ts'
import { dayMs, dayOf } from '../seal.ts'

/** Where a row of the hours stands: the parts of its owner and its service, and what else its key has. */
export type HourPlace = {
  readonly hour: number
  readonly owner: readonly NamePart[]
  readonly service: readonly NamePart[]
  readonly more: readonly NamePart[]
}

/** Where a row of a rollup must stand, and what it must say. */
export type RollupLine = HourPlace & { readonly rollup: RollupName; readonly value: string }

/** What the rollups must say of rows of the hours, in plain code. */
export type RollupFold = {
  readonly addCharge: (
    place: HourPlace,
    sum: { readonly quantity: Rational; readonly amount: bigint },
  ) => void
  readonly addCalls: (place: HourPlace, sums: CallSums) => void
  readonly charges: () => Iterable<RollupLine>
  readonly calls: () => Iterable<RollupLine>
}

export const foldRollups = (): RollupFold => {
  const charges = new Map<string, Place & { quantity: Rational; amount: bigint; parts: number }>()
  const calls = new Map<string, Place & CallSums & { parts: number }>()
  return {
    addCharge: (from, { quantity, amount }) => {
      for (const place of placesOf(from)) {
        const sum = getOrPut(charges, place, { quantity: zero, amount: 0n, parts: 0 })
        sum.quantity = add(sum.quantity, quantity)
        sum.amount += amount
        sum.parts += 1
      }
    },
    addCalls: (from, more) => {
      for (const place of placesOf(from)) {
        const sum = getOrPut(calls, place, {
          calls: 0,
          unpriced: 0,
          resentTokens: 0,
          resentAmount: 0n,
          parts: 0,
        })
        sum.calls += more.calls
        sum.unpriced += more.unpriced
        sum.resentTokens += more.resentTokens
        sum.resentAmount += more.resentAmount
        sum.parts += 1
      }
    },
    charges: function* () {
      for (const { quantity, amount, parts, ...place } of charges.values()) {
        yield { ...place, value: `${format(quantity)} ${amount} of ${parts}` }
      }
    },
    calls: function* () {
      for (const { calls: ended, unpriced, resentTokens, resentAmount, parts, ...place } of calls.values()) {
        yield { ...place, value: `${ended} ${unpriced} ${resentTokens} ${resentAmount} of ${parts}` }
      }
    },
  }
}

type Place = HourPlace & { readonly rollup: RollupName }

const getOrPut = <Sums>(map: Map<string, Place & Sums>, place: Place, nothing: Sums): Place & Sums => {
  const { rollup, hour, owner, service, more } = place
  const key = JSON.stringify([rollup, hour, ...owner, ...service, ...more])
  const known = map.get(key)
  if (known !== undefined) return known
  const made = { ...place, ...nothing }
  map.set(key, made)
  return made
}

/** A place of the hours in each rollup: with the parts by which it sums, at its hour or its day. */
function* placesOf({ hour, owner, service, more }: HourPlace): Generator<Place> {
  for (const rollup of rollupNames) {
    const { by, grain }: Rollup = rollups[rollup]
    yield {
      rollup,
      hour: grain === 'hour' ? hour : dayOf(hour) * dayMs,
      owner: owner.map((value, index) => (isKept(by, ownerParts[index]) ? value : null)),
      service: service.map((value, index) => (isKept(by, serviceParts[index]) ? value : null)),
      more,
    }
  }
}

/** The currency, the last part of a service, is always kept. */
const isKept = (by: Rollup['by'], part: Rollup['by'][number] | undefined): boolean =>
  part === undefined || by.includes(part)
