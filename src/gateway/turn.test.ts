import { setImmediate as nextRound } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { turn } from './turn.ts'

it('lets one large step run in each round of the loop, and small ones at once', async () => {
  const seen: string[] = []
  const step = async (name: string, bytes: number): Promise<void> => {
    await turn(bytes)
    seen.push(name)
  }
  const steps = [
    step('large 1', 1_000_000),
    step('large 2', 1_000_000),
    step('large 3', 100_000),
    step('small', 99_999),
  ]
  for (let round = 1; round <= 3; round += 1) {
    await nextRound()
    seen.push(`round ${round}`)
  }
  await Promise.all(steps)
  expect(seen).toEqual(['small', 'round 1', 'large 1', 'round 2', 'large 2', 'round 3', 'large 3'])
})
