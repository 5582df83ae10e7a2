import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parsePicos } from '../money/money.ts'
import { parseInstant } from '../time.ts'
import { type Admission, type Admitted, createAdmission, type Refused } from './admit.ts'
import type { Hold } from './hold.ts'
import { parseLimit } from './parse-limit.ts'
import type { LimitSubject } from './pattern.ts'

const november = parseInstant('2023-11-15T12:00:00Z')
const december = parseInstant('2023-12-01T00:00:00Z')

const budget = (name: string, cap: string, match: object = {}, more: object = {}) =>
  parseLimit({ name, cap, match, measure: 'cost', window: { calendar: 'month' }, ...more })

const subject = (team: string): LimitSubject => ({
  organization: null,
  team,
  project: null,
  environment: null,
  key: null,
  endUser: null,
  provider: 'openai',
  model: 'gpt-4',
  endpoint: 'chat-completions',
  conversation: null,
  tags: {},
})

const ask = (admission: Admission, most: string | null, more: { team?: string; at?: number } = {}) =>
  admission.admit({
    subject: subject(more.team ?? 'search'),
    at: more.at ?? november,
    most: most === null ? null : parsePicos(most),
    currency: 'USD',
  })

const admitted = (decision: Admitted | Refused): Admitted => {
  if (!decision.admitted) throw new Error(`refused: ${decision.reason}`)
  return decision
}

const ended = (holds: readonly Hold[], at = november) => ({ holds, reservedAt: november, at })

const refused = (decision: Admitted | Refused): Refused => {
  if (decision.admitted) throw new Error('admitted')
  return decision
}

describe('a budget', () => {
  it('of 1 USD admits ten calls of at most 0.10 and not the eleventh', () => {
    const admission = createAdmission([budget('b', '1')], [])
    for (let call = 1; call <= 10; call++) admitted(ask(admission, '0.1'))
    expect(refused(ask(admission, '0.1'))).toEqual({
      admitted: false,
      reason: 'exceeded',
      action: 'refuse',
      asked: parsePicos('0.1'),
      fitsAt: december,
      fitsWhenFreed: parsePicos('0.1'),
      limit: 'b',
      counter: {},
      measure: 'cost',
      cap: parsePicos('1'),
      currency: 'USD',
      windowStart: parseInstant('2023-11-01'),
      resetsAt: december,
      settled: 0n,
      held: parsePicos('1'),
      unresolved: 0n,
      free: 0n,
      over: 0n,
    })
  })

  it('gets back what a call held and did not cost', () => {
    const admission = createAdmission([budget('b', '1')], [])
    const { holds } = admitted(ask(admission, '1'))
    expect(refused(ask(admission, '0.01')).free).toBe(0n)
    admission.settle(ended(holds), { cost: parsePicos('0.25') })
    expect(admission.state(november)[0]).toMatchObject({ settled: parsePicos('0.25'), held: 0n })
    admitted(ask(admission, '0.75'))
  })

  it('gets everything back from a call that was released', () => {
    const admission = createAdmission([budget('b', '1')], [])
    admission.release(ended(admitted(ask(admission, '1')).holds))
    admitted(ask(admission, '1'))
  })

  it('keeps an expired hold apart until the truth is known', () => {
    const admission = createAdmission([budget('b', '1')], [])
    const { holds } = admitted(ask(admission, '0.6'))
    admission.expire(ended(holds))
    expect(refused(ask(admission, '0.5'))).toMatchObject({ held: 0n, unresolved: parsePicos('0.6') })
    admission.adjust(ended(holds), { cost: parsePicos('0.2') })
    expect(admission.state(november)[0]).toMatchObject({ settled: parsePicos('0.2'), unresolved: 0n })
    admitted(ask(admission, '0.8'))
  })

  it('that is exhausted lets calls pass that cost nothing', () => {
    const admission = createAdmission([budget('b', '0')], [])
    admitted(ask(admission, '0'))
    expect(refused(ask(admission, '0.000000000001')).reason).toBe('exceeded')
  })

  it('shows what the vendor billed beyond the most as over', () => {
    const admission = createAdmission([budget('b', '1')], [])
    admission.settle(ended(admitted(ask(admission, '1')).holds), { cost: parsePicos('1.5') })
    expect(admission.state(november)[0]).toMatchObject({ free: 0n, over: parsePicos('0.5') })
  })

  it('refuses a call without a bound, and one in another currency', () => {
    const admission = createAdmission([budget('b', '1')], [])
    expect(refused(ask(admission, null)).reason).toBe('unbounded')
    const yen = admission.admit({ subject: subject('x'), at: november, most: 1n, currency: 'JPY' })
    expect(refused(yen).reason).toBe('currency')
  })

  it('holds a call without a price at its ceiling, and counts what it used as unresolved', () => {
    const ceiling = { perMillionInputTokens: '1', perMillionOutputTokens: '4' }
    const strict = budget('strict', '10', { team: 'support' })
    const lenient = budget('lenient', '1', {}, { unpriced: { ceiling } })
    const admission = createAdmission([strict, lenient], [])
    const unpriced = (output: number, team = 'search') =>
      admission.admit({
        subject: subject(team),
        at: november,
        most: null,
        quote: {
          usage: [{ meters: ['output_text_tokens'], least: 0, most: output }],
          unpriced: [{ meter: 'output_text_tokens', quantity: output, code: 'unknown_model', message: '' }],
          pricedMost: 0n,
        },
        currency: 'USD',
      })
    const { holds } = admitted(unpriced(150_000))
    expect(holds).toMatchObject([{ limit: 'lenient', amount: parsePicos('0.6') }])
    expect(refused(unpriced(150_000))).toMatchObject({ reason: 'exceeded', asked: parsePicos('0.6') })
    expect(refused(unpriced(1, 'support'))).toMatchObject({ reason: 'unbounded', limit: 'strict' })
    const used = admission.atCeiling(holds, [{ meter: 'output_text_tokens', quantity: 50_000 }])
    expect(used).toMatchObject([{ limit: 'lenient', amount: parsePicos('0.2') }])
    admission.settle(ended(holds), { cost: 0n, unresolved: used })
    expect(admission.state(november)[1]).toMatchObject({
      settled: 0n,
      held: 0n,
      unresolved: parsePicos('0.2'),
      free: parsePicos('0.8'),
    })
    expect(admission.atCeiling(holds, [])).toEqual([])
  })

  it('counts what accrued in the month in which it did, over its cap where it must, and gives back what was adjusted', () => {
    const admission = createAdmission(
      [
        budget('all', '1'),
        budget('yen', '1', {}, { currency: 'JPY' }),
        budget('gpt', '1', { model: 'gpt-4' }),
      ],
      [],
    )
    const incurred = { subject: { ...subject('search'), model: null }, at: november, currency: 'USD' }
    const windowStart = parseInstant('2023-11-01')
    expect(admission.windows(incurred)).toEqual([{ limit: 'all', windowStart }])
    expect(admission.windows({ ...incurred, at: december })).toEqual([
      { limit: 'all', windowStart: december },
    ])
    admission.count({ at: november, settled: [{ limit: 'all', windowStart, amount: parsePicos('1.25') }] })
    const over = { settled: parsePicos('1.25'), free: 0n, over: parsePicos('0.25') }
    expect(admission.state(november)[0]).toMatchObject(over)
    expect(ask(admission, '0.01')).toMatchObject({ admitted: false, reason: 'exceeded' })
    const unresolved = [{ limit: 'all', windowStart, amount: parsePicos('0.1') }]
    admission.count({
      at: november,
      settled: [{ limit: 'all', windowStart, amount: -parsePicos('1') }],
      unresolved,
    })
    expect(admission.state(november)[0]).toMatchObject({
      ...{ settled: parsePicos('0.25'), unresolved: parsePicos('0.1'), free: parsePicos('0.65'), over: 0n },
    })
    admission.count({ at: november, settled: [{ limit: 'gone', windowStart, amount: 1n }] })
    expect(admission.state(december)[0]).toMatchObject({ settled: 0n })
  })

  it('of another team is not asked', () => {
    const admission = createAdmission([budget('b', '1', { team: 'support' })], [])
    expect(admitted(ask(admission, null)).holds).toEqual([])
  })

  it('goes on from the balances of the ledger', () => {
    const balance = { windowStart: parseInstant('2023-11-01'), settled: 7n, held: 2n, unresolved: 1n }
    const admission = createAdmission(
      [budget('b', '0.000000000012')],
      [
        { limit: 'b', ...balance },
        { limit: 'gone', ...balance },
      ],
    )
    expect(admission.state(november)).toEqual([expect.objectContaining({ ...balance, free: 2n })])
  })

  it('cannot share its name with another', () => {
    expect(() => createAdmission([budget('b', '1'), budget('b', '2')], [])).toThrow(/same name/)
  })
})

describe('two budgets', () => {
  it('admit a call together, or it leaves no trace in either', () => {
    const admission = createAdmission([budget('all', '10'), budget('search', '1', { team: 'search' })], [])
    admitted(ask(admission, '1'))
    const before = admission.state(november)
    expect(refused(ask(admission, '0.5')).limit).toBe('search')
    expect(admission.state(november)).toEqual(before)
    admitted(ask(admission, '0.5', { team: 'support' }))
  })
})

describe('a new month', () => {
  it('begins with a fresh budget at its first instant, and settles old holds in the old month', () => {
    const admission = createAdmission([budget('b', '1')], [])
    const { holds } = admitted(ask(admission, '1'))
    refused(ask(admission, '1', { at: december - 1 }))
    admitted(ask(admission, '1', { at: december }))
    admission.settle(ended(holds), { cost: parsePicos('1') })
    expect(admission.state(december)[0]).toMatchObject({ settled: 0n, held: parsePicos('1') })
  })

  it('does not reopen the last one for a call that comes late', () => {
    const admission = createAdmission([budget('b', '1')], [])
    admission.settle(ended(admitted(ask(admission, '1')).holds), { cost: parsePicos('1') })
    admitted(ask(admission, '1', { at: december }))
    expect(refused(ask(admission, '1', { at: november })).windowStart).toBe(december)
  })
})

it('no limit is passed and nothing leaks, whatever happens in whatever order', () => {
  const step = fc.record({
    verb: fc.constantFrom('admit', 'admit', 'admit', 'settle', 'release', 'expire', 'adjust'),
    team: fc.constantFrom('search', 'support'),
    most: fc.bigInt({ min: 0n, max: 60n }),
    pick: fc.nat(),
    later: fc.constantFrom(0, 0, 0, 0, 20 * 86_400_000),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const limits = [budget('all', '0.0000000001'), budget('search', '0.00000000005', { team: 'search' })]
      const admission = createAdmission(limits, [])
      const open: (readonly Hold[])[] = []
      const expired: (readonly Hold[])[] = []
      let at = november
      for (const { verb, team, most, pick, later } of steps) {
        at += later
        const list = verb === 'adjust' ? expired : open
        if (verb === 'admit') {
          const before = admission.state(at)
          const decision = admission.admit({ subject: subject(team), at, most, currency: 'USD' })
          if (decision.admitted) open.push(decision.holds)
          else {
            expect(admission.state(at)).toEqual(before)
            expect((decision.asked ?? 0n) > decision.free).toBe(true)
          }
        } else if (list.length > 0) {
          const [holds = []] = list.splice(pick % list.length, 1)
          const actual = ((holds[0]?.amount ?? 0n) * BigInt(pick % 101)) / 100n
          if (verb === 'expire') expired.push(holds)
          if (verb === 'settle' || verb === 'adjust') admission[verb](ended(holds, at), { cost: actual })
          else admission[verb as 'release' | 'expire'](ended(holds, at))
        }
        for (const { cap, settled, held, unresolved, free, over } of admission.state(at)) {
          expect(settled + held + unresolved + free).toBe(cap)
          expect(over).toBe(0n)
        }
      }
      for (const holds of open) admission.release(ended(holds, at))
      for (const state of admission.state(at)) expect(state.held).toBe(0n)
    }),
  )
})
