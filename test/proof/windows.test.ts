import { afterEach, describe, expect, it } from 'vitest'
import { createAdmission } from '../../src/limits/admit.ts'
import { parseLimit } from '../../src/limits/parse-limit.ts'
import { parseInstant } from '../../src/time.ts'
import { startWorld, type TestWorld } from '../support/world.ts'
import { settledWhole } from './conservation.ts'
import { readEntries } from './entries.ts'
import { tell } from './told.ts'
import { longForm, seeded } from './work.ts'

let world: TestWorld | null = null
afterEach(async () => {
  await world?.close()
  world = null
})

const ask = async (started: TestWorld): Promise<number> => {
  const body = JSON.stringify({ model: 'gpt-3.5-turbo-instruct', prompt: [9906, 1917], max_tokens: 5 })
  const headers = { 'content-type': 'application/json', authorization: 'Bearer sk-own' }
  const reply = await fetch(`${started.gateway.url}/v1/completions`, { method: 'POST', headers, body })
  await reply.arrayBuffer()
  return reply.status
}

it('1,022 calls at 100 a minute: never more than the burst and the refill between any two', {
  timeout: 120_000,
}, async (context) => {
  const seeds = longForm ? 5 : 1
  const found: number[] = []
  for (let seed = 0; seed < seeds; seed += 1) {
    if (seed > 0) await world?.close()
    world = await startWorld({
      config: { limits: [{ name: 'rate', measure: 'requests', cap: '100', window: { bucket: '1m' } }] },
      sandbox: { outputTokens: 5 },
    })
    const random = seeded('rate', `${seed}`)
    const statuses: number[] = []
    const asked: number[] = []
    for (let call = 0; call < 1_022; call += 1) {
      // Calls come in fits and starts: most within 50 ms, one in 50 after up to 10 seconds.
      const pauses = random.whole({ least: 1, most: 50 }) === 1
      world.clock.advance(random.whole({ least: 0, most: pauses ? 10_000 : 50 }))
      asked.push(world.clock.now())
      statuses.push(await ask(world))
    }
    const admitted = readEntries(world.folder).flatMap((entry) =>
      entry.kind === 'reserved' ? [entry.call.at] : [],
    )
    expect(statuses.filter((status) => status === 200)).toHaveLength(admitted.length)
    expect(new Set(statuses)).toEqual(new Set([200, 429]))
    for (const [first, from] of admitted.entries()) {
      for (const [more, to] of admitted.slice(first).entries()) {
        // more + 1 <= 100 + (to - from) x 100 / 60,000, in whole numbers.
        if ((more - 99) * 600 > to - from) throw new Error(`${more + 1} calls from ${from} to ${to}`)
      }
    }
    // And none is refused wrongly: a bucket kept here admits the same calls.
    expect(statuses).toEqual(bucketOf100(asked))
    await settledWhole(world)
    found.push(admitted.length)
  }
  tell(context, {
    asked: '1,022 calls at 100 a minute, all pairs of admitted instants',
    found: `${found.join(', ')} admitted, none above burst + refill`,
  })
})

/** What a bucket of 100 a minute answers: it fills by one call each 600 ms, up to 100. */
const bucketOf100 = (asked: readonly number[]): readonly number[] => {
  let level = 60_000
  return asked.map((at, index) => {
    level = Math.min(60_000, level + at - (asked[index - 1] ?? at))
    if (level < 600) return 429
    level -= 600
    return 200
  })
}

/** Instants at which a window ends and the next begins, worked out by hand: zones as the IANA database has them. */
const windows = [
  {
    name: 'the day of 23 hours in Paris',
    window: { calendar: 'day', timeZone: 'Europe/Paris' },
    begins: ['2026-03-27T23:00Z', '2026-03-28T23:00Z', '2026-03-29T22:00Z', '2026-03-30T22:00Z'],
  },
  {
    name: 'the day of 25 hours in Paris',
    window: { calendar: 'day', timeZone: 'Europe/Paris' },
    begins: ['2026-10-23T22:00Z', '2026-10-24T22:00Z', '2026-10-25T23:00Z', '2026-10-26T23:00Z'],
  },
  {
    name: 'the day of 23 hours in New York',
    window: { calendar: 'day', timeZone: 'America/New_York' },
    begins: ['2026-03-07T05:00Z', '2026-03-08T05:00Z', '2026-03-09T04:00Z', '2026-03-10T04:00Z'],
  },
  {
    name: 'the day of 25 hours in New York',
    window: { calendar: 'day', timeZone: 'America/New_York' },
    begins: ['2026-10-31T04:00Z', '2026-11-01T04:00Z', '2026-11-02T05:00Z', '2026-11-03T05:00Z'],
  },
  {
    name: 'the hours of the night that Paris repeats one',
    window: { calendar: 'hour', timeZone: 'Europe/Paris' },
    begins: ['2026-10-24T23:00Z', '2026-10-25T00:00Z', '2026-10-25T01:00Z', '2026-10-25T02:00Z'],
  },
  {
    name: 'the weeks around the change in New York',
    window: { calendar: 'week', timeZone: 'America/New_York' },
    begins: ['2026-03-02T05:00Z', '2026-03-09T04:00Z', '2026-03-16T04:00Z'],
  },
  {
    name: 'months in Paris, of which one ends in summer time',
    window: { calendar: 'month', timeZone: 'Europe/Paris' },
    begins: ['2026-01-31T23:00Z', '2026-02-28T23:00Z', '2026-03-31T22:00Z', '2026-04-30T22:00Z'],
  },
  {
    name: 'the months of a leap year in New York',
    window: { calendar: 'month', timeZone: 'America/New_York' },
    begins: ['2028-02-01T05:00Z', '2028-03-01T05:00Z', '2028-04-01T04:00Z'],
  },
  {
    name: '29 February',
    window: { calendar: 'day' },
    begins: ['2028-02-28T00:00Z', '2028-02-29T00:00Z', '2028-03-01T00:00Z'],
  },
  {
    name: 'months from the 31st',
    window: { calendar: 'month', anchorDay: 31 },
    begins: ['2026-01-31T00:00Z', '2026-02-28T00:00Z', '2026-03-31T00:00Z', '2026-04-30T00:00Z'],
  },
  {
    name: 'months from the 31st in a leap year',
    window: { calendar: 'month', anchorDay: 31 },
    begins: ['2028-01-31T00:00Z', '2028-02-29T00:00Z', '2028-03-31T00:00Z'],
  },
  {
    name: 'months from the 31st in Paris',
    window: { calendar: 'month', anchorDay: 31, timeZone: 'Europe/Paris' },
    begins: ['2026-02-27T23:00Z', '2026-03-30T22:00Z', '2026-04-29T22:00Z', '2026-05-30T22:00Z'],
  },
  {
    name: 'years in New York',
    window: { calendar: 'year', timeZone: 'America/New_York' },
    begins: ['2027-01-01T05:00Z', '2028-01-01T05:00Z', '2029-01-01T05:00Z'],
  },
]

/** A call that asks for one of the requests of a limit. */
const askedAt = (at: number) => ({
  at,
  currency: 'USD',
  most: 0n,
  quote: { usage: [], unpriced: [], pricedMost: 0n },
  subject: {
    ...{ organization: null, team: null, project: null, environment: null, key: null, endUser: null },
    ...{ provider: 'openai', model: 'gpt-4', endpoint: 'chat-completions', conversation: null, tags: {} },
  },
})

describe('an admission of two calls in each window', () => {
  it.for(windows)('counts them in $name', ({ window, begins, name }, context) => {
    const limit = parseLimit({ name: 'two', measure: 'requests', cap: '2', window })
    const admission = createAdmission([limit], [])
    const instants = begins.map(parseInstant)
    for (const [index, start] of instants.slice(0, -1).entries()) {
      const end = instants[index + 1] ?? start
      expect(admission.admit(askedAt(start)).admitted, begins[index]).toBe(true)
      expect(admission.admit(askedAt(end - 1)).admitted, begins[index]).toBe(true)
      expect(admission.admit(askedAt(end - 1)), begins[index]).toMatchObject({ admitted: false, fitsAt: end })
      const [state] = admission.state(end - 1)
      expect(state).toMatchObject({ windowStart: start, resetsAt: end, held: 2n, free: 0n })
    }
    tell(context, { asked: name, found: `${begins.length - 1} windows begin and end to the millisecond` })
  })
})

describe('a gateway whose clock jumps', () => {
  it('counts in the day that has begun when it jumps back, and in the day it finds when it jumps on', async (context) => {
    let at = parseInstant('2023-11-05T03:59:59.999Z')
    world = await startWorld({
      config: {
        limits: [
          {
            ...{ name: 'two a day', measure: 'requests', cap: '2' },
            window: { calendar: 'day', timeZone: 'America/New_York' },
          },
        ],
      },
      sandbox: { outputTokens: 5 },
      gateway: { clock: { now: () => at } },
    })
    const steps = [
      ['2023-11-05T03:59:59.999Z', [200, 200, 429]],
      // The day of 25 hours.
      ['2023-11-05T04:00:00Z', [200]],
      ['2023-11-06T04:59:59.999Z', [200, 429]],
      // Back to the day before, within it, and to the day itself: no window opens again.
      ['2023-11-05T03:59:59.999Z', [429]],
      ['2023-11-05T12:00:00Z', [429]],
      ['2023-11-06T05:00:00Z', [200]],
      ['2023-11-05T12:00:00Z', [200, 429]],
      // A month on.
      ['2023-12-06T12:00:00Z', [200, 200, 429]],
    ] as const
    for (const [instant, statuses] of steps) {
      at = parseInstant(instant)
      for (const status of statuses) expect(await ask(world), instant).toBe(status)
    }
    await settledWhole(world)
    tell(context, { asked: 'jumps of a day back and a month on', found: 'windows never open twice' })
  })
})
