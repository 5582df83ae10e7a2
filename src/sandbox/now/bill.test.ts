import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { add, format, parseDecimal, zero } from '../../money/rational.ts'
import { parseInstant } from '../../time.ts'
import type { BilledCall } from '../books.ts'
import { openSandbox } from '../sandbox.fixture.ts'
import { day, midnight, openServed, report } from './bill.fixture.ts'
import { openBill } from './bill.ts'
import { type BillFault, openBillFaults } from './bill-faults.ts'
import { openVendorBooks } from './books.ts'
import { pricesNow } from './vendors.fixture.ts'

const prices = pricesNow.flatMap((file) => file.prices)
const at = parseInstant

const call = (more: Partial<BilledCall> = {}): BilledCall => ({
  ...{ number: 1, at: at('2026-11-25T12:00:00Z'), wire: 'chat-completions', id: 'a', requestId: 'r' },
  ...{ model: 'gpt-4o', user: null, provider: 'openai', project: 'proj_a', apiKey: 'key_1' },
  usage: { input_text_tokens: 1000, cached_input_tokens: 2000, output_text_tokens: 100 },
  attributes: { tier: 'standard' },
  ...more,
})

/** What the bill of some calls says with some faults: `[line item, quantity, amount]`. */
const billed = (faults: readonly BillFault[], calls: readonly BilledCall[] = [call()]) =>
  openBill({ calls: () => calls, prices, faults: openBillFaults(faults) })
const lines = (faults: readonly BillFault[], calls?: readonly BilledCall[]) =>
  billed(faults, calls)
    .lines()
    .map(({ lineItem, quantity, amount }) => [lineItem, quantity, amount])

const right = [
  ['gpt-4o, cached input', 2000, '0.0025'],
  ['gpt-4o, input', 1000, '0.0025'],
  ['gpt-4o, output', 100, '0.001'],
]

describe('a bill without faults', () => {
  it('is what was served, at 2.50, 1.25 and 10 dollars a million', () => {
    expect(lines([])).toEqual(right)
  })

  it('is the sum of the books to the last digit, whatever was served', () => {
    const tokens = fc.integer({ min: 1, max: 1_000_000_000 })
    const calls = fc.array(
      fc.record({
        model: fc.constantFrom('gpt-4o', 'gpt-5-2025-08-07'),
        at: fc.integer({ min: at('2026-11-20'), max: at('2026-11-26') }),
        usage: fc.record({ input_text_tokens: tokens, output_reasoning_tokens: tokens }),
        project: fc.constantFrom('proj_a', 'proj_b'),
      }),
      { maxLength: 20 },
    )
    fc.assert(
      fc.property(calls, (some) => {
        const all = some.map(call)
        const books = openVendorBooks(prices)
        for (const each of all) books.add(each)
        const sum = billed([], all)
          .lines()
          .reduce((total, { amount }) => add(total, parseDecimal(amount)), zero)
        expect(format(sum)).toBe(books.total().amount)
      }),
    )
  })
})

describe('faults of calls', () => {
  const two = [call(), call({ number: 2, at: at('2026-11-25T23:59:59Z') })]

  it('leave a call out, or have it twice', () => {
    expect(lines([{ kind: 'unbilled' }], two)).toEqual(right)
    const twice = [
      ['gpt-4o, cached input', 4000, '0.005'],
      ['gpt-4o, input', 2000, '0.005'],
      ['gpt-4o, output', 200, '0.002'],
    ]
    expect(lines([{ kind: 'billed-twice' }])).toEqual(twice)
    expect(billed([{ kind: 'billed-twice' }]).entries()).toHaveLength(2)
    expect(lines([{ kind: 'unbilled', calls: 2 }], two)).toEqual([])
  })

  it('have traffic from outside', () => {
    const usage = { input_text_tokens: 4000, output_text_tokens: 400 }
    const bill = billed([{ kind: 'outside', day, provider: 'openai', model: 'gpt-4o', usage, requests: 4 }])
    expect(
      bill
        .lines()
        .filter(({ project }) => project === 'proj_sandbox')
        .map(({ amount }) => amount),
    ).toEqual(['0.01', '0.004'])
    expect(bill.entries().at(-1)).toMatchObject({ requests: 4, call: { at: at('2026-11-25T12:00:00Z') } })
  })

  it('price one meter, or all, by a factor', () => {
    const wrong = { kind: 'wrong-price', factor: '1.2' } as const
    expect(lines([{ ...wrong, meter: 'output_text_tokens' }])).toEqual([
      ...right.slice(0, 2),
      ['gpt-4o, output', 100, '0.0012'],
    ])
    expect(lines([wrong]).map(([, , amount]) => amount)).toEqual(['0.003', '0.003', '0.0012'])
  })

  it('price by the rows of another tier, and name it only where they are told to', () => {
    // The priority tier of gpt-4o is 4.25, 2.125 and 17 dollars a million.
    expect(lines([{ kind: 'wrong-tier', tier: 'priority' }])).toEqual([
      ['gpt-4o, cached input', 2000, '0.00425'],
      ['gpt-4o, input', 1000, '0.00425'],
      ['gpt-4o, output', 100, '0.0017'],
    ])
    const told = billed([{ kind: 'wrong-tier', tier: 'priority', told: true }])
    expect(told.lines().map(({ lineItem, tier }) => [lineItem, tier])).toContainEqual([
      'gpt-4o, priority input',
      'priority',
    ])
    expect(told.entries()[0]?.call.attributes).toEqual({ tier: 'priority' })
  })

  it('report what was cached as input that was not', () => {
    const bill = billed([{ kind: 'cache-class' }])
    expect(bill.entries()[0]?.call.usage).toEqual({ input_text_tokens: 3000, output_text_tokens: 100 })
    expect(lines([{ kind: 'cache-class' }])).toEqual([
      ['gpt-4o, input', 3000, '0.0075'],
      ['gpt-4o, output', 100, '0.001'],
    ])
  })

  it('move the last call of a day into the next', () => {
    const days = billed([{ kind: 'late-day' }], two)
      .lines()
      .map((line) => [line.day, line.lineItem, line.amount])
    expect(days).toEqual([
      ['2026-11-25', 'gpt-4o, cached input', '0.0025'],
      ['2026-11-25', 'gpt-4o, input', '0.0025'],
      ['2026-11-25', 'gpt-4o, output', '0.001'],
      ['2026-11-26', 'gpt-4o, cached input', '0.0025'],
      ['2026-11-26', 'gpt-4o, input', '0.0025'],
      ['2026-11-26', 'gpt-4o, output', '0.001'],
    ])
  })

  it.each([
    { day: '2026-11-24' },
    { model: 'gpt-5' },
    { project: 'proj_b' },
    { provider: 'anthropic' },
    { meter: 'image' },
  ] as const)('spare what they are not for: %j', (match) => {
    expect(lines([{ kind: 'unbilled', ...match }])).toEqual(right)
  })
})

describe('faults of lines', () => {
  it('round each line, half to even', () => {
    expect(lines([{ kind: 'rounding', places: 3 }]).map(([, , amount]) => amount)).toEqual([
      '0.002',
      '0.002',
      '0.001',
    ])
    expect(lines([{ kind: 'rounding', places: 2 }]).map(([, , amount]) => amount)).toEqual(['0', '0', '0'])
  })

  it('credit a day: a negative line', () => {
    const credit = { kind: 'credit', day, provider: 'openai', amount: '5.25' } as const
    expect(lines([credit])).toEqual([...right, ['credit', null, '-5.25']])
    expect(lines([{ ...credit, model: 'gpt-4o' }])).toEqual([...right, ['gpt-4o, credit', null, '-5.25']])
  })

  it('tell lines in another currency', () => {
    const [cached, input] = billed([
      { kind: 'currency', currency: 'EUR', rate: '0.9', meter: 'cached_input_tokens' },
    ]).lines()
    expect(cached).toMatchObject({ amount: '0.00225', currency: 'EUR' })
    expect(input).toMatchObject({ amount: '0.0025', currency: 'USD' })
  })

  it('strike one cell together, in their order', () => {
    const mixed: readonly BillFault[] = [
      { kind: 'billed-twice' },
      { kind: 'wrong-price', factor: '1.5', meter: 'output_text_tokens' },
      { kind: 'rounding', places: 3, meter: 'output_text_tokens' },
      { kind: 'credit', day, provider: 'openai', amount: '0.5' },
    ]
    expect(lines(mixed)).toEqual([
      ['gpt-4o, cached input', 4000, '0.005'],
      ['gpt-4o, input', 2000, '0.005'],
      ['gpt-4o, output', 200, '0.003'],
      ['credit', null, '-0.5'],
    ])
  })
})

describe('the bill of a sandbox', () => {
  const costs = `/v1/organization/costs?start_time=${midnight}&end_time=${midnight + 86_400}`

  it('is bent, and the books stay right', async () => {
    const { sandbox } = await openServed({
      bill: [
        { kind: 'wrong-price', provider: 'openai', factor: '2' },
        { kind: 'currency', provider: 'openai', meter: 'output_text_tokens', currency: 'EUR', rate: '0.5' },
        { kind: 'credit', day, provider: 'anthropic', amount: '0.01' },
      ],
    })
    expect(sandbox.total().amount).toBe('0.008316')
    const openai = await report(sandbox, costs)
    expect(openai.page.data[0].results.map(({ amount }: { amount: unknown }) => amount)).toEqual([
      { value: 0.011_61, currency: 'usd' },
      { value: 0.002, currency: 'eur' },
    ])
    const { page } = await report(
      sandbox,
      '/anthropic/v1/organizations/cost_report?starting_at=2026-11-25T00:00:00Z&group_by[]=description',
      { key: 'sk-ant-admin-test' },
    )
    expect(page.data[0].results.at(-1)).toMatchObject({
      ...{ amount: '-1', description: 'credit', cost_type: null, model: null },
    })
  })

  it('is read and bent over HTTP', async () => {
    const { sandbox } = await openServed()
    const control = async (
      method: string,
      path: string,
      body?: unknown,
    ): Promise<Record<string, unknown>> => {
      const response = await fetch(`${sandbox.url}/sandbox/${path}`, {
        method,
        ...(body !== undefined && { body: JSON.stringify(body) }),
      })
      return (await response.json()) as Record<string, unknown>
    }
    const fault = { kind: 'unbilled', provider: 'openai', calls: 2 }
    expect(await control('POST', 'bill/faults', fault)).toEqual({ faults: [fault] })
    expect(await control('GET', 'bill/faults')).toEqual({ faults: [fault] })
    expect((await control('GET', 'bill'))['lines']).toHaveLength(2)
    expect(await control('DELETE', 'bill/faults')).toEqual({ faults: [] })
    expect((await control('GET', 'bill'))['lines']).toHaveLength(5)
    expect(await control('POST', 'bill/faults', { kind: 'wrong-price' })).toMatchObject({
      error: { message: 'The field "factor" of a fault must be a positive decimal text such as "1.25".' },
    })
  })

  it('is none in the profile of 2023', async () => {
    const { sandbox } = await openSandbox()
    expect(() => sandbox.bill.lines()).toThrow('Only the profile "now" has a bill')
    expect(() => sandbox.bill.faults.add({ kind: 'unbilled' })).toThrow('Only the profile "now" has a bill')
    await expect(openSandbox({ bill: [] })).rejects.toThrow('Only the profile "now" has a bill')
    await expect(openSandbox({ projects: {} })).rejects.toThrow('Only the profile "now" has a bill')
  })

  it.each([
    [{ kind: 'unbilled', calls: 0 }, 'calls'],
    [{ kind: 'rounding', places: 12 }, 'places'],
    [{ kind: 'currency', currency: 'euro', rate: '1' }, 'currency'],
    [{ kind: 'credit', day: '2026-13-01', provider: 'openai', amount: '1' }, 'day'],
    [{ kind: 'outside', day, provider: 'openai', model: 'gpt-4o', usage: {} }, 'usage'],
    [{ kind: 'wrong-price', factor: '0' }, 'factor'],
    [{ kind: 'lost' }, 'kind'],
  ])('does not take %j', (fault, field) => {
    expect(() => openBillFaults([fault as unknown as BillFault])).toThrow(`The field "${field}"`)
  })
})
