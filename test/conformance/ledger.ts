import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Call, Reservation, Settlement } from '../../src/ledger/entry.ts'
import type { Ledger, Verification } from '../../src/ledger/ledger.ts'
import type { AccruedRow, CallRow, ClosedRow, ImportedRow, SpendRow } from '../../src/ledger/reading.ts'
import type { Balance, Hold } from '../../src/limits/hold.ts'
import type { Picos } from '../../src/money/money.ts'
import type { Charge } from '../../src/pricing/price.ts'
import { parseInstant } from '../../src/time.ts'

/** An implementation of the ledger, opened anew and empty for each test. */
export type Opened = {
  readonly ledger: Ledger
  readonly verify: () => Promise<Verification>
  readonly spend: () => Promise<readonly SpendRow[]>
  readonly calls: () => Promise<readonly CallRow[]>
  readonly accrued: () => Promise<readonly AccruedRow[]>
  readonly imported: () => Promise<readonly ImportedRow[]>
  readonly closed: () => Promise<readonly ClosedRow[]>
}

const noon = parseInstant('2023-11-15T12:00:00Z')
const november = parseInstant('2023-11-01')
const minute = 60_000

export const exampleCall = (id: string, more: Partial<Call> = {}): Call => ({
  id,
  at: noon,
  provider: 'openai',
  model: 'gpt-4',
  endpoint: 'chat-completions',
  key: 'key_1',
  organization: null,
  team: 'search',
  project: null,
  environment: null,
  endUser: null,
  conversation: 'conversation_1',
  tags: { feature: 'rerank', stage: 'beta' },
  ...more,
})

/** A call that holds `most` against the limit `budget`. */
export const exampleReservation = (
  id: string,
  most: Picos = 60n,
  holds: readonly Hold[] = [{ limit: 'budget', windowStart: november, amount: most }],
): Reservation => ({ call: exampleCall(id), currency: 'USD', most, holds, leaseUntil: noon + minute })

/** A call that cost `amount`, for 10 input tokens. */
export const exampleSettlement = (
  callId: string,
  amount: Picos = 25n,
  more: Partial<Settlement> = {},
): Settlement => ({
  callId,
  at: noon + 2_000,
  model: 'gpt-4-0613',
  tier: 'default',
  basis: 'measured',
  currency: 'USD',
  charges: [exampleCharge(amount)],
  unpriced: [],
  resent: { tokens: 4, amount: 10n, exact: true },
  status: 200,
  note: null,
  bookVersion: 'book-1',
  ...more,
})

/** What 10 input tokens cost. */
export const exampleCharge = (amount: Picos): Charge => ({
  meter: 'input_text_tokens',
  quantity: 10,
  unitPrice: '30',
  per: 1_000_000,
  exact: { numerator: 3n, denominator: 10_000n },
  amount,
  price: 'price-1',
  source: 'https://openai.com/pricing',
})

/** What any ledger must do. Run it for each implementation. */
export const ledgerConformance = (name: string, open: () => Promise<Opened>): void => {
  describe(`${name}, as a ledger`, () => {
    let opened: Opened
    beforeEach(async () => {
      opened = await open()
    })
    afterEach(async () => {
      const { agrees, differences } = await opened.verify()
      expect({ agrees, differences }).toEqual({ agrees: true, differences: [] })
      await opened.ledger.close()
    })

    const balance = async (): Promise<Omit<Balance, 'limit' | 'windowStart'> | undefined> => {
      const [first, ...others] = await opened.ledger.balances()
      expect(others).toEqual([])
      if (first === undefined) return undefined
      const { limit, windowStart, ...numbers } = first
      expect([limit, windowStart]).toEqual(['budget', november])
      return numbers
    }
    const reserve = (id: string) => opened.ledger.reserve(exampleReservation(id))
    const settle = (id: string, amount = 25n) => opened.ledger.settle(exampleSettlement(id, amount))
    const release = (id: string, reason = 'not sent') =>
      opened.ledger.release({ callId: id, at: noon, reason })

    it('holds a reservation apart from what was spent', async () => {
      expect(await reserve('a')).toBe('done')
      expect(await balance()).toEqual({ settled: 0n, held: 60n, unresolved: 0n })
    })

    it('settles at what the call cost and frees the rest', async () => {
      await reserve('a')
      expect(await settle('a')).toBe('done')
      expect(await balance()).toEqual({ settled: 25n, held: 0n, unresolved: 0n })
    })

    it('settles beyond what was held when the vendor billed more', async () => {
      await reserve('a')
      expect(await settle('a', 70n)).toBe('done')
      expect(await balance()).toEqual({ settled: 70n, held: 0n, unresolved: 0n })
    })

    it('keeps how an attempt went, and ends a call once however often that was measured', async () => {
      const attempt = { durationMs: 1_200, firstByteMs: 300, retry: 1 }
      const refused = { callId: 'b', at: noon, reason: 'refused', status: 429 }
      const silent = { durationMs: 40, firstByteMs: null, retry: 0 }
      await reserve('a')
      await reserve('b')
      await opened.ledger.settle(exampleSettlement('a', 25n, { attempt }))
      await opened.ledger.release({ ...refused, attempt: silent })
      expect((await opened.ledger.life('a'))?.ends).toMatchObject([{ kind: 'settled', attempt }])
      expect((await opened.ledger.life('b'))?.ends).toEqual([
        { kind: 'released', corrects: null, sequence: 4, ...refused, attempt: silent },
      ])
      expect(await opened.ledger.settle(exampleSettlement('a', 25n))).toBe('repeated')
      expect(await opened.ledger.release({ ...refused, attempt })).toBe('repeated')
    })

    it('frees everything when the call was not billed', async () => {
      await reserve('a')
      expect(await release('a')).toBe('done')
      expect(await balance()).toEqual({ settled: 0n, held: 0n, unresolved: 0n })
      expect(await opened.spend()).toEqual([])
    })

    it('keeps an expired hold as unresolved and gives back its reservation', async () => {
      await reserve('a')
      expect(await opened.ledger.expire(noon + minute - 1)).toEqual([])
      expect(await opened.ledger.expire(noon + minute)).toEqual([exampleReservation('a')])
      expect(await opened.ledger.expire(noon + minute)).toEqual([])
      expect(await balance()).toEqual({ settled: 0n, held: 0n, unresolved: 60n })
    })

    it('does not expire what was renewed', async () => {
      await reserve('a')
      await reserve('b')
      await opened.ledger.renew({ callIds: ['a', 'unheard of'], until: noon + 2 * minute })
      await opened.ledger.renew({ callIds: ['a'], until: noon })
      expect(await opened.ledger.expire(noon + minute)).toEqual([exampleReservation('b')])
      expect(await opened.ledger.expire(noon + 2 * minute)).toEqual([exampleReservation('a')])
    })

    it('corrects an expired call once its cost is known', async () => {
      await reserve('a')
      await opened.ledger.expire(noon + minute)
      expect(await settle('a')).toBe('late')
      expect(await settle('a')).toBe('repeated')
      expect(await settle('a', 26n)).toBe('conflict')
      expect(await release('a')).toBe('conflict')
      expect(await balance()).toEqual({ settled: 25n, held: 0n, unresolved: 0n })
      expect(await opened.calls()).toMatchObject([
        { call: exampleCall('a'), settlement: { kind: 'adjusted', corrects: 2 } },
      ])
    })

    it('corrects an expired call to nothing once it is known that it was not billed', async () => {
      await reserve('a')
      await opened.ledger.expire(noon + minute)
      expect(await release('a')).toBe('late')
      expect(await release('a')).toBe('repeated')
      expect(await settle('a')).toBe('conflict')
      expect(await balance()).toEqual({ settled: 0n, held: 0n, unresolved: 0n })
    })

    it('does each thing once, however often it is asked', async () => {
      expect([await reserve('a'), await reserve('a')]).toEqual(['done', 'repeated'])
      expect([await settle('a'), await settle('a')]).toEqual(['done', 'repeated'])
      expect([await reserve('a'), await settle('a')]).toEqual(['repeated', 'repeated'])
      await reserve('b')
      expect([await release('b'), await release('b')]).toEqual(['done', 'repeated'])
      expect(await balance()).toEqual({ settled: 25n, held: 0n, unresolved: 0n })
    })

    it('repeats what was sent together with its first', async () => {
      expect(await Promise.all([reserve('a'), settle('a'), reserve('a'), settle('a')])).toEqual([
        'done',
        'done',
        'repeated',
        'repeated',
      ])
    })

    it('keeps the first when another content comes under its id', async () => {
      await reserve('a')
      expect(await opened.ledger.reserve(exampleReservation('a', 61n))).toBe('conflict')
      await settle('a')
      expect(await settle('a', 26n)).toBe('conflict')
      expect(await release('a')).toBe('conflict')
      expect(await balance()).toEqual({ settled: 25n, held: 0n, unresolved: 0n })
    })

    it('does not know calls that were never reserved', async () => {
      expect(await settle('a')).toBe('unknown')
      expect(await release('a')).toBe('unknown')
      expect(await opened.ledger.unended('a')).toBe(null)
    })

    it('tells which calls are without a known end', async () => {
      await reserve('a')
      expect(await opened.ledger.unended('a')).toEqual(exampleReservation('a'))
      await opened.ledger.expire(noon + minute)
      expect(await opened.ledger.unended('a')).toEqual(exampleReservation('a'))
      await settle('a')
      expect(await opened.ledger.unended('a')).toBe(null)
    })

    it('holds against several limits, or against none', async () => {
      const holds = [
        { limit: 'all', windowStart: november, amount: 60n },
        { limit: 'search', windowStart: 0, amount: 60n },
      ]
      await opened.ledger.reserve(exampleReservation('a', 60n, holds))
      await opened.ledger.reserve({ ...exampleReservation('b', 0n, []), most: null })
      await settle('a')
      await settle('b')
      expect(await opened.ledger.balances()).toEqual([
        { limit: 'search', windowStart: 0, settled: 25n, held: 0n, unresolved: 0n },
        { limit: 'all', windowStart: november, settled: 25n, held: 0n, unresolved: 0n },
      ])
    })

    it('keeps what a ceiling counts for the unpriced unresolved, beside what was settled', async () => {
      const unresolved = [{ limit: 'budget', windowStart: november, amount: 12n }]
      const image = { meter: 'image', quantity: 2, code: 'no_price', message: 'No price.' } as const
      const partly = (id: string) => exampleSettlement(id, 25n, { unpriced: [image], unresolved })
      await reserve('a')
      expect(await opened.ledger.settle(partly('a'))).toBe('done')
      expect(await balance()).toEqual({ settled: 25n, held: 0n, unresolved: 12n })
      expect(await opened.ledger.settle(partly('a'))).toBe('repeated')
      expect(await opened.ledger.settle(exampleSettlement('a', 25n, { unpriced: [image] }))).toBe('conflict')
      await reserve('b')
      await opened.ledger.expire(noon + minute)
      expect(await balance()).toEqual({ settled: 25n, held: 0n, unresolved: 72n })
      expect(await opened.ledger.settle(partly('b'))).toBe('late')
      expect(await balance()).toEqual({ settled: 50n, held: 0n, unresolved: 24n })
      const settled = (await opened.calls()).map(({ settlement }) => settlement.unresolved)
      expect(settled).toEqual([unresolved, unresolved])
    })

    it('refuses to settle in another currency, and keeps the hold', async () => {
      await reserve('a')
      const yen = opened.ledger.settle(exampleSettlement('a', 25n, { currency: 'JPY' }))
      await expect(yen).rejects.toMatchObject({ code: 'currency_mismatch' })
      expect(await balance()).toEqual({ settled: 0n, held: 60n, unresolved: 0n })
    })

    it('refuses amounts and quantities that are none, and leaves no trace of them', async () => {
      const bad = { code: 'bad_number' }
      await expect(opened.ledger.reserve(exampleReservation('a', -1n))).rejects.toMatchObject(bad)
      await expect(opened.ledger.reserve(exampleReservation('a', 10n ** 31n))).rejects.toMatchObject(bad)
      await reserve('b')
      const negative = exampleSettlement('b', 25n, { charges: [{ ...exampleCharge(25n), quantity: -1 }] })
      await expect(opened.ledger.settle(negative)).rejects.toMatchObject(bad)
      expect(await balance()).toEqual({ settled: 0n, held: 60n, unresolved: 0n })
      expect(await opened.calls()).toEqual([])
    })

    it('sums exactly beyond 2^63, which is 9.2 million dollars', async () => {
      const amount = 9_000_000_000_000_000_001n
      for (const id of ['a', 'b', 'c']) {
        await opened.ledger.reserve(exampleReservation(id, amount))
        await settle(id, amount)
      }
      await opened.ledger.reserve(exampleReservation('d', 10n * amount))
      expect(await balance()).toEqual({ settled: 3n * amount, held: 10n * amount, unresolved: 0n })
      const rows = await opened.spend()
      expect(rows.find((row) => row.meter !== null)).toMatchObject({ quantity: 30, amount: 3n * amount })
    })

    it.each([
      ['each of which is more', 9_223_372_036_854_775_808n],
      ['that come to more', 4_611_686_018_427_387_903n],
    ])('sums quantities beyond 2^63 exactly: %s', async (_, numerator) => {
      for (const id of ['a', 'b', 'c', 'd']) {
        await reserve(id)
        const charge = { ...exampleCharge(1n), quantity: { numerator, denominator: 1n } }
        await opened.ledger.settle(exampleSettlement(id, 1n, { charges: [charge] }))
      }
      const [row] = await opened.spend()
      expect(row).toMatchObject({ quantity: { numerator: 4n * numerator, denominator: 1n }, amount: 4n })
    })

    it('sums seconds exactly', async () => {
      const seconds = (numerator: bigint) => ({ numerator, denominator: 3n })
      for (const [id, quantity] of Object.entries({ a: seconds(61n), b: seconds(2n), c: seconds(1n) })) {
        await reserve(id)
        const charge = { ...exampleCharge(1n), meter: 'audio_seconds' as const, quantity }
        await opened.ledger.settle(exampleSettlement(id, 1n, { charges: [charge] }))
      }
      const [row] = await opened.spend()
      expect(row).toMatchObject({ quantity: { numerator: 64n, denominator: 3n }, amount: 3n })
    })

    it('sums what is billed in parts of a whole, beside what is billed whole', async () => {
      const third = { numerator: 1n, denominator: 3n }
      for (const [id, quantity] of Object.entries({ a: 10, b: third, c: 10, d: third, e: third })) {
        await reserve(id)
        await opened.ledger.settle(
          exampleSettlement(id, 1n, { charges: [{ ...exampleCharge(1n), quantity }] }),
        )
      }
      expect((await opened.spend())[0]).toMatchObject({ quantity: 21, amount: 5n })
    })

    it('counts a call in the hour in which it was made, under the model as served', async () => {
      await reserve('a')
      const unpriced = { meter: 'image', quantity: 2, code: 'no_price', message: 'No price.' } as const
      await opened.ledger.settle(
        exampleSettlement('a', 25n, { at: noon + 3 * 3_600_000, unpriced: [unpriced] }),
      )
      const scope = { hour: noon, team: 'search', model: 'gpt-4-0613', currency: 'USD', basis: 'measured' }
      expect(await opened.spend()).toEqual([
        expect.objectContaining({ ...scope, meter: 'image', priced: false, quantity: 2, amount: 0n }),
        expect.objectContaining({ ...scope, meter: 'input_text_tokens', quantity: 10, amount: 25n }),
        expect.objectContaining({
          ...scope,
          meter: null,
          calls: 1,
          unpriced: 1,
          resentTokens: 4,
          resentAmount: 10n,
        }),
      ])
    })

    it('gives back a call and its settlement as they were written', async () => {
      await reserve('a')
      const settlement = exampleSettlement('a', 25n, {
        charges: [exampleCharge(25n), { ...exampleCharge(1n), exact: { numerator: 1n, denominator: 7n } }],
        unpriced: [{ meter: 'image', quantity: 2, code: 'no_price', message: 'No price.' }],
        resent: null,
        status: null,
        note: 'upstream cut',
        basis: 'estimated',
      })
      await opened.ledger.settle(settlement)
      expect(await opened.calls()).toEqual([
        { call: exampleCall('a'), settlement: { ...settlement, kind: 'settled', sequence: 2 } },
      ])
    })

    it('gives back what made the amount of a charge besides quantity and price, but not what was measured', async () => {
      await reserve('a')
      const charge: Charge = {
        ...exampleCharge(25n),
        list: { unitPrice: '0.03', per: 1000, price: 'row2' },
        multipliers: [{ name: 'regional_processing', factor: '1.1', price: 'row3' }],
        assumed: 'a working day',
      }
      const settlement = exampleSettlement('a', 25n, { charges: [{ ...charge, measured: 7 }] })
      expect(await opened.ledger.settle(settlement)).toBe('done')
      expect(await opened.ledger.settle(settlement)).toBe('repeated')
      expect((await opened.calls())[0]?.settlement?.charges).toEqual([charge])
      expect(await opened.verify()).toMatchObject({ agrees: true })
    })
  })
}
