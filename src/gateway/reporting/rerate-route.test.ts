import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { z } from 'zod'
import { exampleLine } from '../../../test/conformance/imports.ts'
import { startWorld, type TestWorld } from '../../../test/support/world.ts'
import { bundledBook } from '../../cli/bundled.ts'
import { openSqlite } from '../../ledger/databases/sqlite.ts'
import { ledgerStore, openLedger } from '../../ledger/ledger.ts'
import { createAdmission } from '../../limits/admit.ts'
import { formatPicos, parsePicos } from '../../money/money.ts'
import { price } from '../../pricing/price.ts'
import { manualClock, parseInstant } from '../../time.ts'
import { writeImports } from '../imports.ts'
import type { rerateAnswer } from './rerate-answer.ts'
import { createRerating } from './rerate-route.ts'

type Answer = z.output<typeof rerateAnswer>

const model = 'gpt-4-1106-preview'

/** A price of the tests: half of what the book says that output costs. */
const row = {
  ...{ provider: 'openai', model, service: 'chat', meter: 'output_text_tokens' },
  ...{ attributes: { tier: 'standard' }, unitPrice: '0.015', per: 1_000, currency: 'USD' },
  ...{ effectiveFrom: '2023-11-15', effectiveTo: '2023-11-16', fromPrecision: 'exact' },
  ...{ confidence: 'high', source: 'the tests' },
}
const correction = { schema: 'octroi-prices/1', provider: 'openai', prices: [row] }
const period = { from: '2023-11-15', to: '2023-11-16' }

let world: TestWorld

const posted = async (body: unknown, headers: Readonly<Record<string, string>> = {}) => {
  const reply = await fetch(`${world.gateway.controlUrl}/octroi/v1/rerate`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
  return { status: reply.status, text: await reply.text() }
}

const rerated = async (more: object = {}): Promise<Answer> => {
  const { status, text } = await posted({ ...period, correction, ...more })
  expect([status, text.slice(0, 200)]).toEqual([200, expect.any(String)])
  return JSON.parse(text) as Answer
}

const refused = async (body: unknown) => {
  const { status, text } = await posted(body)
  const { code, message } = (JSON.parse(text) as { error: { code: string; message: string } }).error
  return [status, code, message]
}

const asked = async <Said>(path: string, body?: object): Promise<Said> => {
  const reply = await fetch(`${world.gateway.controlUrl}/octroi/v1/${path}`, {
    ...(body && {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
  })
  return (await reply.json()) as Said
}

const spent = async (): Promise<string | undefined> =>
  (await asked<{ totals: { amount: string }[] }>('reports/spend?from=2023-11-15&to=2023-11-16')).totals[0]
    ?.amount

const calls = async (count: number): Promise<void> => {
  const client = await world.client('search')
  for (let index = 0; index < count; index += 1) {
    await client.chat.completions.create({ model, messages: [{ role: 'user', content: `Hello ${index}` }] })
  }
}

const sumOf = (amounts: readonly string[]): string =>
  formatPicos(amounts.reduce((sum, amount) => sum + parsePicos(amount), 0n))

/** Every re-rating opens the price book anew. */
const long = { timeout: 60_000 }

describe('a re-rating over HTTP', () => {
  beforeEach(async () => {
    world = await startWorld({ gateway: { controlPort: 0 } })
  })
  afterEach(async () => {
    await world.close()
    expect(world.faults).toEqual([])
  })

  it('says the report before, each adjustment and the report after, and writes them once', long, async () => {
    await calls(3)
    const before = await spent()
    const dry = await rerated()
    const [total] = dry.totals
    expect(total).toMatchObject({ calls: 3, adjusted: 3, before })
    expect([dry.applied, dry.kept, await spent()]).toEqual([null, [], before])
    expect(dry.correction.name).toMatch(/^correction [0-9a-f]{12}$/)
    expect(sumOf(dry.adjustments.map(({ difference }) => difference))).toBe(total?.difference)
    expect(sumOf([total?.before ?? '', total?.difference ?? ''])).toBe(total?.after)
    expect(dry.adjustments.map(({ charges }) => charges)).toMatchObject(
      [1, 2, 3].map(() => [
        { meter: 'output_text_tokens', was: { unitPrice: '0.03' }, now: { unitPrice: '0.015' } },
      ]),
    )

    const applied = await rerated({ apply: true })
    expect({ ...applied, applied: null }).toEqual(dry)
    expect(applied.applied).toEqual({
      ...{ adjusted: 3, lines: 0, refused: 0, agrees: true },
      ledger: [{ currency: 'USD', amount: total?.after }],
    })
    expect(await spent()).toBe(total?.after)
    expect(await rerated({ apply: true })).toMatchObject({
      adjustments: [],
      totals: [{ adjusted: 0, before: total?.after, difference: '0' }],
      applied: { adjusted: 0, agrees: true },
    })
  })

  it('keeps to a provider and a model', long, async () => {
    await calls(1)
    expect((await rerated({ provider: 'anthropic' })).totals).toEqual([])
    expect((await rerated({ model: 'gpt-4-0613' })).totals).toEqual([])
    expect((await rerated({ provider: 'openai', model })).totals).toMatchObject([{ calls: 1, adjusted: 1 }])
  })

  it('goes by the book as it is now where no correction is named', long, async () => {
    await calls(1)
    const { adjustments, correction: by } = await rerated({ correction: undefined, apply: true })
    expect([adjustments, by.name]).toEqual([[], 'the price book'])
  })

  it('counts the limits anew', long, async () => {
    const limits = [{ name: 'month', measure: 'cost', cap: '5', window: { calendar: 'month' } }]
    await world.close()
    world = await startWorld({ config: { limits }, gateway: { controlPort: 0 } })
    await calls(2)
    const { totals } = await rerated({ apply: true })
    const counted = await asked<{ limits: { settled: string }[] }>('limits')
    expect(counted.limits.map(({ settled }) => settled)).toEqual(totals.map(({ after }) => after))
  })

  it('puts calls back first that only sealed files have', long, async () => {
    await calls(3)
    const before = await spent()
    world.clock.advance(5 * 86_400_000)
    await asked('sealed-days/seal', { afterHours: 48 })
    expect(await asked('sealed-days/prune', { keepDays: 1 })).toMatchObject({ pruned: [{ calls: 2 }] })
    const { totals, applied } = await rerated({ apply: true })
    expect([totals, applied]).toMatchObject([[{ before, adjusted: 3 }], { adjusted: 3, agrees: true }])
    expect(await spent()).toBe(totals[0]?.after)
    expect((await rerated({ apply: true })).adjustments).toEqual([])
  })

  it('leaves an imported line of a closed period, and puts another in its place', long, async () => {
    const book = await bundledBook()
    const { charges } = price(
      { output_text_tokens: 1_000 },
      { provider: 'openai', model, at: parseInstant('2023-11-15') },
      book,
    )
    await asked('imports', JSON.parse(writeImports([exampleLine('line_1', 0n, { model, charges })])))
    const close = { provider: 'openai', from: '2023-11-15', to: '2023-11-16', acceptGap: 'no bill yet' }
    const open = await rerated()
    expect([open.adjustments.length, open.totals]).toMatchObject([1, [{ before: '0.03', after: '0.015' }]])
    await asked('periods', close)
    const closed = await rerated({ apply: true })
    expect(closed).toMatchObject({
      adjustments: [],
      totals: [{ before: '0.03', after: '0.03' }],
      kept: [{ meter: 'output_text_tokens', why: 'closed', count: 1, example: 'line_1' }],
    })
  })

  it('is refused while another one is at work, and taken again afterwards', long, async () => {
    await calls(1)
    const [one, other] = await Promise.all([
      posted({ ...period, correction }),
      posted({ ...period, correction }),
    ])
    const statuses = [one.status, other.status].sort()
    expect(statuses).toEqual([200, 409])
    expect([one, other].find(({ status }) => status === 409)?.text).toContain('"rerate_running"')
    expect((await rerated()).adjustments).toHaveLength(1)
  })

  it('ends when the gateway does, whoever takes its reply', long, async () => {
    await calls(1)
    const reply = await fetch(`${world.gateway.controlUrl}/octroi/v1/rerate`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...period, correction, apply: true }),
    })
    expect(reply.status).toBe(200)
    await world.gateway.close()
    await reply.text().catch(() => {})
    world = await startWorld({ gateway: { controlPort: 0 } })
  })

  it.each<readonly [object, RegExp]>([
    [{ from: 'soon' }, /^from: cannot be read: "soon" is not an instant/],
    [
      { from: '2023-11-15T00:30:00Z' },
      /^from: "2023-11-15T00:30:00Z" is not a whole hour. Reports count whole hours\.$/,
    ],
    [{ from: undefined }, /^from: /],
    [{ from: 20231115 }, /^from: /],
    [{ to: '2023-11-32' }, /^to: cannot be read/],
    [{ to: null }, /^to: /],
    [{ to: '2023-11-15' }, /^from is not before to/],
    [{ provider: '' }, /^provider: /],
    [{ provider: 7 }, /^provider: /],
    [{ model: 'm'.repeat(201) }, /^model: /],
    [{ apply: 'yes' }, /^apply: /],
    [{ correction: 'prices.json' }, /^correction: /],
    [{ correction: [] }, /^correction: /],
    [{ correction: {} }, /^correction: .*schema must be "octroi-prices\/1"/],
    [{ correction: { ...correction, prices: 'all' } }, /^correction: .*prices must be a list of rows/],
    [{ correction: { ...correction, prices: [{ ...row, unitPrice: '-1' }] } }, /^correction: .*unitPrice/],
    [
      { correction: { ...correction, prices: [row, { ...row, unitPrice: '1' }] } },
      /^correction: .*has two prices from 2023-11-15/,
    ],
    [
      { correction: { ...correction, prices: [{ ...row, effectiveTo: '2023-11-14' }] } },
      /^correction: .*ends before it begins/,
    ],
    [{ colour: 'red' }, /colour/],
  ])('refuses %j', long, async (wrong, message) => {
    const [status, code, said] = await refused({ ...period, correction, ...wrong })
    expect([status, code, said]).toEqual([400, 'bad_input', expect.stringMatching(message)])
  })
})

describe('a re-rating of a gateway with an admin token', () => {
  it('wants it', async () => {
    const adminToken = 'a-token-of-24-characters-or-more'
    world = await startWorld({ gateway: { controlPort: 0, adminToken } })
    expect((await posted(period)).status).toBe(401)
    expect((await posted(period, { authorization: 'Bearer another-token-of-the-same-size' })).status).toBe(
      401,
    )
    const { status } = await posted(period, { authorization: `Bearer ${adminToken}` })
    await world.close()
    expect(status).toBe(200)
  })
})

describe('a re-rating of a gateway that does not know its price files', () => {
  it('is refused, and says where it can be done', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'octroi-rerate-'))
    const database = await openSqlite({ file: join(folder, 'ledger.sqlite'), stores: [ledgerStore] })
    const parts = { ledger: openLedger(database), admission: createAdmission([], []), clock: manualClock(0) }
    const sealedDays = { thaw: async () => 0 }
    const rest = { prices: null, sealed: null, report: () => {} }
    const rerating = createRerating({ parts, database, sealedDays, ...rest })
    await expect(rerating.answer(period)).rejects.toThrow(/Run octroi rerate on the command line/)
    await rerating.close()
    await expect(rerating.answer(period)).rejects.toMatchObject({ code: 'overloaded' })
    await database.close()
    await rm(folder, { recursive: true })
  })
})
