import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseInstant } from '../../src/time.ts'
import { exampleCall, exampleReservation, exampleSettlement, type Opened } from './ledger.ts'

const noon = parseInstant('2023-11-15T12:00:00Z')
const november = parseInstant('2023-11-01')
const minute = 60_000

/** What any ledger must do with a better truth about a call. Run it for each implementation. */
export const adjustmentConformance = (name: string, open: () => Promise<Opened>): void => {
  describe(`${name}, adjusting calls`, () => {
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
    const reserve = (id: string) => opened.ledger.reserve(exampleReservation(id))
    const settle = (id: string, amount = 25n) => opened.ledger.settle(exampleSettlement(id, amount))

    it('puts a better truth in the place of a settlement', async () => {
      await reserve('a')
      await settle('a', 25n)
      const better = exampleSettlement('a', 40n, { basis: 'reconciled', model: 'gpt-4-0314', resent: null })
      const adjusted = await opened.ledger.adjust({ corrects: 2, ...better })
      const moved = [{ limit: 'budget', windowStart: november, amount: 15n }]
      expect(adjusted).toEqual({ outcome: 'done', settled: moved, unresolved: [] })
      expect(await balance()).toEqual({ settled: 40n, held: 0n, unresolved: 0n })
      const scope = { model: 'gpt-4-0314', basis: 'reconciled' }
      expect(await opened.spend()).toEqual([
        expect.objectContaining({ ...scope, meter: 'input_text_tokens', quantity: 10, amount: 40n }),
        expect.objectContaining({ ...scope, meter: null, calls: 1, resentTokens: 0 }),
      ])
      expect(await opened.calls()).toEqual([
        { call: exampleCall('a'), settlement: { ...better, kind: 'adjusted', corrects: 2, sequence: 3 } },
      ])
    })

    it('keeps how the attempt went, which no adjustment changes', async () => {
      const attempt = { durationMs: 1_200, firstByteMs: 300, retry: 1 }
      await reserve('a')
      await opened.ledger.settle(exampleSettlement('a', 25n, { attempt }))
      await opened.ledger.adjust({ corrects: 2, ...exampleSettlement('a', 40n) })
      expect((await opened.calls()).map(({ settlement }) => settlement.attempt)).toEqual([attempt])
    })

    it('adjusts the latest adjustment, and each of them once', async () => {
      await reserve('a')
      await settle('a', 25n)
      const adjust = (corrects: number, amount: bigint) =>
        opened.ledger.adjust({ corrects, ...exampleSettlement('a', amount) })
      expect((await adjust(2, 40n)).outcome).toBe('done')
      expect(await adjust(2, 40n)).toEqual({ outcome: 'repeated', settled: [], unresolved: [] })
      expect((await adjust(2, 41n)).outcome).toBe('conflict')
      expect((await adjust(1, 41n)).outcome).toBe('conflict')
      expect(await adjust(3, 10n)).toMatchObject({ outcome: 'done', settled: [{ amount: -30n }] })
      expect((await adjust(2, 40n)).outcome).toBe('repeated')
      expect(await settle('a', 25n)).toBe('repeated')
      expect(await balance()).toEqual({ settled: 10n, held: 0n, unresolved: 0n })
      expect((await opened.spend()).find((row) => row.meter !== null)).toMatchObject({
        amount: 10n,
        quantity: 10,
      })
    })

    it('adjusts what had expired and was corrected, and nothing that has no cost', async () => {
      const adjust = (corrects: number) => opened.ledger.adjust({ corrects, ...exampleSettlement('a', 7n) })
      expect((await adjust(1)).outcome).toBe('unknown')
      await reserve('a')
      expect((await adjust(1)).outcome).toBe('unknown')
      await opened.ledger.expire(noon + minute)
      expect((await adjust(2)).outcome).toBe('unknown')
      await settle('a', 25n)
      expect((await adjust(3)).outcome).toBe('done')
      expect(await balance()).toEqual({ settled: 7n, held: 0n, unresolved: 0n })
    })

    it('takes back what the unpriced left unresolved when an adjustment prices it', async () => {
      const unresolved = [{ limit: 'budget', windowStart: november, amount: 12n }]
      const image = { meter: 'image', quantity: 2, code: 'no_price', message: 'No price.' } as const
      await reserve('a')
      await opened.ledger.settle(exampleSettlement('a', 25n, { unpriced: [image], unresolved }))
      const adjusted = await opened.ledger.adjust({ corrects: 2, ...exampleSettlement('a', 33n) })
      expect(adjusted).toMatchObject({ settled: [{ amount: 8n }], unresolved: [{ amount: -12n }] })
      expect(await balance()).toEqual({ settled: 33n, held: 0n, unresolved: 0n })
      expect((await opened.spend()).map(({ meter }) => meter)).toEqual(['input_text_tokens', null])
    })
  })
}
