import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { Reservation } from '../../ledger/entry.ts'
import type { Asked } from '../../limits/admit.ts'
import type { CounterName } from '../../limits/hold.ts'
import { createLender } from '../../limits/lender.ts'
import { parseLimits } from '../../limits/parse-limit.ts'
import { createSlices } from '../../limits/slices.ts'
import { manualClock, parseInstant } from '../../time.ts'
import type { Parts } from '../parts.ts'
import { createWaiting } from '../waiting.ts'
import { type Channel, createChannel } from './channel.ts'
import { createKeeper } from './keeper.ts'
import type { KeeperVerbs, WorkerVerbs } from './verbs.ts'

const at = parseInstant('2026-03-02T12:00:00Z')
const clock = manualClock(at)
const limitsOf = (cap: string) =>
  parseLimits([{ name: 'month', measure: 'requests', cap, window: { calendar: 'month' } }])

const subject = {
  ...{ key: 'key_1', organization: null, team: 'search', project: null, environment: null, tags: {} },
  ...{ endUser: null, provider: 'openai', model: 'gpt-4o', endpoint: 'chat-completions', conversation: null },
}
const one: Asked = {
  ...{ subject, at, most: 0n, currency: 'USD' },
  quote: { unpriced: [], pricedMost: 0n, usage: [] },
}

/** A keeper of one limit, and workers with slices, all in this process. `mute` workers never give back. */
const startKeeper = (cap: string, mute: readonly string[] = []) => {
  const faults: unknown[] = []
  const report = (error: unknown) => faults.push(error)
  const lender = createLender(limitsOf(cap), [])
  const keeper = createKeeper(lender, clock, report)
  const waiting = createWaiting(lender.admission, clock, { waitersMax: 10, waitMsMax: 1_000 }, () => {})
  const letGo: string[] = []
  const { admission } = waiting
  const booking = { reserve: async () => null }
  const leases = { letGo: (id: string) => letGo.push(id) }
  keeper.serve({
    // Of all parts these are what lending and booking ask.
    parts: { admission, waiting, booking, leases } as unknown as Parts,
    ...{ database: { call: async () => null as never, close: async () => {} }, pepper: new Uint8Array() },
    ...{ refused: () => {}, timed: () => {} },
  })
  const killed: string[] = []
  const join = (name: string) => {
    const slices = createSlices(limitsOf(cap), lender.epoch())
    const channel: Channel<KeeperVerbs> = createChannel({
      send: (message) => seat.hear(structuredClone(message)),
      report,
      verbs: {
        giveBack: (counters: readonly CounterName[]) =>
          mute.includes(name)
            ? new Promise<never>(() => {})
            : { left: slices.giveBack(counters), epoch: slices.epoch() },
        rules: () => (mute.includes(name) ? new Promise<never>(() => {}) : undefined),
        keyChanged: async () => {},
        providerKeysChanged: async () => {},
      } satisfies Record<keyof WorkerVerbs, unknown>,
    })
    const seat = keeper.join({
      name,
      send: (message) => channel.hear(structuredClone(message)),
      kill: () => killed.push(name),
    })
    const take = (): boolean => {
      const taken = slices.take(one)
      if (!taken.admitted) return false
      const reservation = { call: { id: `call_${name}` }, holds: taken.holds } as unknown as Reservation
      void channel.ask('reserve', { reservation, allowance: null, epoch: slices.epoch(), at })
      return true
    }
    /** Admits and books a call as a worker does; false where it is refused. */
    const admit = async (): Promise<boolean> => {
      if (take()) return true
      let taken = false
      await channel.ask('lend', { asked: one, wait: false }, (lent) => {
        if (!('lent' in lent)) return
        slices.add(lent)
        taken = take()
      })
      return taken
    }
    return { channel, slices, admit, left: seat.left }
  }
  return { keeper, lender, join, killed, letGo, faults }
}

describe('the keeper of slices', () => {
  it('refuses no call for what workers have and do not use', async () => {
    const { join, lender } = startKeeper('100')
    const [idle, busy] = [join('1'), join('2')]
    expect(await idle.admit()).toBe(true)
    const counter = { limit: 'month', measure: 'requests' } as const
    expect(lender.lent(counter)).toBeGreaterThan(1n)
    let admitted = 1
    while (await busy.admit()) admitted += 1
    expect(admitted).toBe(100)
    expect(idle.slices.left(counter)).toBe(0n)
  })

  it('goes on without a worker that does not give back in time', async () => {
    const { join } = startKeeper('100', ['1'])
    const [mute, busy] = [join('1'), join('2')]
    expect(await mute.admit()).toBe(true)
    const has = mute.slices.left({ limit: 'month', measure: 'requests' })
    let admitted = 1
    while (await busy.admit()) admitted += 1
    expect(admitted).toBe(100 - Number(has))
  })

  it('has back at once what a dead worker had, and lets its calls expire', async () => {
    const { join, lender, letGo } = startKeeper('100')
    const worker = join('1')
    expect(await worker.admit()).toBe(true)
    await worker.channel.ask('about', one)
    worker.left()
    expect(lender.lent({ limit: 'month', measure: 'requests' })).toBe(0n)
    expect(letGo).toEqual(['call_1'])
  })

  it('fetches for its own calls what workers have', async () => {
    const { keeper, join, lender } = startKeeper('2')
    const worker = join('1')
    const counter = { limit: 'month', measure: 'requests' } as const
    const lent = await worker.channel.ask('lend', { asked: one, wait: false })
    if (!('lent' in lent)) throw new Error('Nothing was lent.')
    worker.slices.add(lent)
    expect(lender.admission.admit(one).admitted).toBe(true)
    expect(lender.lent(counter)).toBe(1n)
    expect(lender.admission.look(one)).not.toBe(null)
    await keeper.fetch(one)
    expect(lender.admission.look(one)).toBe(null)
  })

  it('ends a worker that does not take on a change, which then holds everywhere', async () => {
    const { keeper, join, killed } = startKeeper('100', ['1'])
    join('1')
    join('2')
    const changed = keeper.tell('rules', {
      written: { limits: [], historyCaps: [], unmetered: { paths: {} } },
      epoch: 2,
    })
    await Promise.race([changed, sleep(7_000)])
    expect(killed).toEqual(['1'])
  }, 10_000)
})
