import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { post } from '../money/money.ts'
import { add, compare, format, multiply, parseDecimal, rational, zero } from '../money/rational.ts'
import { parseInstant } from '../time.ts'
import {
  closings,
  containerRule,
  containerSessions,
  containers,
  gigabyteDays,
  type Holding,
  instanceHours,
  postedDelta,
  sessions,
  stayQuantity,
  tokenHours,
} from './accrual.ts'

const gibibyte = 2 ** 30
const day = 86_400_000
const on = (time: string) => parseInstant(`2024-01-10T${time}Z`)
const call = (owner: string, time: string) => ({ owner, at: on(time) })
const hour = { seconds: 3600 }

describe('sessions of a code interpreter', () => {
  it('cover every call of their thread within the hour', () => {
    const calls = [call('A', '10:00:00'), call('A', '10:20:00'), call('A', '10:59:59')]
    expect(sessions(calls, hour)).toEqual([
      { owner: 'A', from: on('10:00:00'), to: on('11:00:00'), calls: 3 },
    ])
  })

  it('end before the call at 3,600 seconds, which opens the next', () => {
    const calls = [call('A', '10:00:00'), call('B', '10:00:05'), call('A', '11:00:00')]
    expect(sessions(calls, hour).map(({ owner, calls }) => [owner, calls])).toEqual([
      ['A', 1],
      ['B', 1],
      ['A', 1],
    ])
  })

  it('are two when the second call comes 61 minutes after the first', () => {
    expect(sessions([call('A', '12:00:00'), call('A', '13:01:00')], hour)).toHaveLength(2)
  })

  it('are one for 40 calls within 59 minutes', () => {
    const calls = Array.from({ length: 40 }, (_, index) => ({
      owner: 'A',
      at: on('12:00:00') + Math.floor((index * 59 * 60_000) / 39),
    }))
    expect(sessions(calls, hour)).toHaveLength(1)
  })

  it('are counted from their first call, not prolonged by later ones', () => {
    const calls = [call('A', '10:00:00'), call('A', '10:50:00'), call('A', '11:10:00')]
    expect(sessions(calls, hour)).toHaveLength(2)
  })

  it('are none without a call', () => {
    expect(sessions([], hour)).toEqual([])
  })

  it('are the same in whatever order the calls are told, and hold each call once', () => {
    // Up to 30 calls of three threads within a day.
    const calls = fc.array(
      fc.record({ owner: fc.constantFrom('A', 'B', 'C'), at: fc.integer({ min: 0, max: day }) }),
      { maxLength: 30 },
    )
    fc.assert(
      fc.property(calls, (told) => {
        const opened = sessions(told, hour)
        expect(sessions([...told].reverse(), hour)).toEqual(opened)
        expect(opened.reduce((sum, session) => sum + session.calls, 0)).toBe(told.length)
        for (const { owner, at } of told) {
          expect(opened.filter((s) => s.owner === owner && s.from <= at && at < s.to)).toHaveLength(1)
        }
      }),
    )
  })
})

describe('containers', () => {
  it('expire 20 minutes after their last use', () => {
    const uses = [call('c', '10:00:00'), call('c', '10:19:00'), call('c', '10:39:00')]
    expect(containers(uses, { idleSeconds: 1200 })).toEqual([
      { owner: 'c', from: on('10:00:00'), to: on('10:39:00'), calls: 2 },
      { owner: 'c', from: on('10:39:00'), to: on('10:59:00'), calls: 1 },
    ])
  })

  const lasting = (minutes: number, startedAt: string, eligible: boolean) =>
    format(
      containerSessions(minutes * 60_000, containerRule({ startedAt: parseInstant(startedAt), eligible })),
    )

  it('cost one session of 20 minutes, and a begun block a whole one', () => {
    expect(lasting(20, '2026-06-01T23:59:59Z', true)).toBe('1')
    expect(lasting(7, '2026-06-01T23:59:59Z', true)).toBe('1')
    expect(lasting(21, '2026-06-01T23:59:59Z', true)).toBe('2')
    expect(lasting(7, '2026-11-23', false)).toBe('1')
    expect(lasting(0, '2026-11-23', false)).toBe('1')
  })

  it('cost by the minute from 2026-06-02 where they are eligible, five minutes at least', () => {
    expect(lasting(7, '2026-11-23', true)).toBe('0.35')
    expect(lasting(2, '2026-06-02', true)).toBe('0.25')
    expect(lasting(6.5, '2026-06-02', true)).toBe('0.35')
    expect(lasting(45, '2026-06-02', true)).toBe('2.25')
  })

  it('cost 0.072 for 7 and 2 minutes of 4 GB', () => {
    const rule = containerRule({ startedAt: parseInstant('2026-11-23'), eligible: true })
    const quantity = add(containerSessions(420_000, rule), containerSessions(120_000, rule))
    expect(format(multiply(quantity, parseDecimal('0.12')))).toBe('0.072')
  })

  it('cost one price however long before there were blocks', () => {
    expect(lasting(180, '2026-03-30T23:59:59Z', false)).toBe('1')
  })
})

describe('gigabyte-days', () => {
  const days = (holdings: readonly Holding[], more: { until: number; freeBytes?: number }) =>
    format(gigabyteDays(holdings, { gigabyteBytes: gibibyte, ...more }))

  it('of 1 GB kept a day for two assistants are 2', () => {
    const kept = ['file for a', 'file for b'].map((object) => ({
      object,
      amount: gibibyte,
      from: 0,
      to: day,
    }))
    expect(days(kept, { until: day })).toBe('2')
  })

  it('of 5.5 GB over 30 days are 135 where the first gigabyte is free', () => {
    const kept = [{ object: 'store', amount: 5_905_580_032, from: 0, to: null }]
    expect(days(kept, { until: 30 * day, freeBytes: gibibyte })).toBe('135')
    const decimal = gigabyteDays(kept, { until: 30 * day, gigabyteBytes: 1e9, freeBytes: 1e9 })
    expect(format(multiply(decimal, parseDecimal('0.1')))).toBe('14.716740096')
  })

  it('are free for two stores of half a gigabyte, and not for what both have above one', () => {
    const half = (object: string, from: number) => ({ object, amount: gibibyte / 2, from, to: null })
    expect(days([half('a', 0), half('b', 0)], { until: day, freeBytes: gibibyte })).toBe('0')
    const three = [half('a', 0), half('b', 0), half('c', day / 2)]
    expect(days(three, { until: day, freeBytes: gibibyte })).toBe('0.25')
  })

  it('do not let a full day make up for an empty one', () => {
    const kept = [{ object: 'a', amount: 2 * gibibyte, from: 0, to: day }]
    expect(days(kept, { until: 2 * day, freeBytes: gibibyte })).toBe('1')
  })

  it('count up to the instant that is asked for', () => {
    const kept = [
      { object: 'a', amount: gibibyte, from: 0, to: 10 * day },
      { object: 'b', amount: gibibyte, from: 8 * day, to: null },
    ]
    expect(days(kept, { until: 4 * day })).toBe('4')
    expect(days(kept, { until: 9 * day })).toBe('10')
    expect(days(kept, { until: 12 * day })).toBe('14')
  })

  it('stay exact where no decimal ends: one byte for one second', () => {
    const kept = [{ object: 'a', amount: 1, from: 0, to: 1000 }]
    expect(days(kept, { until: day })).toBe(`1/${gibibyte * 86_400}`)
  })

  it('let an object change its size', () => {
    const kept = [
      { object: 'a', amount: gibibyte, from: 0, to: day },
      { object: 'a', amount: 3 * gibibyte, from: day, to: 2 * day },
    ]
    expect(days(kept, { until: 2 * day })).toBe('4')
  })

  it('refuse an object that has two sizes at one instant, and nothing else', () => {
    const kept = [
      { object: 'a', amount: 1, from: 0, to: 10 },
      { object: 'a', amount: 2, from: 9, to: 12 },
    ]
    expect(() => days(kept, { until: day })).toThrow('"a" is kept twice at one instant')
    expect(days(kept, { until: 9 })).toBe(format(rational(9n, BigInt(gibibyte) * BigInt(day))))
  })

  it.each([
    ['a negative size', { amount: -1 }],
    ['a size that is not whole', { amount: 1.5 }],
    ['a size beyond 2^53', { amount: 2 ** 53 }],
    ['an instant that is none', { from: Number.NaN }],
    ['an end before the start', { from: 5, to: 4 }],
  ])('refuse %s', (_, wrong) => {
    const kept = [{ object: 'a', amount: 1, from: 0, to: 10, ...wrong }]
    expect(() => days(kept, { until: day })).toThrow(/whole number|before its start/)
  })

  // Up to five objects of up to 2^40 bytes, each kept for one stretch within 100 days, and up to 2^41 free.
  const holding = fc.record({
    amount: fc.integer({ min: 0, max: 2 ** 40 }),
    from: fc.integer({ min: 0, max: 100 * day }),
    lasts: fc.integer({ min: 0, max: 100 * day }),
  })
  const holdings = fc.array(holding, { maxLength: 5 }).map((stretches) =>
    stretches.map(
      ({ amount, from, lasts }, index): Holding => ({
        object: `object ${index}`,
        amount,
        from,
        to: from + lasts,
      }),
    ),
  )
  const free = fc.integer({ min: 0, max: 2 ** 41 })
  const reckoned = (kept: readonly Holding[], freeBytes: number, until = 200 * day) =>
    gigabyteDays(kept, { until, gigabyteBytes: gibibyte, freeBytes })

  it('never change when a holding is split, wherever', () => {
    fc.assert(
      fc.property(holdings, free, fc.array(fc.nat(200 * day), { maxLength: 4 }), (kept, freeBytes, cuts) => {
        const split = cuts.reduce<readonly Holding[]>(
          (pieces, cut) =>
            pieces.flatMap((piece) =>
              piece.from < cut && cut < (piece.to ?? 0)
                ? [
                    { ...piece, to: cut },
                    { ...piece, from: cut },
                  ]
                : [piece],
            ),
          kept,
        )
        expect(reckoned(split, freeBytes)).toEqual(reckoned(kept, freeBytes))
        expect(reckoned([...split].reverse(), freeBytes)).toEqual(reckoned(kept, freeBytes))
      }),
    )
  })

  it('add up over the objects where nothing is free', () => {
    fc.assert(
      fc.property(holdings, (kept) => {
        const apart = kept.map((each) => reckoned([each], 0)).reduce(add, zero)
        expect(reckoned(kept, 0)).toEqual(apart)
      }),
    )
  })

  it('never shrink with time, nor below zero, nor grow with what is free', () => {
    fc.assert(
      fc.property(holdings, free, fc.nat(200 * day), (kept, freeBytes, until) => {
        expect(compare(reckoned(kept, freeBytes, until), reckoned(kept, freeBytes))).toBeLessThanOrEqual(0)
        expect(compare(zero, reckoned(kept, freeBytes))).toBeLessThanOrEqual(0)
        expect(compare(reckoned(kept, freeBytes), reckoned(kept, 0))).toBeLessThanOrEqual(0)
      }),
    )
  })
})

describe('token-hours', () => {
  it('of 500,000 cached tokens over two and a half hours are 1,250,000', () => {
    const kept = [{ object: 'cache', amount: 500_000, from: 0, to: 9_000_000 }]
    expect(format(tokenHours(kept, { until: day }))).toBe('1250000')
  })
})

describe('instance hours', () => {
  it('of 3 minutes are a twelfth where five are the least', () => {
    expect(format(instanceHours([180_000], { secondsMin: 300 }))).toBe('1/12')
  })

  it('count the least for each instance by itself', () => {
    expect(instanceHours([60_000, 60_000, 3_600_000], { secondsMin: 300 })).toEqual(rational(7n, 6n))
    expect(format(instanceHours([60_000, 3_540_000]))).toBe('1')
  })

  it('refuse a time that is none', () => {
    expect(() => instanceHours([-1])).toThrow('whole number')
  })
})

describe('what is posted of a growing charge', () => {
  it('is what its rounded amount grew by', () => {
    const third = rational(1n, 3_000_000_000_000n)
    expect(postedDelta(third, 0n)).toBe(0n)
    expect(postedDelta(multiply(third, rational(2n)), 0n)).toBe(1n)
    expect(postedDelta(multiply(third, rational(3n)), 1n)).toBe(0n)
    expect(postedDelta(zero, 1n)).toBe(-1n)
  })

  it('adds up to the rounded whole, at whatever instants it is posted', () => {
    // A holding of up to 2^40 bytes over 100 days at 0.10 a gigabyte-day, posted at up to 50 instants.
    const instants = fc.array(fc.nat(100 * day), { maxLength: 50 })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 40 }), instants, (amount, told) => {
        const kept = [{ object: 'a', amount, from: 0, to: null }]
        const cost = (until: number) =>
          multiply(gigabyteDays(kept, { until, gigabyteBytes: gibibyte }), parseDecimal('0.1'))
        const posted = [...told, 100 * day]
          .sort((a, b) => a - b)
          .reduce((sum, until) => sum + postedDelta(cost(until), sum), 0n)
        expect(posted).toBe(post(cost(100 * day)))
      }),
    )
  })
})

describe('a stay', () => {
  it('comes to gigabyte-days or token-hours, as its meter says', () => {
    const stay = { amount: gibibyte, from: on('10:00:00'), to: on('16:00:00') }
    expect(format(stayQuantity('retrieval_gb_day', stay))).toBe('0.25')
    expect(stayQuantity('cache_storage_token_hours', { ...stay, amount: 500 })).toEqual(rational(3_000n))
    expect(() => stayQuantity('image', stay)).toThrow('does not grow with time')
  })
})

describe('closings', () => {
  const hours = (from: string, until: string, closing = until) =>
    closings(on(from), { until: on(until), closing: on(closing), limit: 100 }).map(({ from, to }) => [
      (from - on('00:00:00')) / 60_000,
      (to - on('00:00:00')) / 60_000,
    ])

  it('end at each full hour, and where there is no more', () => {
    expect(hours('10:30:00', '12:15:00')).toEqual([
      [630, 660],
      [660, 720],
      [720, 735],
    ])
    expect(hours('10:30:00', '10:30:00')).toEqual([])
    expect(hours('10:30:00', '10:00:00')).toEqual([])
  })

  it('are days for what lies more than 48 hours back', () => {
    const from = on('12:00:00')
    const closing = from + 10 * day
    const stretches = closings(from, { until: closing, closing, limit: 100 })
    const lengths = stretches.map(({ from, to }) => (to - from) / 3_600_000)
    expect(lengths).toEqual([12, ...Array(8).fill(24), ...Array(36).fill(1)])
    expect(closings(from, { until: closing, closing, limit: 2 })).toEqual(stretches.slice(0, 2))
  })

  it('tile the time, whatever it is, and none crosses a full hour of the last 48', () => {
    fc.assert(
      fc.property(fc.nat(100 * day), fc.nat(100 * day), fc.nat(5 * day), (from, lasts, later) => {
        const [until, closing] = [from + lasts, from + lasts + later]
        const stretches = closings(from, { until, closing, limit: 10_000 })
        expect(stretches.reduce((at, each) => (each.from === at ? each.to : Number.NaN), from)).toBe(until)
        for (const { from, to } of stretches) {
          expect(to).toBeGreaterThan(from)
          if (closing - from > 2 * day) continue
          expect(Math.floor(from / 3_600_000)).toBe(Math.floor((to - 1) / 3_600_000))
        }
      }),
    )
  })
})
