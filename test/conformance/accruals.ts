import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Accrued, KeptObject, Posted, SessionUse } from '../../src/ledger/accrual.ts'
import type { Picos } from '../../src/money/money.ts'
import { parseInstant } from '../../src/time.ts'
import { exampleCharge, type Opened } from './ledger.ts'

const noon = parseInstant('2023-11-15T12:00:00Z')
const november = parseInstant('2023-11-01')
const minute = 60_000
const hour = 60 * minute

const owner: Accrued['owner'] = {
  ...{ key: 'key_1', organization: null, team: 'search', project: null, environment: null, endUser: null },
  tags: { feature: 'rerank' },
}

/** What one hour of an accrual came to: `amount`, and twice as much without a promotion. */
export const exampleAccrued = (accrualId: string, amount: Picos, more: Partial<Accrued> = {}): Accrued => ({
  accrualId,
  ...{ at: noon + 2 * hour, from: noon, to: noon + hour },
  ...{ owner, provider: 'openai', model: null, endpoint: 'assistants', conversation: null },
  ...{ holder: 'asst_1', object: 'file_1', basis: 'estimated', currency: 'USD', unpriced: [] },
  charges: [
    {
      ...exampleCharge(amount),
      meter: 'retrieval_gb_day',
      quantity: { numerator: 1n, denominator: 24n },
      exact: { numerator: 1n, denominator: 3n },
      list: { unitPrice: '0.2', per: 1, price: 'row2' },
    },
  ],
  list: 2n * amount,
  counts: [{ limit: 'budget', windowStart: november, amount }],
  bookVersion: 'book-1',
  ...more,
})

/** A use of a tool whose session costs 30. */
export const exampleUse = (id: string, at: number): SessionUse => {
  const { accrualId: _, ...posting } = exampleAccrued('', 30n, {
    ...{ at, from: at, to: at + hour, conversation: 'thread_1', holder: 'thread_1', object: null },
    charges: [{ ...exampleCharge(30n), meter: 'code_interpreter_session', quantity: 1 }],
    ...{ basis: 'measured', list: 30n },
  })
  return { id, meter: 'code_interpreter_session', posting }
}

/** An object of 1,000 bytes, kept from noon on. */
export const exampleKept = (object: string, more: Partial<KeptObject> = {}): KeptObject => ({
  ...{ upstream: 'openai', pricesFrom: 'openai', endpoint: 'assistants', meter: 'retrieval_gb_day' },
  ...{ holder: 'asst_1', object, amount: 1_000, from: noon, owner, attributes: {} },
  ...more,
})

/** How far a stay is posted. */
export const postedUntil = (closedUntil: number, posted: Picos): Posted => ({
  closedUntil,
  exact: { numerator: posted, denominator: 3n },
  posted,
  listExact: { numerator: 1n, denominator: 7n },
  listPosted: 2n * posted,
})

/** What any ledger must do with accruals. Run it for each implementation. */
export const accrualConformance = (name: string, open: () => Promise<Opened>): void => {
  describe(`${name}, with accruals`, () => {
    let opened: Opened
    beforeEach(async () => {
      opened = await open()
    })
    afterEach(async () => {
      const { agrees, differences } = await opened.verify()
      expect({ agrees, differences }).toEqual({ agrees: true, differences: [] })
      await opened.ledger.close()
    })

    const balance = async () => {
      const [first] = await opened.ledger.balances()
      return first && { settled: first.settled, held: first.held, unresolved: first.unresolved }
    }

    it('posts a session once for all uses inside its hour, and the next one at its very end', async () => {
      const use = (id: string, at: number) => opened.ledger.accruals.use(exampleUse(id, at))
      expect(await Promise.all([use('a', noon), use('b', noon), use('c', noon + hour - 1)])).toEqual([
        'opened',
        'running',
        'running',
      ])
      expect(await use('a', noon + 5 * hour)).toBe('repeated')
      expect(await opened.ledger.accruals.open(noon + hour - 1)).toEqual({ sessions: 1, stays: 0 })
      expect(await opened.ledger.accruals.open(noon + hour)).toEqual({ sessions: 0, stays: 0 })
      expect(await use('d', noon + hour)).toBe('opened')
      expect(await balance()).toEqual({ settled: 60n, held: 0n, unresolved: 0n })
      const { posting } = exampleUse('a', noon)
      expect((await opened.accrued())[0]).toEqual({
        ...{ ...posting, kind: 'accrued', accrualId: 'session_1', sequence: 1 },
      })
      expect(await opened.spend()).toEqual([
        expect.objectContaining({ hour: noon, model: null, meter: 'code_interpreter_session', amount: 30n }),
        expect.objectContaining({ hour: noon + hour, meter: 'code_interpreter_session', quantity: 1 }),
      ])
    })

    it('opens no second session for a use that is told late, and ends the hour earlier', async () => {
      const use = (id: string, at: number) => opened.ledger.accruals.use(exampleUse(id, at))
      expect(await use('a', noon)).toBe('opened')
      expect(await use('b', noon - 20 * minute)).toBe('running')
      expect(await use('c', noon + 40 * minute)).toBe('opened')
    })

    it('posts what is kept, together with how far it is posted', async () => {
      const { accruals } = opened.ledger
      expect(await accruals.keep(exampleKept('file_1'))).toBe('done')
      expect(await accruals.due({ before: noon, limit: 10 })).toEqual([])
      const [stay] = await accruals.due({ before: noon + 1, limit: 10 })
      expect(stay).toEqual({
        ...{ ...exampleKept('file_1'), ...postedUntil(noon, 0n), id: 'stay_1', to: null },
        ...{ exact: { numerator: 0n, denominator: 1n }, listExact: { numerator: 0n, denominator: 1n } },
      })
      const entry = exampleAccrued('stay_1', 5n)
      const now = postedUntil(noon + hour, 5n)
      expect(await accruals.post([{ id: 'stay_1', from: noon, entries: [entry], now }])).toEqual(['stay_1'])
      expect(await accruals.due({ before: noon + 2 * hour, limit: 10 })).toMatchObject([now])
      expect(await opened.accrued()).toEqual([{ ...entry, kind: 'accrued', sequence: 1 }])
      expect(await balance()).toEqual({ settled: 5n, held: 0n, unresolved: 0n })
    })

    it('posts no stretch of time a second time', async () => {
      const { accruals } = opened.ledger
      await accruals.keep(exampleKept('file_1'))
      const post = () =>
        accruals.post([
          {
            ...{ id: 'stay_1', from: noon, entries: [exampleAccrued('stay_1', 5n)] },
            now: postedUntil(noon + hour, 5n),
          },
        ])
      expect(await Promise.all([post(), post()])).toEqual([['stay_1'], []])
      expect(await balance()).toEqual({ settled: 5n, held: 0n, unresolved: 0n })
    })

    it('keeps an object once while it lasts, and again after it was gone', async () => {
      const { accruals } = opened.ledger
      const keep = (from: number, more: Partial<KeptObject> = {}) =>
        accruals.keep(exampleKept('file_1', { from, ...more }))
      const gone = { upstream: 'openai', meter: null, holder: 'asst_1', object: 'file_1' }
      expect([await keep(noon), await keep(noon + minute)]).toEqual(['done', 'repeated'])
      expect(await keep(noon, { holder: 'asst_2' })).toBe('done')
      expect(await accruals.end({ ...gone, at: noon + hour })).toBe(1)
      expect(await accruals.end({ ...gone, at: noon + hour })).toBe(0)
      expect(await keep(noon)).toBe('repeated')
      expect(await keep(noon + hour)).toBe('done')
      expect(await accruals.open(noon)).toEqual({ sessions: 0, stays: 2 })
      const stays = await accruals.due({ before: noon + 2 * hour, limit: 10 })
      expect(stays.map(({ holder, from, to }) => [holder, from, to])).toEqual([
        ['asst_1', noon, noon + hour],
        ['asst_2', noon, null],
        ['asst_1', noon + hour, null],
      ])
    })

    it('keeps another size of an object from the instant of the change', async () => {
      const { accruals } = opened.ledger
      await accruals.keep(exampleKept('file_1'))
      expect(await accruals.keep(exampleKept('file_1', { from: noon + minute, amount: 2_000 }))).toBe('done')
      const stays = await accruals.due({ before: noon + hour, limit: 10 })
      expect(stays.map(({ from, to, amount }) => [from, to, amount])).toEqual([
        [noon, noon + minute, 1_000],
        [noon + minute, null, 2_000],
      ])
    })

    it('ends all objects of a holder, one object of every holder, and none before it is posted', async () => {
      const { accruals } = opened.ledger
      for (const [object, holder] of ['a1', 'b1', 'a2', 'b2'].map((pair) => [...pair])) {
        await accruals.keep(exampleKept(`file_${object}`, { holder: `asst_${holder}` }))
      }
      const entry = exampleAccrued('stay_1', 5n, { object: 'file_a' })
      await accruals.post([{ id: 'stay_1', from: noon, entries: [entry], now: postedUntil(noon + hour, 5n) }])
      const gone = { upstream: 'openai', meter: null, at: noon + minute } as const
      expect(await accruals.end({ ...gone, upstream: 'azure', holder: 'asst_1', object: null })).toBe(0)
      expect(await accruals.end({ ...gone, holder: null, object: 'file_a' })).toBe(2)
      expect(await accruals.end({ ...gone, holder: 'asst_1', object: null })).toBe(1)
      const stays = await accruals.due({ before: noon + 2 * hour, limit: 10 })
      expect(stays.map(({ object, holder, to }) => [object, holder, to])).toEqual([
        ['file_b', 'asst_1', noon + minute],
        ['file_a', 'asst_2', noon + minute],
        ['file_b', 'asst_2', null],
      ])
      expect(await accruals.open(noon)).toEqual({ sessions: 0, stays: 1 })
    })
  })
}
