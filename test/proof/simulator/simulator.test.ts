import { setImmediate as turn } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { longForm } from '../work.ts'
import { simulate } from './simulate.ts'

const only = process.env['OCTROI_SEED']
const [first, last] = only === undefined ? [1, longForm ? 1_000_000 : 2_000] : [Number(only), Number(only)]
const together = 1_000

const runSeed = (seed: number): void => {
  try {
    simulate(seed)
  } catch (error) {
    const replay = `OCTROI_SEED=${seed} npm test -- test/proof/simulator runs it alone`
    throw new Error(`Seed ${seed}: ${String(error)} (${replay}).`, { cause: error })
  }
}

it(
  'limits keep their rules with slices out, whoever crashes, and whatever is delayed or comes twice',
  async () => {
    let simulated = 0
    for (let from = first; from <= last; from += together) {
      for (let seed = from; seed < from + together && seed <= last; seed += 1) {
        runSeed(seed)
        simulated += 1
      }
      await turn()
      if (longForm && simulated % 50_000 === 0) console.log(`simulator: ${simulated} of ${last} seeds`)
    }
    expect(simulated).toBe(last - first + 1)
  },
  longForm ? 24 * 3_600_000 : 60_000,
)
