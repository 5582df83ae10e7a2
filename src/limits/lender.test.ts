import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseInstant } from '../time.ts'
import type { Asked } from './admit.ts'
import { createLender, type Lender } from './lender.ts'
import { askFor } from './limits.fixture.ts'
import { parseLimit } from './parse-limit.ts'
import type { Lent, NotLent } from './slice.ts'
import { createSlices } from './slices.ts'

const at = parseInstant('2023-11-15T12:00:00Z')
const november = parseInstant('2023-11-01T00:00:00Z')
const december = parseInstant('2023-12-01T00:00:00Z')
const name = { limit: 'tokens', measure: 'tokens' } as const

const tokens = (more: object = {}) =>
  parseLimit({ name: 'tokens', measure: 'tokens', cap: '100', window: { calendar: 'month' }, ...more })

const lent = (answer: Lent | NotLent): Lent => {
  if (!answer.lent) throw new Error(`refused by ${answer.refused.limit}`)
  return answer
}

const refused = (answer: Lent | NotLent): NotLent => {
  if (answer.lent) throw new Error('lent')
  return answer
}

const added = (answer: Lent | NotLent) => lent(answer).slices.map((slice) => slice.added)

const standing = (lender: Lender, now = at) => lender.admission.state(now)[0]

describe('what is lent', () => {
  it('is what a call needs, and at most 15 more like it', () => {
    const lender = createLender([tokens({ cap: '100000' })], [])
    expect(lent(lender.lend('a', askFor(10, at), 2))).toEqual({
      lent: true,
      epoch: 1,
      at,
      slices: [{ ...name, added: 160n, latest: november }],
    })
  })

  it('shrinks near the cap to one call at a time', () => {
    const lender = createLender([tokens({ cap: '400' })], [])
    // An eighth of what is free beyond the need, there being two workers: of 390, then of 332, then of 91.
    const lends = [1, 2, 3].map(() => lender.lend('a', askFor(10, at), 2))
    expect(lends.map(added)).toEqual([[58n], [], []])
    expect(added(lender.lend('b', askFor(10, at), 2))).toEqual([51n])
    expect(added(lender.lend('c', askFor(200, at), 2))).toEqual([200n])
  })

  it('stands among what is held, and no call of the keeper may have it', () => {
    const lender = createLender([tokens()], [])
    expect(added(lender.lend('a', askFor(60, at), 1))).toEqual([60n])
    expect(standing(lender)).toMatchObject({ settled: 0n, held: 60n, free: 40n })
    expect(lender.admission.admit(askFor(41, at))).toMatchObject({
      ...{ admitted: false, fitsAt: null, fitsWhenFreed: 1n },
    })
    expect(lender.admission.look(askFor(41, at))).not.toBeNull()
    expect(lender.admission.about(askFor(41, at))).toMatchObject([{ fits: false, free: 40n }])
    expect(lender.recall(askFor(41, at))).toEqual([{ worker: 'a', counters: [name] }])
    expect(lender.admission.admit(askFor(40, at)).admitted).toBe(true)
    expect(lender.recall(askFor(61, at))).toEqual([])
  })

  it('counts for the worker that asks again, and against all others', () => {
    const lender = createLender([tokens()], [])
    lender.lend('a', askFor(60, at), 1)
    expect(added(lender.lend('a', askFor(50, at), 1))).toEqual([])
    expect(added(lender.lend('a', askFor(70, at), 1))).toEqual([10n])
    expect(refused(lender.lend('b', askFor(50, at), 2))).toMatchObject({
      refused: { admitted: false, limit: 'tokens', held: 70n, free: 30n },
      recall: [{ worker: 'a', counters: [name] }],
    })
    expect(refused(lender.lend('b', askFor(101, at), 2)).recall).toEqual([])
  })

  it('is of all limits of a call, or of none', () => {
    const lender = createLender([tokens(), tokens({ name: 'small', cap: '5' })], [])
    expect(refused(lender.lend('a', askFor(6, at), 1)).refused.limit).toBe('small')
    expect(lender.lent(name)).toBe(0n)
    expect(added(lender.lend('a', askFor(5, at), 1))).toEqual([28n, 5n])
  })

  it('is nothing of a limit that only warns', () => {
    const lender = createLender([tokens({ action: 'warn', cap: '5' })], [])
    expect(added(lender.lend('a', askFor(60, at), 1))).toEqual([])
    const holds = [{ ...name, windowStart: november, amount: 6n }]
    expect(lender.used('a', holds, at, 1)).toMatchObject([{ limit: 'tokens', action: 'warn', asked: 6n }])
    expect(standing(lender)).toMatchObject({ held: 6n, over: 1n })
  })

  it('becomes a hold when it is used, and is counted however much it is', () => {
    const lender = createLender([tokens()], [])
    lender.lend('a', askFor(60, at), 1)
    lender.used('a', [{ ...name, windowStart: november, amount: 20n }], at, 1)
    expect(lender.lent(name)).toBe(40n)
    expect(standing(lender)).toMatchObject({ held: 60n, free: 40n })
    lender.used('a', [{ ...name, windowStart: november, amount: 70n }], at, 1)
    expect(lender.lent(name)).toBe(0n)
    expect(standing(lender)).toMatchObject({ held: 90n, free: 10n })
  })

  it('is not what was lent after a worker began to give back', () => {
    const lender = createLender([tokens()], [])
    lender.lend('a', askFor(30, at), 1)
    lender.lend('a', askFor(70, at), 1)
    lender.giveBack('a', [{ ...name, amount: 30n }], 1)
    expect(lender.lent(name)).toBe(40n)
    lender.giveBack('a', [{ ...name, amount: 40n }], 1)
    expect(lender.lent(name)).toBe(0n)
  })

  it('comes back when its worker dies, and of no other', () => {
    const lender = createLender([tokens({ each: ['endUser'] })], [])
    for (const endUser of ['u', 'v']) lender.lend('a', askFor(60, at, { endUser }), 2)
    lender.lend('b', askFor(20, at, { endUser: 'u' }), 2)
    lender.gone('a')
    expect(lender.admission.state(at)).toMatchObject([{ counter: { endUser: 'u' }, held: 20n }])
  })

  it('stays lent under a new cap until it is used or given back', () => {
    const lender = createLender([tokens()], [])
    lender.lend('a', askFor(60, at), 1)
    lender.admission.replace([tokens({ cap: '80' })], [])
    expect(lender.epoch()).toBe(2)
    expect(refused(lender.lend('b', askFor(30, at), 2)).recall).toMatchObject([{ worker: 'a' }])
    lender.used('a', [{ ...name, windowStart: november, amount: 20n }], at, 1)
    lender.giveBack('a', [{ ...name, amount: 40n }], 1)
    expect(lender.lent(name)).toBe(0n)
    expect(standing(lender)).toMatchObject({ cap: 80n, held: 20n, free: 60n })
  })

  it('is lost with a limit that counts something else from then on', () => {
    const lender = createLender([tokens()], [])
    lender.lend('a', askFor(60, at), 1)
    lender.admission.replace([tokens({ window: { calendar: 'day' } })], [])
    expect(lender.lent(name)).toBe(0n)
    lender.lend('a', askFor(30, at), 1)
    lender.used('a', [{ ...name, windowStart: november, amount: 20n }], at, 1)
    expect(lender.lent(name)).toBe(30n)
    expect(standing(lender)).toMatchObject({ held: 30n })
  })

  it('keeps the tokens of a bucket in it: the refill stops at the cap with them inside', () => {
    const lender = createLender([tokens({ window: { bucket: '1m' } })], [])
    lender.lend('a', askFor(60, at), 1)
    const later = at + 600_000
    expect(standing(lender, later)).toMatchObject({ held: 60n, free: 40n })
    lender.used('a', [{ ...name, windowStart: later, amount: 60n }], later, 1)
    expect(refused(lender.lend('b', askFor(41, later), 1)).refused.fitsAt).toBe(later + 600)
  })

  it('is never used in a window that the keeper has left', () => {
    const limits = [tokens()]
    const lender = createLender(limits, [])
    const slices = createSlices(limits, lender.epoch())
    lender.used('b', [{ ...name, windowStart: november, amount: 100n }], december - 1, 1)
    slices.add(lent(lender.lend('a', askFor(80, december), 2)))
    expect(slices.take(askFor(80, december - 1))).toMatchObject({
      holds: [{ windowStart: december, amount: 80n }],
    })
  })

  it('counts in the window it was used in, though the keeper be in the next', () => {
    const limits = [tokens()]
    const lender = createLender(limits, [])
    const slices = createSlices(limits, lender.epoch())
    slices.add(lent(lender.lend('a', askFor(80, december - 1), 1)))
    const taken = slices.take(askFor(80, december - 1))
    if (!taken.admitted) throw new Error('missing')
    expect(lender.admission.admit(askFor(20, december)).admitted).toBe(true)
    lender.used('a', taken.holds, december - 1, 1)
    expect(standing(lender, december)).toMatchObject({ held: 20n, free: 80n })
    lender.admission.settle(
      { holds: taken.holds, reservedAt: december - 1, at: december },
      { cost: 0n, used: { tokens: 80n } },
    )
    expect(standing(lender, december)).toMatchObject({ held: 20n, settled: 0n })
  })
})

const windowKinds = [{ calendar: 'month' }, { rolling: '1h' }, { bucket: '1h' }]
const step = fc.oneof(
  fc.record({ kind: fc.constant('call'), worker: fc.nat(2), amount: fc.nat(40), waitMs: fc.nat(60_000) }),
  fc.record({ kind: fc.constant('end'), worker: fc.nat(2), amount: fc.nat(40), waitMs: fc.nat(60_000) }),
  fc.record({ kind: fc.constant('idle'), worker: fc.nat(2), amount: fc.nat(0), waitMs: fc.nat(2_000) }),
)

it('three workers with slices never hold more than a cap, and get all of it', () => {
  fc.assert(
    fc.property(fc.constantFrom(...windowKinds), fc.array(step, { maxLength: 60 }), (window, steps) => {
      const limits = [tokens({ window })]
      const lender = createLender(limits, [])
      const workers = [0, 1, 2].map((id) => ({ id: `w${id}`, slices: createSlices(limits, 1) }))
      const open: {
        asked: Asked
        holds: readonly { amount: bigint; limit: string; windowStart: number }[]
      }[] = []
      let now = at
      for (const { kind, worker: index, amount, waitMs } of steps) {
        now += waitMs
        const worker = workers[index]
        if (worker === undefined) continue
        if (kind === 'idle') {
          lender.giveBack(worker.id, worker.slices.giveBack(worker.slices.idle(now)), 1)
        } else if (kind === 'end') {
          const [first] = open.splice(0, 1)
          const { asked, holds } = first ?? { asked: askFor(0, now), holds: [] }
          lender.admission.settle(
            { holds, reservedAt: asked.at, at: now },
            { cost: 0n, used: { tokens: 1n } },
          )
        } else {
          const asked = askFor(amount, now)
          let taken = worker.slices.take(asked)
          if (!taken.admitted) {
            let answer = lender.lend(worker.id, asked, 3)
            for (const { worker: of, counters } of answer.lent ? [] : answer.recall) {
              const other = workers.find(({ id }) => id === of)
              lender.giveBack(of, other?.slices.giveBack(counters) ?? [], 1)
              answer = lender.lend(worker.id, asked, 3)
            }
            if (!answer.lent) expect(answer.recall).toEqual([])
            if (answer.lent) worker.slices.add(answer)
            taken = worker.slices.take(asked)
            expect(taken.admitted).toBe(answer.lent)
          }
          if (taken.admitted) {
            lender.used(worker.id, taken.holds, now, 1)
            open.push({ asked, holds: taken.holds })
          }
        }
        const left = workers.reduce((sum, { slices }) => sum + slices.left(name), 0n)
        expect(lender.lent(name)).toBe(left)
        expect(standing(lender, now)?.over).toBe(0n)
      }
    }),
  )
})
