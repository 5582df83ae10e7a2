import { expect, it } from 'vitest'
import { crossingLine } from './crossing-line.ts'

it('a crossing is told with whose counter it is, how much is used, and of what', () => {
  const crossing = {
    ...{ id: 'x', limit: 'users', counter: { endUser: 'u_1', 'tag:feature': null } },
    ...{ measure: 'cost' as const, currency: 'USD', windowStart: 0, resetsAt: 1, share: '0.8' },
    ...{ cap: 100_000_000_000_000n, used: 80_500_000_000_000n },
    ...{ settled: 80_000_000_000_000n, held: 0n, unresolved: 500_000_000_000n },
  } as const
  expect(crossingLine(crossing)).toBe(
    'octroi: the limit "users" of u_1, (none) has reached 80 %: 80.5 of 100 USD',
  )
  expect(
    crossingLine({ ...crossing, counter: {}, measure: 'tokens', currency: null, cap: 100n, used: 80n }),
  ).toBe('octroi: the limit "users" has reached 80 %: 80 of 100 token')
})
