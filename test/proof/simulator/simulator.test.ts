import { expect, it } from 'vitest'
import { longForm } from '../work.ts'
import { simulate } from './simulate.ts'

const seeds = longForm ? 1_000_000 : 2_000
const only = process.env.OCTROI_SEED

it(
  'admission keeps its rules whatever crashes, is delayed, comes twice or in another order',
  () => {
    const [first, last] = only === undefined ? [1, seeds] : [Number(only), Number(only)]
    for (let seed = first; seed <= last; seed += 1) {
      try {
        simulate(seed)
      } catch (error) {
        throw new Error(`Seed ${seed}: ${String(error)} (OCTROI_SEED=${seed} runs it alone).`, {
          cause: error,
        })
      }
    }
    expect(last).toBeGreaterThanOrEqual(first)
  },
  longForm ? 24 * 3_600_000 : 60_000,
)
