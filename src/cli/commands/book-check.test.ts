import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { commandRunner } from '../run-command.fixture.ts'
import { command } from './book-check.ts'

const run = commandRunner(command)
const folder = mkdtempSync(join(tmpdir(), 'octroi-check-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const row = {
  provider: 'acme',
  model: 'nova',
  service: 'chat',
  meter: 'input_text_tokens',
  attributes: { tier: 'standard' },
  unitPrice: '2',
  per: 1_000_000,
  currency: 'USD',
  effectiveFrom: '2026-01-01',
  fromPrecision: 'exact',
  effectiveTo: null,
  confidence: 'high',
  source: "Acme's price page, read 2026-01-02",
}

const file = (...prices: readonly object[]) => ({ schema: 'octroi-prices/1', provider: 'acme', prices })

const check = async (json: unknown, ...words: readonly string[]) => {
  const path = join(folder, 'prices.json')
  writeFileSync(path, typeof json === 'string' ? json : JSON.stringify(json))
  const { out, err, exit } = await run(['book', 'check', path, ...words])
  return { out, exit, problems: err.split('\n').map((line) => line.replace(`${path}: `, '')) }
}

describe('octroi book check', () => {
  it('finds nothing wrong in the book, and says what it covers', async () => {
    const { out, err, exit } = await run(['book', 'check', '--at', '2026-11-23', '--json'])
    const checked = JSON.parse(out)
    expect({ exit, err, problems: checked.problems }).toEqual({ exit: 0, err: '', problems: [] })
    const providers = checked.coverage.map(({ provider }: { provider: string }) => provider)
    expect(providers).toContain('openai')
    for (const { inForce, high, medium, low } of checked.coverage) expect(high + medium + low).toBe(inForce)
  })

  it('counts what is in force, how sure it is, and how old its sources are', async () => {
    const old = { ...row, meter: 'output_text_tokens', fromPrecision: 'inferred', confidence: 'low' }
    const { out } = await check(
      file(row, old, { ...row, effectiveFrom: '2025-01-01', effectiveTo: '2026-01-01' }),
      '--at',
      '2026-06-01',
    )
    expect(out.replace(/ +/g, ' ')).toContain('acme 3 1 2 1 0 1 1 2026-01-02 2026-01-02 2')
    expect(out).toContain('No problem was found.')
  })

  it('names every problem with its row and field, not only the first', async () => {
    const { problems, exit } = await check(
      file(
        { ...row, unitPrice: 2, per: 0, currency: 'usd' },
        { ...row, meter: 'input_tokens' },
        { ...row, attributes: { teir: 'standard' } },
        { ...row, effectiveTo: '2025-12-31', surce: 'x' },
        { ...row, provider: 'other' },
      ),
    )
    expect(problems).toEqual([
      'row 1: unitPrice: write the figure as a string, so that no digit is lost',
      'row 1: per: Too small: expected number to be >=1',
      'row 1: currency: write an ISO 4217 code such as USD',
      'row 2: meter: There is no meter "input_tokens". See docs/glossary.md for the list.',
      'row 3: attributes.teir: is not known to this version',
      'row 4: Unrecognized key: "surce"',
      'row 4: effectiveTo: is not after effectiveFrom',
      'row 5: provider: is not "acme", the provider of its file',
      '',
    ])
    expect(exit).toBe(1)
  })

  it('names each pair of prices that contradict each other', async () => {
    const { problems } = await check(file(row, { ...row, unitPrice: '3', effectiveFrom: '2026-03-01' }))
    expect(problems[0]).toBe(
      'row 2: effectiveFrom: 2 of row 1 still holds on 2026-03-01T00:00:00Z: end it there',
    )
  })

  it('lets an overlay say otherwise than the book', async () => {
    const { exit } = await check([file(row), { ...file({ ...row, unitPrice: '3' }), overlay: true }])
    expect(exit).toBe(0)
  })

  it('checks contracts and their discounts', async () => {
    const discount = { percent: '10', effectiveFrom: '2026-01-01', effectiveTo: null, source: 'contract' }
    const contract = { ...file(), overlay: 'contract', discounts: [discount] }
    expect(await check(contract)).toMatchObject({ exit: 0 })
    const { problems } = await check({ ...contract, discounts: [{ ...discount, percent: 10 }] })
    expect(problems[0]).toBe('discounts.0.percent: write the figure as a string, so that no digit is lost')
    expect(
      (await check({ ...contract, discounts: [{ ...discount, percent: '200' }] })).problems[0],
    ).toContain('percent must be above 0 and at most 100')
  })

  it('finds names that stand for two models at once', async () => {
    const { problems } = await check(
      file({ ...row, aliases: ['latest'] }, { ...row, model: 'nova-2', aliases: ['latest'] }),
    )
    expect(problems[0]).toMatch(/"latest" of acme stands for several models/)
  })

  it.each([
    ['{"schema":', 'line 1, column 11: not JSON: a value was expected, but the text ends.'],
    ['[]', ''],
    ['5', 'Invalid input: expected object, received number'],
    [{ ...file(), schema: 'octroi-prices/9' }, 'schema: Invalid input: expected "octroi-prices/1"'],
    [{ ...file(), prices: {} }, 'prices: Invalid input: expected array, received object'],
    [{ ...file(), prices: [7] }, 'row 1: Invalid input: expected object, received number'],
  ])('says what is wrong with %j', async (json, what) => {
    const { problems, exit } = await check(json)
    expect(problems[0]).toBe(what)
    expect(exit).toBe(what === '' ? 0 : 1)
  })

  it('reads standard input, and says where there is no such file', async () => {
    expect(await run(['book', 'check', '-'], JSON.stringify(file(row)))).toMatchObject({ exit: 0 })
    expect(await run(['book', 'check', 'no-such-file'])).toMatchObject({
      exit: 2,
      err: expect.stringContaining('Cannot read no-such-file'),
    })
  })
})
