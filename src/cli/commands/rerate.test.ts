import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { exampleLine } from '../../../test/conformance/imports.ts'
import { startWorld, type TestWorld } from '../../../test/support/world.ts'
import { openDataFolder } from '../../gateway/data-folder.ts'
import { openLedger } from '../../ledger/ledger.ts'
import { type Charge, price } from '../../pricing/price.ts'
import { parseInstant } from '../../time.ts'
import { bundledBook } from '../bundled.ts'
import { commandRunner } from '../run-command.fixture.ts'
import { command as prune } from './ledger-prune.ts'
import { command as seal } from './ledger-seal.ts'
import { command as verify } from './ledger-verify.ts'
import { command as spend } from './report-spend.ts'
import { command as rerate } from './rerate.ts'

const run = commandRunner(rerate, seal, prune, verify, spend)

let home: string
let folder: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'octroi-rerate-'))
  folder = join(home, 'data')
})
afterEach(() => rm(home, { recursive: true }))

const model = 'gpt-4-1106-preview'

/** A price of the tests: half of what the book says that output costs. */
const corrected = {
  ...{
    provider: 'openai',
    model,
    service: 'chat',
    meter: 'output_text_tokens',
    attributes: { tier: 'standard' },
  },
  ...{ unitPrice: '0.015', per: 1_000, currency: 'USD', effectiveFrom: '2023-11-15', fromPrecision: 'exact' },
  ...{ effectiveTo: '2023-11-16', confidence: 'high', source: 'the tests' },
}

const correction = async (row: object = corrected): Promise<string> => {
  const file = join(home, 'corrected.json')
  await writeFile(file, JSON.stringify({ schema: 'octroi-prices/1', provider: 'openai', prices: [row] }))
  return file
}

const fitsSchema = async (value: unknown): Promise<unknown> => {
  const text = await readFile(new URL('../../../schemas/rerate-1.json', import.meta.url), 'utf8')
  const validate = new Ajv2020({ allErrors: true }).compile(JSON.parse(text))
  return validate(value) ? [] : validate.errors
}

const period = ['--from', '2023-11-15', '--to', '2023-11-16']
const december = ['--clock', '2023-12-01']

const rerated = async (...more: readonly string[]) =>
  run(['rerate', '--data', folder, ...period, '--correction', await correction(), ...december, ...more])

const spent = async (): Promise<string> => {
  const { out } = await run(['report', 'spend', '--ledger', join(folder, 'ledger.sqlite'), '--json'])
  return JSON.parse(out).totals[0].amount
}

const verified = async () => (await run(['ledger', 'verify', '--ledger', join(folder, 'ledger.sqlite')])).exit

/** Two calls through a gateway. */
const called = async (): Promise<TestWorld> => {
  const world = await startWorld({ folder, gateway: { controlPort: 0 } })
  const client = await world.client('search')
  for (const content of ['Hello there', 'How are you?']) {
    await client.chat.completions.create({ model, messages: [{ role: 'user', content }] })
  }
  return world
}

/** Several commands, each of which opens the price book anew. */
const long = { timeout: 60_000 }

describe('octroi rerate', () => {
  it(
    'shows the report before, the adjustments and the report after, and writes them once',
    long,
    async () => {
      await (await called()).close()
      const before = await spent()
      const dry = await rerated('--json')
      expect([dry.exit, dry.err]).toEqual([0, 'octroi: nothing was written. --apply writes 2 adjustments.\n'])
      const said = JSON.parse(dry.out)
      expect(said).toMatchObject({
        ...{ schema: 'octroi-rerate/1', from: '2023-11-15T00:00:00Z', applied: null, kept: [] },
        totals: [{ calls: 2, adjusted: 2, before }],
      })
      expect(said.adjustments.map(({ charges }: { charges: object[] }) => charges)).toMatchObject([
        [{ meter: 'output_text_tokens', was: { unitPrice: '0.03' }, now: { unitPrice: '0.015' } }],
        [{ meter: 'output_text_tokens', was: { unitPrice: '0.03' }, now: { unitPrice: '0.015' } }],
      ])
      expect([await spent(), await fitsSchema(said)]).toEqual([before, []])

      const applied = await rerated('--json', '--apply')
      expect([applied.exit, applied.err]).toEqual([0, 'octroi: 2 of 2 adjustments are in the ledger.\n'])
      const { totals } = JSON.parse(applied.out)
      expect(await fitsSchema(JSON.parse(applied.out))).toEqual([])
      expect(JSON.parse(applied.out).applied).toEqual({
        ...{ adjusted: 2, lines: 0, refused: 0, agrees: true },
        ledger: [{ currency: 'USD', amount: totals[0].after }],
      })
      expect([await spent(), await verified()]).toEqual([totals[0].after, 0])

      const again = await rerated('--apply')
      expect([again.exit, again.err]).toEqual([0, 'octroi: 0 of 0 adjustments are in the ledger.\n'])
      expect([await spent(), await verified()]).toEqual([totals[0].after, 0])
    },
  )

  it('shows people what the calls cost before and after', async () => {
    await (await called()).close()
    const { out, exit } = await rerated()
    expect(exit).toBe(0)
    const lines = out.split('\n').map((line) => line.replace(/ +/g, ' '))
    expect(lines[0]).toBe('provider model calls imported adjusted before adjustments after')
    const [, , , , , was = '', difference = '', now = ''] = lines[3]?.split(' ') ?? []
    expect(lines[3]).toMatch(/^total 2 0 2 /)
    expect(lines.join('\n')).toMatch(
      /\n2023-11-15T12:00:00Z \S+ output_text_tokens [\d.]+ [\d.]+ -[\d.]+ USD\n/,
    )
    expect([was, difference, now].every((amount) => /^-?[\d.]+$|^USD$/.test(amount))).toBe(true)
  })

  it('asks the gateway that holds the ledger, which counts its limits anew', long, async () => {
    const world = await called()
    const before = await spent()
    await writeFile(
      join(folder, 'control.json'),
      JSON.stringify({ url: world.gateway.controlUrl, token: null }),
    )
    const applied = await rerated('--apply', '--json')
    expect([applied.exit, JSON.parse(applied.out).applied.agrees]).toEqual([0, true])
    const after = await spent()
    expect(Number(after)).toBeLessThan(Number(before))
    await world.close()
    expect(await verified()).toBe(0)
  })

  it('puts calls back first that only sealed files have', long, async () => {
    await (await called()).close()
    const before = await spent()
    const late = ['--data', folder, '--clock', '2023-11-20T00:00:00Z']
    expect((await run(['ledger', 'seal', ...late])).exit).toBe(0)
    const { out } = await run(['ledger', 'prune', ...late, '--keep-days', '1', '--json'])
    expect(JSON.parse(out).pruned).toEqual([{ day: '2023-11-15', calls: 1 }])
    const dry = await rerated()
    expect(dry.err).toBe('octroi: nothing was written. --apply writes 2 adjustments.\n')
    const applied = await rerated('--apply', '--json')
    expect([applied.exit, applied.err]).toEqual([0, 'octroi: 2 of 2 adjustments are in the ledger.\n'])
    const [total] = JSON.parse(applied.out).totals
    expect([total.before, await spent(), await verified()]).toEqual([before, total.after, 0])
    expect((await rerated('--apply')).err).toBe('octroi: 0 of 0 adjustments are in the ledger.\n')
  })

  it('asks the gateway that holds the ledger to seal, to prune, and to put calls back', long, async () => {
    const world = await called()
    const before = await spent()
    const { controlUrl } = world.gateway
    await writeFile(join(folder, 'control.json'), JSON.stringify({ url: controlUrl, token: null }))
    world.clock.advance(5 * 86_400_000)
    const sealed = await run(['ledger', 'seal', '--data', folder, '--json'])
    expect(JSON.parse(sealed.out)).toMatchObject({ sealed: [{ day: '2023-11-15', calls: 2 }], waiting: [] })
    const pruned = await run(['ledger', 'prune', '--data', folder, '--keep-days', '1'])
    expect(pruned.out).toBe('1 calls of 1 sealed days are now in their files only.\n')
    const elsewhere = await run(['ledger', 'seal', '--data', folder, '--sealed', home])
    expect([elsewhere.exit, elsewhere.err]).toEqual([2, expect.stringContaining('in its own folder')])
    const applied = await rerated('--apply', '--json')
    expect([applied.exit, applied.err]).toEqual([0, 'octroi: 2 of 2 adjustments are in the ledger.\n'])
    const [total] = JSON.parse(applied.out).totals
    await world.close()
    expect([total.before, await spent(), await verified()]).toEqual([before, total.after, 0])
  })

  it('puts a corrected imported line in the place of the one that was', long, async () => {
    const data = await openDataFolder(folder)
    const cost = price(
      { output_text_tokens: 1_000 },
      { provider: 'openai', model, at: parseInstant('2023-11-15') },
      await bundledBook(),
    )
    const ledger = openLedger(data.database)
    await ledger.imports.post([exampleLine('line_1', 0n, { model, charges: cost.charges })])
    await ledger.close()
    expect(await spent()).toBe('0.03')
    const { exit, out } = await rerated('--apply', '--json')
    expect([exit, JSON.parse(out).applied]).toMatchObject([0, { adjusted: 0, lines: 1, agrees: true }])
    expect([await spent(), await verified()]).toEqual(['0.015', 0])
    expect((await rerated('--apply')).err).toBe('octroi: 0 of 0 adjustments are in the ledger.\n')
  })

  it('says with exit code 4 what it cannot price anew', async () => {
    const data = await openDataFolder(folder)
    const ledger = openLedger(data.database)
    await ledger.imports.post([exampleLine('line_1', 3n, { model, charges: [unknownCharge] })])
    await ledger.close()
    const { exit, out } = await rerated()
    expect(exit).toBe(4)
    expect(out).toMatch(/output_text_tokens +1 +line_1 +no book at hand has the row that priced it/)
  })

  it.each([
    [['--correction', 'missing.json'], /Cannot read missing\.json/],
    [['--from', '2023-11-15T00:30:00Z'], /not a whole hour/],
    [['--provider', 'nobody'], /nothing was written/],
  ])('answers %j', async (more, message) => {
    await (await called()).close()
    expect((await rerated(...more)).err).toMatch(message)
  })

  it('refuses rows that contradict each other', async () => {
    await (await called()).close()
    const file = await correction()
    const twice = [corrected, { ...corrected, unitPrice: '0.02' }]
    await writeFile(file, JSON.stringify({ schema: 'octroi-prices/1', provider: 'openai', prices: twice }))
    const { exit, err } = await run(['rerate', '--data', folder, ...period, '--correction', file])
    expect([exit, err]).toEqual([1, expect.stringMatching(/has two prices from 2023-11-15/)])
  })
})

const unknownCharge = {
  ...{
    meter: 'output_text_tokens',
    quantity: 10,
    unitPrice: '3',
    per: 1,
    amount: 3n,
    price: 'gone',
    source: 's',
  },
  exact: { numerator: 3n, denominator: 10n ** 12n },
} as const satisfies Charge
