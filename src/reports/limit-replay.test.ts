import { describe, expect, it } from 'vitest'
import type { Call } from '../ledger/entry.ts'
import type { CallLife } from '../ledger/reading.ts'
import { parseLimit } from '../limits/parse-limit.ts'
import { createLimitReplay } from './limit-replay.ts'

const call = (id: string, at: number, team: string | null): Call => ({
  ...{ id, at, provider: 'openai', model: 'gpt-4', endpoint: 'chat-completions', key: null, team },
  ...{ organization: null, project: null, environment: null, endUser: null, conversation: null, tags: {} },
})

type Ended = { kind: 'released' | 'expired'; at: number }

/** A call that held 10 picos at an instant, and what ended it. */
const life = (
  id: string,
  { at, ends = [], team = 'search' }: { at: number; ends?: readonly Ended[]; team?: string | null },
): CallLife => ({
  reserved: {
    ...{ kind: 'reserved', sequence: 1, call: call(id, at, team), currency: 'USD', most: 10n },
    ...{ holds: [], leaseUntil: at + 1 },
  },
  ends: ends.map((end, index) => ({
    ...{ sequence: index + 2, callId: id, at: end.at },
    ...(end.kind === 'expired' ? { kind: 'expired' } : { kind: 'released', corrects: null, reason: 'x' }),
  })),
})

const limit = (cap: string, more: object = {}) =>
  parseLimit({ name: 'all', measure: 'cost', cap, window: { calendar: 'total' }, ...more })

const replayed = (cap: string, lives: readonly CallLife[], more: object = {}) => {
  const replay = createLimitReplay([limit(cap, more)])
  for (const each of lives) replay.add(each)
  return replay.result()
}

describe('a replay of limits', () => {
  it('holds a call until it ended, and frees what was released', () => {
    const released = [{ kind: 'released' as const, at: 50 }]
    const lives = [life('a', { at: 0, ends: released }), life('b', { at: 49 }), life('c', { at: 50 })]
    const { calls, refused, examples } = replayed('0.00000000001', lives)
    expect([calls, refused, examples.map(({ call: { id } }) => id)]).toEqual([3, 1, ['b']])
  })

  it('keeps counting what expired, and lets go of it where it proved to be nothing', () => {
    const expired = { kind: 'expired' as const, at: 20 }
    const proved = [expired, { kind: 'released' as const, at: 60 }]
    const later = [life('b', { at: 40 }), life('c', { at: 70 })]
    expect(replayed('0.00000000001', [life('a', { at: 0, ends: [expired] }), ...later]).refused).toBe(2)
    expect(replayed('0.00000000001', [life('a', { at: 0, ends: proved }), ...later]).refused).toBe(1)
  })

  it('tells of each team apart, at most ten calls by name, and no more than 1,000 rows', () => {
    const lives = Array.from({ length: 1_200 }, (_, index) =>
      life(`c${index}`, { at: index, team: `t${index}` }),
    )
    const { refused, rows, rowsLeftOut, examples } = replayed('0', lives)
    expect([refused, rows.length, rowsLeftOut, examples.length]).toEqual([1_200, 1_000, 200, 10])
  })

  it('tells waiting and warnings from refusals', () => {
    const lives = [life('a', { at: 0 }), life('b', { at: 1, team: null })]
    expect(replayed('0', lives, { action: 'wait' })).toMatchObject({ refused: 0, waited: 2, warned: 0 })
    expect(replayed('0', lives, { action: 'warn' })).toMatchObject({ refused: 0, waited: 0, warned: 2 })
  })
})
