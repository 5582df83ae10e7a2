import { describe, expect, it } from 'vitest'
import { exampleReservation, exampleSettlement } from '../../test/conformance/ledger.ts'
import type { Attempt, Release, Settlement } from '../ledger/entry.ts'
import type { CallLife } from '../ledger/reading.ts'
import { format } from '../money/rational.ts'
import { parseInstant } from '../time.ts'
import { createServiceLevelsFold } from './service-levels.ts'
import { serviceLevelsJson } from './service-levels-json.ts'
import { promiseFor, readPromises } from './service-promise.ts'

const attempt: Attempt = { durationMs: 1_000, firstByteMs: 200, retry: 0 }
const promised = (rows: readonly object[]) =>
  readPromises([{ schema: 'octroi-promises/1', provider: 'openai', promises: rows }])
const promise = {
  ...{ tier: null, kind: 'availability', least: '0.999', measured: 'monthly uptime', effectiveFrom: null },
  ...{ knownSince: '2026-11-25', source: 'https://example.com', confidence: 'high', note: null },
}
const all = { from: null, to: null, byEndpoint: false }

type End = CallLife['ends'][number]

const lifeOf = (...ends: readonly End[]): CallLife => ({
  reserved: { kind: 'reserved', sequence: 1, ...exampleReservation('call-1') },
  ends,
})
const settled = (more: Partial<Settlement> = {}): CallLife =>
  lifeOf({ kind: 'settled', sequence: 2, ...exampleSettlement('call-1', 25n, { attempt, ...more }) })
const released = (more: Partial<Release>): CallLife =>
  lifeOf({ kind: 'released', sequence: 2, callId: 'call-1', at: 0, corrects: null, reason: 'no', ...more })
const expired: End = { kind: 'expired', sequence: 2, callId: 'call-1', at: 0 }

const levelOf = (lives: readonly CallLife[], rows: readonly object[] = [promise]) => {
  const fold = createServiceLevelsFold(all, promised(rows))
  fold.add(lives)
  return fold.result().levels[0]
}
const times = (count: number, make: () => CallLife): readonly CallLife[] =>
  Array.from({ length: count }, make)

describe('service levels', () => {
  it('tell failures of the vendor from refusals, from limits and from what was never sent', () => {
    const level = levelOf([
      settled(),
      settled({ status: 503, charges: [] }),
      settled({ note: 'The provider ended its stream before the end of the reply.; counted: o200k_base' }),
      settled({ status: 429, charges: [] }),
      settled({ status: 400, charges: [] }),
      released({ attempt }),
      released({}),
      lifeOf(expired),
      lifeOf(),
    ])
    expect(level?.outcomes).toEqual({ answered: 1, failed: 3, limited: 1, refused: 1, lost: 1, unsent: 2 })
    expect(level?.calls).toBe(7)
    // 1 of 1 + 3 + 1, and of 1 + 3.
    expect(level?.availability && format(level.availability)).toBe('0.2')
    expect(level?.availabilitySeen && format(level.availabilitySeen)).toBe('0.25')
    expect(level?.statuses).toContainEqual({ status: 503, calls: 1 })
  })

  it('count a call as lost whose cost became known later', () => {
    const late: End = { kind: 'adjusted', sequence: 3, corrects: 2, ...exampleSettlement('call-1') }
    expect(levelOf([lifeOf(expired, late)])?.outcomes.lost).toBe(1)
  })

  it('say what failed and repeated calls cost', () => {
    const cut = 'The provider broke off in the middle of its reply. It may have been billed.'
    const level = levelOf([settled(), settled({ note: cut }), settled({ attempt: { ...attempt, retry: 2 } })])
    expect(level?.costs).toEqual([{ currency: 'USD', amount: 75n, failed: 25n, retried: 25n }])
    expect(level?.retries).toBe(1)
  })

  it('time answered calls only', () => {
    const slow = { ...attempt, durationMs: 60_000, firstByteMs: null }
    const level = levelOf([settled(), settled(), settled({ status: 500, attempt: slow })])
    expect([level?.duration.count, Math.round(level?.duration.p99 ?? 0)]).toEqual([2, 1_002])
  })

  it('hold a promise against at least 1,000 attempts', () => {
    const verdict = (answered: number, failed: number, lost = 0) =>
      levelOf([
        ...times(answered, settled),
        ...times(failed, () => settled({ status: 500 })),
        ...times(lost, () => lifeOf(expired)),
      ])?.verdict
    expect(verdict(998, 1)).toBe('too few')
    expect(verdict(999, 1)).toBe('kept')
    expect(verdict(998, 2)).toBe('broken')
    expect(verdict(998, 0, 2)).toBe('unsure')
  })

  it('say so where none is published', () => {
    const level = levelOf(times(1_000, settled), [{ ...promise, kind: null, least: null }])
    expect([level?.verdict, level?.promise?.least]).toEqual(['no promise', null])
  })

  it('go by the tier that served all that was answered', () => {
    const rows = [promise, { ...promise, tier: 'priority', least: '0.9999' }]
    const level = levelOf([settled({ tier: 'priority' }), settled({ tier: null, status: 500 })], rows)
    expect([level?.tier, level?.promise?.tier]).toEqual(['priority', 'priority'])
    expect(levelOf([settled({ tier: 'priority' }), settled()], rows)?.tier).toBeNull()
  })

  it('are written with shares of six places and whole milliseconds', () => {
    const fold = createServiceLevelsFold(all, promised([promise]))
    fold.add([settled(), settled(), settled({ status: 500 })])
    expect(serviceLevelsJson(fold.result())).toMatchObject({
      schema: 'octroi-report-service-levels/1',
      levels: [
        { availability: '0.666667', durationMs: { count: 2, p50: 1_002 }, promise: { least: '0.999' } },
      ],
    })
  })
})

describe('a promise', () => {
  it('is the last that held when the period began', () => {
    const rows = promised([
      { ...promise, least: '0.99', effectiveFrom: '2023-01-01' },
      { ...promise, least: '0.999', effectiveFrom: '2024-01-01' },
    ])
    const least = (from: string) => {
      const held = promiseFor(rows, { provider: 'openai', tier: 'default', from: parseInstant(from) })
      return held?.least && format(held.least)
    }
    expect(['2022-06-01', '2023-06-01', '2024-06-01'].map(least)).toEqual([undefined, '0.99', '0.999'])
  })
})
