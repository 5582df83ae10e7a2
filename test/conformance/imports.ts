import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Imported } from '../../src/ledger/imported.ts'
import { parseInstant } from '../../src/time.ts'
import { exampleCharge, exampleReservation, exampleSettlement, type Opened } from './ledger.ts'

const november15 = parseInstant('2023-11-15')
const day = 86_400_000

/** One day of a model at a vendor, of which 3 calls for `amount` did not pass the gateway. */
export const exampleLine = (lineId: string, amount = 25n, more: Partial<Imported> = {}): Imported => ({
  lineId,
  at: november15 + 2 * day,
  importer: 'openai-usage',
  account: 'main',
  role: 'usage',
  from: november15,
  to: november15 + day,
  owner: {
    ...{ key: null, organization: 'acme', team: 'search', project: null, environment: null },
    ...{ endUser: null, tags: { account: 'main', source: 'import' } },
  },
  provider: 'openai',
  model: 'gpt-4-0613',
  endpoint: 'chat-completions',
  tier: 'default',
  currency: 'USD',
  reported: {
    usage: [{ meter: 'input_text_tokens', quantity: 30 }],
    amount: 75n,
    requests: 9,
    lineItem: 'gpt-4-0613, input',
    project: 'proj_1',
    apiKey: null,
  },
  charges: amount === 0n ? [] : [exampleCharge(amount)],
  unpriced: [],
  calls: 3,
  bookVersion: 'book-1',
  ...more,
})

/** The same line when the vendor no longer reports it. */
export const withdrawnLine = (lineId: string): Imported =>
  exampleLine(lineId, 0n, {
    reported: { usage: [], amount: null, requests: null, lineItem: null, project: null, apiKey: null },
    calls: 0,
  })

/** What any ledger must do with what vendors report. Run it for each implementation. */
export const importConformance = (name: string, open: () => Promise<Opened>): void => {
  describe(`${name}, with imports`, () => {
    let opened: Opened
    beforeEach(async () => {
      opened = await open()
    })
    afterEach(async () => {
      const { agrees, differences } = await opened.verify()
      expect({ agrees, differences }).toEqual({ agrees: true, differences: [] })
      await opened.ledger.close()
    })

    const post = (...lines: readonly Imported[]) => opened.ledger.imports.post(lines)
    const scope = {
      ...{ hour: november15, organization: 'acme', team: 'search', project: null, environment: null },
      ...{ key: null, provider: 'openai', model: 'gpt-4-0613', endpoint: 'chat-completions' },
      ...{ currency: 'USD', basis: 'imported' },
    }
    const noResent = { resentTokens: 0, resentAmount: 0n }

    it('posts what did not pass the gateway in the hour in which its time begins', async () => {
      expect(await post(exampleLine('a'))).toEqual({ written: 1, repeated: 0, replaced: 0 })
      expect(await opened.spend()).toEqual([
        { ...scope, meter: 'input_text_tokens', priced: true, quantity: 10, amount: 25n },
        { ...scope, meter: null, calls: 3, unpriced: 0, ...noResent },
      ])
      expect(await opened.imported()).toEqual([
        { kind: 'imported', corrects: null, sequence: 1, ...exampleLine('a') },
      ])
    })

    it('posts a line once, whenever it is imported, and in whatever order its tags come', async () => {
      await post(exampleLine('a'), exampleLine('b'))
      const tags = { source: 'import', account: 'main' }
      const again = exampleLine('a', 25n, { at: november15 + 5 * day })
      const sameTags = { ...again, owner: { ...again.owner, tags } }
      expect(await post(again, exampleLine('b'))).toEqual({ written: 0, repeated: 2, replaced: 0 })
      expect(await post(sameTags)).toEqual({ written: 0, repeated: 1, replaced: 0 })
      expect((await opened.imported()).map(({ sequence, at }) => [sequence, at])).toEqual([
        [1, november15 + 2 * day],
        [2, november15 + 2 * day],
      ])
    })

    it('puts what the vendor says now in the place of what it said before', async () => {
      await post(exampleLine('a', 25n))
      const later = exampleLine('a', 40n, { calls: 4, model: 'gpt-4-0314' })
      expect(await post(later)).toEqual({ written: 0, repeated: 0, replaced: 1 })
      expect(await opened.imported()).toEqual([{ kind: 'imported', corrects: 1, sequence: 2, ...later }])
      expect(await opened.spend()).toEqual([
        expect.objectContaining({ model: 'gpt-4-0314', meter: 'input_text_tokens', amount: 40n }),
        expect.objectContaining({ model: 'gpt-4-0314', meter: null, calls: 4 }),
      ])
      expect(await post(exampleLine('a', 25n))).toEqual({ written: 0, repeated: 0, replaced: 1 })
    })

    it('takes a line back that the vendor no longer reports', async () => {
      await post(exampleLine('a', 25n), exampleLine('b', 5n, { model: 'gpt-4o' }))
      await post(withdrawnLine('a'))
      expect((await opened.spend()).map(({ model }) => model)).toEqual(['gpt-4o', 'gpt-4o'])
      expect((await opened.imported()).find(({ lineId }) => lineId === 'a')).toMatchObject({
        corrects: 1,
        charges: [],
        reported: { usage: [], amount: null },
      })
    })

    it('takes the last of the same line that is posted twice at once', async () => {
      const lines = [exampleLine('a', 25n), exampleLine('b'), exampleLine('a', 40n), exampleLine('a', 40n)]
      expect(await post(...lines)).toEqual({ written: 2, repeated: 1, replaced: 1 })
      expect((await opened.imported()).map(({ lineId, corrects }) => [lineId, corrects])).toEqual([
        ['b', null],
        ['a', 1],
      ])
    })

    it('shows what has no price, with its calls, and the amount 0', async () => {
      const image = { meter: 'image', quantity: 2, code: 'no_price', message: 'No price.' } as const
      await post(exampleLine('a', 0n, { unpriced: [image] }))
      expect(await opened.spend()).toEqual([
        { ...scope, meter: 'image', priced: false, quantity: 2, amount: 0n },
        { ...scope, meter: null, calls: 3, unpriced: 3, ...noResent },
      ])
    })

    it('keeps what a vendor charges, and credits, as evidence, and never as spend', async () => {
      const bill = exampleLine('a', 0n, {
        ...{ role: 'bill', importer: 'openai-costs', calls: 0, model: null, tier: null, unpriced: [] },
        reported: { ...exampleLine('a').reported, amount: -5_000_000_000_000_000_000_000n, requests: null },
      })
      expect(await post(bill)).toEqual({ written: 1, repeated: 0, replaced: 0 })
      expect(await post(bill)).toEqual({ written: 0, repeated: 1, replaced: 0 })
      expect(await opened.spend()).toEqual([])
      expect(await opened.imported()).toEqual([{ kind: 'imported', corrects: null, sequence: 1, ...bill }])
    })

    it.each([
      ['a bill that posts spend', { role: 'bill' as const }],
      ['a bill that posts calls', { role: 'bill' as const, charges: [] }],
      ['no time', { to: november15 }],
      ['less than no calls', { calls: -1 }],
      ['no id', { lineId: '' }],
      ['the id of a call', { lineId: 'call_1' }],
    ])('refuses a line of %s, and posts none of its step', async (_, more) => {
      await opened.ledger.reserve(exampleReservation('call_1'))
      const both = post(exampleLine('b'), exampleLine('a', 25n, more))
      await expect(both).rejects.toMatchObject({ code: 'bad_input' })
      expect(await opened.imported()).toEqual([])
      expect(await opened.spend()).toEqual([])
    })

    it('stands beside the calls of the same hour', async () => {
      await opened.ledger.reserve(exampleReservation('call_1'))
      await opened.ledger.settle(exampleSettlement('call_1', 25n))
      await post(exampleLine('a'))
      const rows = (await opened.spend()).map(({ basis, meter }) => `${basis} ${meter}`)
      expect(rows.toSorted()).toEqual([
        'imported input_text_tokens',
        'imported null',
        'measured input_text_tokens',
        'measured null',
      ])
    })

    const period = (provider: string | null, more = {}) => ({
      ...{ at: november15 + 20 * day, provider, from: parseInstant('2023-11-01') },
      ...{ to: parseInstant('2023-12-01'), totals: [{ currency: 'USD', amount: 10n ** 31n / 100n }] },
      ...{ note: 'invoice 17', ...more },
    })

    it('closes a period with what it came to then, once', async () => {
      await opened.ledger.closePeriod(period('openai'))
      expect(await opened.closed()).toEqual([{ kind: 'closed', sequence: 1, ...period('openai') }])
      const refused = { code: 'period_closed' }
      const overlapping = period('openai', { from: november15, to: november15 + day })
      await expect(opened.ledger.closePeriod(period('openai'))).rejects.toMatchObject(refused)
      await expect(opened.ledger.closePeriod(overlapping)).rejects.toMatchObject(refused)
      await opened.ledger.closePeriod(
        period('openai', { from: parseInstant('2023-12-01'), to: november15 + 40 * day }),
      )
      await opened.ledger.closePeriod(period('anthropic'))
      await opened.ledger.closePeriod(period(null))
      await expect(opened.ledger.closePeriod(period('mistral'))).rejects.toMatchObject(refused)
      await expect(opened.ledger.closePeriod(period('mistral', { from: 5, to: 5 }))).rejects.toMatchObject({
        code: 'bad_input',
      })
      expect((await opened.closed()).map(({ provider }) => provider)).toEqual([
        'openai',
        'openai',
        'anthropic',
        null,
      ])
    })

    it('refuses what would change a closed period, unless it is to correct it', async () => {
      await post(exampleLine('a'))
      await opened.ledger.closePeriod(period('openai'))
      const refused = { code: 'period_closed' }
      await expect(post(exampleLine('b'))).rejects.toMatchObject(refused)
      await expect(post(exampleLine('a', 40n))).rejects.toMatchObject(refused)
      await expect(
        post(exampleLine('a', 40n, { from: parseInstant('2023-12-05'), to: parseInstant('2023-12-06') })),
      ).rejects.toMatchObject(refused)
      expect(await post(exampleLine('a'))).toEqual({ written: 0, repeated: 1, replaced: 0 })
      await post(exampleLine('c', 5n, { provider: 'anthropic' }))
      await post(exampleLine('d', 5n, { from: parseInstant('2023-12-01'), to: parseInstant('2023-12-02') }))
      const corrected = await opened.ledger.imports.post([exampleLine('a', 40n)], { correctClosed: true })
      expect(corrected).toEqual({ written: 0, repeated: 0, replaced: 1 })
      expect(await opened.closed()).toEqual([{ kind: 'closed', sequence: 2, ...period('openai') }])
    })

    it('adjusts a call of a closed period', async () => {
      await opened.ledger.reserve(exampleReservation('call_1'))
      await opened.ledger.settle(exampleSettlement('call_1', 25n))
      await opened.ledger.closePeriod(period('openai'))
      const better = { corrects: 2, ...exampleSettlement('call_1', 40n) }
      expect(await opened.ledger.adjust(better)).toMatchObject({ outcome: 'done' })
    })
  })
}
