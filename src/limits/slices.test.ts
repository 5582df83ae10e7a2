import { describe, expect, it } from 'vitest'
import { parseInstant } from '../time.ts'
import { createAdmission } from './admit.ts'
import { createLender } from './lender.ts'
import { askFor, holdsOf } from './limits.fixture.ts'
import { parseLimit } from './parse-limit.ts'
import { createSlices } from './slices.ts'

const at = parseInstant('2023-11-15T12:00:00Z')
const name = { limit: 'tokens', measure: 'tokens' } as const
const written = { name: 'tokens', measure: 'tokens', cap: '100', window: { calendar: 'month' } }
const limits = [parseLimit(written)]
const missing = { admitted: false, missing: true }

const lend = (added: bigint, epoch = 1) =>
  ({ lent: true, epoch, at, slices: [{ ...name, added, latest: 0 }] }) as const

describe('the slices of a worker', () => {
  it('admit until they are used up, and then say that they are', () => {
    const slices = createSlices(limits, 1)
    expect(slices.take(askFor(10, at))).toEqual(missing)
    slices.add(lend(25n))
    expect(slices.take(askFor(10, at))).toMatchObject({ admitted: true, holds: [{ ...name, amount: 10n }] })
    expect(slices.take(askFor(10, at)).admitted).toBe(true)
    expect(slices.take(askFor(6, at))).toEqual(missing)
    expect(slices.left(name)).toBe(5n)
    slices.add(lend(1n))
    expect(slices.take(askFor(6, at)).admitted).toBe(true)
    expect(slices.left(name)).toBe(0n)
  })

  it('place holds where one process would', () => {
    const windows = [{ calendar: 'month' }, { calendar: 'total' }, { rolling: '1h' }, { bucket: '1m' }]
    const all = [
      ...windows.map((window, index) => parseLimit({ ...written, name: `limit ${index}`, window })),
      parseLimit({ name: 'at once', measure: 'concurrent', cap: '8' }),
      parseLimit({ ...written, name: 'of a user', each: ['endUser'] }),
      parseLimit({ ...written, name: 'warns', cap: '1', action: 'warn' }),
      parseLimit({ name: 'cost', measure: 'cost', cap: '1', window: { calendar: 'day' } }),
    ]
    const asked = askFor(7, at, { endUser: 'u' })
    const slices = createSlices(all, 1)
    const answer = createLender(all, []).lend('a', asked, 1)
    if (answer.lent) slices.add(answer)
    expect(slices.take(asked)).toMatchObject({
      holds: holdsOf(createAdmission(all, []), asked),
      warnings: [],
    })
  })

  it('take of all limits of a call, or of none', () => {
    const slices = createSlices([...limits, parseLimit({ ...written, name: 'other' })], 1)
    slices.add(lend(25n))
    expect(slices.take(askFor(10, at))).toEqual(missing)
    expect(slices.left(name)).toBe(25n)
  })

  it('leave it to the keeper to refuse what has no bound or another currency', () => {
    const slices = createSlices([parseLimit({ ...written, name: 'cost', measure: 'cost' })], 1)
    slices.add({ lent: true, epoch: 1, at, slices: [{ limit: 'cost', added: 10n ** 14n, latest: 0 }] })
    expect(slices.take({ ...askFor(5, at), most: null })).toEqual(missing)
    expect(slices.take({ ...askFor(5, at), currency: 'EUR' })).toEqual(missing)
    expect(slices.take(askFor(5, at)).admitted).toBe(true)
  })

  it('let calls pass that use nothing, and limits that only warn', () => {
    const slices = createSlices(
      [...limits, parseLimit({ ...written, name: 'w', cap: '0', action: 'warn' })],
      1,
    )
    expect(slices.take(askFor(0, at))).toMatchObject({ holds: [{ amount: 0n }, { limit: 'w', amount: 0n }] })
  })

  it('say what was left when they are given back, and that a second passed without a call', () => {
    const slices = createSlices(limits, 1)
    slices.add(lend(25n))
    slices.take(askFor(10, at + 500))
    expect(slices.idle(at + 1_499)).toEqual([])
    expect(slices.idle(at + 1_500)).toEqual([name])
    expect(slices.giveBack([name, { limit: 'never lent' }])).toEqual([{ ...name, amount: 15n }])
    expect(slices.giveBack('all')).toEqual([])
    expect(slices.take(askFor(1, at))).toEqual(missing)
  })

  it('are given up with the limits they were of', () => {
    const slices = createSlices(limits, 1)
    slices.add(lend(25n))
    expect(slices.replace([parseLimit({ ...written, cap: '50' })], 2)).toEqual([{ ...name, amount: 25n }])
    slices.add(lend(30n, 1))
    expect(slices.take(askFor(10, at))).toEqual(missing)
    slices.add(lend(30n, slices.epoch()))
    expect(slices.take(askFor(10, at)).admitted).toBe(true)
  })

  it('know ceilings and windows as an admission does, and count no end', () => {
    const ceiling = { perMillionOutputTokens: '4' }
    const cost = parseLimit({ ...written, name: 'cost', measure: 'cost', unpriced: { ceiling } })
    const [slices, admission] = [createSlices([cost], 1), createAdmission([cost], [])]
    const asked = askFor(7, at)
    const holds = holdsOf(admission, asked)
    const unpriced = [{ meter: 'output_text_tokens', quantity: 1_000_000 }] as const
    expect(slices.atCeiling(holds, unpriced)).toEqual(admission.atCeiling(holds, unpriced))
    expect(slices.atCeiling(holds, unpriced)).toMatchObject([{ amount: 4_000_000_000_000n }])
    const incurred = { subject: asked.subject, at, currency: 'USD' }
    expect(slices.windows(incurred)).toEqual(admission.windows(incurred))
    slices.add({ lent: true, epoch: 1, at, slices: [{ limit: 'cost', added: 9n, latest: 0 }] })
    const ended = { holds, reservedAt: at, at }
    expect(slices.settle(ended, { cost: 7n })).toEqual([])
    expect(slices.adjust(ended, { cost: 7n })).toEqual([])
    expect(slices.expire(ended)).toEqual([])
    expect(slices.count({ at, settled: holds })).toEqual([])
    slices.release(ended)
    slices.forgive(ended)
    expect(slices.left({ limit: 'cost' })).toBe(9n)
  })
})
