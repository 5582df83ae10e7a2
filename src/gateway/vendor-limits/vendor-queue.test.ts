import { describe, expect, it } from 'vitest'
import type { Refused } from '../../limits/decision.ts'
import { manualClock } from '../../time.ts'
import { type Attempted, createVendorQueue } from './vendor-queue.ts'

const refused = (fitsAt: number | null): Attempted & { readonly byVendor: true } => ({
  byVendor: true,
  answer: {
    ...{ admitted: false, reason: 'exceeded', action: 'wait', asked: 1n, fitsAt, fitsWhenFreed: null },
    ...{ limit: 'requests', counter: {}, measure: 'requests', cap: 1n, currency: null, windowStart: 0 },
    ...{ resetsAt: null, settled: 1n, held: 0n, unresolved: 0n, free: 0n, over: 0n },
  },
})
const admitted: Attempted = { byVendor: false, answer: { admitted: true, holds: [], warnings: [] } }

/** A queue before a pool with room for so many calls. */
const open = (bounds = { waitersMax: 10, waitMsMax: 60_000 }, paceMs: number | null = null) => {
  const clock = manualClock(0)
  let room = 0
  const turnAt = (answer: Refused, before: number): number | null =>
    paceMs === null ? null : (answer.fitsAt ?? 0) + before * paceMs
  const queue = createVendorQueue(clock, bounds, turnAt)
  const served: string[] = []
  const run = async (name: string): Promise<Attempted> => {
    const tried = await queue.run(() => {
      if (room === 0) return refused(50_000)
      room -= 1
      return admitted
    })
    if (!tried.byVendor) served.push(name)
    return tried
  }
  return {
    ...{ queue, served, run },
    free: (calls: number): void => {
      room += calls
      queue.look()
    },
  }
}

describe('the queue before a pool', () => {
  it('lets calls pass in the order in which they came, as many as there is room for', async () => {
    const { queue, served, run, free } = open()
    const calls = ['a', 'b', 'c', 'd'].map(run)
    free(1)
    free(2)
    await Promise.all(calls.slice(0, 3))
    expect(served).toEqual(['a', 'b', 'c'])
    expect(queue.count()).toBe(1)
    queue.close()
    expect(await calls[3]).toMatchObject({ byVendor: true })
  })

  it('takes no more than it is bounded to', async () => {
    const { queue, run } = open({ waitersMax: 2, waitMsMax: 60_000 })
    const calls = [run('a'), run('b')]
    expect(await run('c')).toMatchObject({ byVendor: true, answer: { fitsAt: 50_000 } })
    queue.close()
    await Promise.all(calls)
  })

  it('turns away who cannot come to his turn in time, and says when he would', async () => {
    const { queue, run } = open({ waitersMax: 10, waitMsMax: 60_000 }, 6_000)
    const calls = [run('a'), run('b')]
    expect(await run('c')).toMatchObject({ byVendor: true, answer: { fitsAt: 62_000 } })
    queue.close()
    await Promise.all(calls)
  })

  it('gives up after the longest wait', async () => {
    const { queue, run } = open({ waitersMax: 10, waitMsMax: 20 })
    expect(await run('a')).toMatchObject({ byVendor: true })
    expect(queue.count()).toBe(0)
  })

  it('keeps nobody waiting for what never fits', async () => {
    const { queue } = open()
    expect(await queue.run(() => refused(null))).toMatchObject({ byVendor: true })
  })
})
