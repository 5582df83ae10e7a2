import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { exampleUse } from '../../../test/conformance/accruals.ts'
import { exampleLine } from '../../../test/conformance/imports.ts'
import {
  exampleCall,
  exampleCharge,
  exampleReservation,
  exampleSettlement,
} from '../../../test/conformance/ledger.ts'
import type { SessionUse } from '../../ledger/accrual.ts'
import { openSqlite } from '../../ledger/databases/sqlite.ts'
import { ledgerStore, openLedger } from '../../ledger/ledger.ts'
import { openDuck, quoted } from '../../ledger/sealed/duck.ts'
import { parsePicos } from '../../money/money.ts'
import { commandRunner } from '../run-command.fixture.ts'
import { command } from './export-focus.ts'

const folder = mkdtempSync(join(tmpdir(), 'octroi-focus-'))
const ledger = join(folder, 'ledger.sqlite')
const at = (name: string): string => join(folder, name)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A charge of 10 input tokens at 30 000 a million: 0.3. */
const charge = {
  ...exampleCharge(parsePicos('0.3')),
  ...{ quantity: 10, unitPrice: '30000', per: 1_000_000, exact: { numerator: 3n, denominator: 10n } },
}

/** A session of 0.03 that a tool opened at noon. */
const session: SessionUse['posting'] = {
  ...exampleUse('tool', Date.parse('2023-11-15T12:00:00Z')).posting,
  ...{ list: parsePicos('0.03'), counts: [] },
  charges: [
    {
      ...exampleCharge(parsePicos('0.03')),
      ...{ meter: 'code_interpreter_session', quantity: 1, unitPrice: '0.03', per: 1 },
      exact: { numerator: 3n, denominator: 100n },
    },
  ],
}

beforeAll(async () => {
  const opened = openLedger(await openSqlite({ file: ledger, stores: [ledgerStore] }))
  for (const [id, team] of [
    ['a', 'search'],
    ['b', 'a "quoted", team'],
    ['c', 'search'],
  ] as const) {
    await opened.reserve({ ...exampleReservation(id), call: exampleCall(id, { team }) })
    await opened.settle(exampleSettlement(id, parsePicos('0.3'), { charges: [charge], resent: null }))
  }
  await opened.accruals.use({ id: 'tool', meter: 'code_interpreter_session', posting: session })
  await opened.imports.post([exampleLine('line', parsePicos('0.3'), { charges: [charge] })])
  await opened.close()
})

const run = commandRunner(command)
const exporting = (...words: readonly string[]) =>
  run(['export', 'focus', '--ledger', ledger, '--from', '2023-11-01', '--to', '2023-12-01', ...words])
const checking = (file: string, ...words: readonly string[]) =>
  run(['export', 'focus', '--check', at(file), ...words])

const nothingBroken = '4 rows of FOCUS 1.4: no rule is broken.\n'

describe('octroi export focus', () => {
  it('writes CSV to standard output, and says on the other what it checked', async () => {
    const { exit, out, err } = await exporting()
    expect([exit, err]).toEqual([0, nothingBroken])
    const [head, ...lines] = out.trimEnd().split('\r\n')
    expect(head).toMatch(/^BilledCost,BillingAccountId,/)
    expect(lines.map((line) => line.split(',')[0])).toEqual(['0.3', '0.3', '0.6', '0.03'])
    expect(out).toContain(',"a ""quoted"", team",')
  })

  it.each(['csv', 'jsonl', 'parquet'])('writes %s, which passes the check of files', async (format) => {
    const written = await exporting('--out', at(`spend.${format}`))
    expect(written).toEqual({ exit: 0, out: nothingBroken, err: '' })
    expect(await checking(`spend.${format}`)).toEqual({ exit: 0, out: nothingBroken, err: '' })
    expect(readdirSync(folder).filter((name) => name.includes('.partial'))).toEqual([])
  })

  it('writes 1.2', async () => {
    const written = await exporting('--out', at('old.csv'), '--focus-version', '1.2', '--tags', 'feature')
    expect(written.out).toBe('4 rows of FOCUS 1.2: no rule is broken.\n')
    expect(await checking('old.csv', '--focus-version', '1.2')).toMatchObject({ exit: 0 })
    expect(await checking('old.csv', '--json')).toMatchObject({
      exit: 3,
      out: expect.stringContaining('column-unknown'),
    })
  })

  it('writes exact decimals, instants and nulls into Parquet', async () => {
    await exporting('--out', at('exact.parquet'))
    const duck = await openDuck({})
    const from = `FROM read_parquet(${quoted(at('exact.parquet'))})`
    const [sums] =
      await duck.rows(`SELECT sum(EffectiveCost)::VARCHAR AS cost, sum(x_CallCount)::INTEGER AS calls,
      sum(ConsumedQuantity)::VARCHAR AS quantity, count(Tags)::INTEGER AS tags, min(epoch_ms(ChargePeriodStart)) AS at ${from}`)
    const types = await duck.rows(`DESCRIBE SELECT ListCost, ListUnitPrice, ChargePeriodEnd ${from}`)
    duck.close()
    expect(sums).toEqual({
      ...{ cost: '1.230000000000', calls: 6, quantity: '41.000000000000000000', tags: 0 },
      at: BigInt(Date.parse('2023-11-15')),
    })
    expect(types.map((row) => row['column_type'])).toEqual([
      'DECIMAL(38,12)',
      'DECIMAL(38,18)',
      'TIMESTAMP WITH TIME ZONE',
    ])
  })

  it('names rule, row and column of a file that was changed', async () => {
    await exporting('--out', at('whole.csv'))
    const text = readFileSync(at('whole.csv'), 'utf8')
    writeFileSync(at('broken.csv'), text.replace('\r\n0.3,', '\r\n3e-1,'))
    expect(await checking('broken.csv')).toEqual({
      exit: 3,
      out: [
        'row 1, BilledCost: is no plain decimal: "3e-1" [decimal]',
        '4 rows of FOCUS 1.4: 1 violations (decimal 1).',
        '',
      ].join('\n'),
      err: '',
    })
    writeFileSync(at('short.csv'), text.replace(/,[^,]*\r\n$/, '\r\n'))
    const { exit, out } = await checking('short.csv', '--json')
    const schema = new URL('../../../schemas/focus-check-1.json', import.meta.url)
    const validate = new Ajv2020().compile(JSON.parse(readFileSync(schema, 'utf8')))
    expect([validate(JSON.parse(out)), validate.errors]).toEqual([true, null])
    expect([exit, JSON.parse(out).violations]).toEqual([
      3,
      [{ rule: 'row-shape', row: 4, column: null, message: 'has 47 fields, and the file 48 columns' }],
    ])
  })

  it('counts a number with an exponent in JSON Lines for what is written', async () => {
    await exporting('--out', at('whole.jsonl'))
    const text = readFileSync(at('whole.jsonl'), 'utf8')
    writeFileSync(at('broken.jsonl'), text.replace('"BilledCost":"0.3"', '"BilledCost":3e-1'))
    expect((await checking('broken.jsonl')).out).toContain('row 1, BilledCost: is no plain decimal: "3e-1"')
    writeFileSync(at('plain.jsonl'), text.replace('"BilledCost":"0.3"', '"BilledCost":0.3'))
    expect((await checking('plain.jsonl')).exit).toBe(0)
  })

  it('says so where something had no price, and leaves it out', async () => {
    const file = at('unpriced.sqlite')
    const opened = openLedger(await openSqlite({ file, stores: [ledgerStore] }))
    await opened.reserve(exampleReservation('d'))
    const image = { meter: 'image', quantity: 2, code: 'no_price', message: 'No price.' } as const
    await opened.settle(exampleSettlement('d', 0n, { charges: [], unpriced: [image], resent: null }))
    await opened.close()
    const words = ['--ledger', file, '--from', '2023-11-01', '--to', '2023-12-01']
    const { exit, err } = await run(['export', 'focus', ...words])
    expect([exit, err]).toEqual([
      4,
      '0 rows of FOCUS 1.4: no rule is broken.\noctroi: 1 times something was used that has no price; the export leaves it out.\n',
    ])
  })

  it.each([
    ['An export needs --from and --to', ['--ledger', ledger]],
    ['is not a whole hour', ['--ledger', ledger, '--from', '2023-11-01T00:30:00Z']],
    ['--focus-version is 1.4 or 1.2, not "1.3"', ['--focus-version', '1.3']],
    ['Parquet goes to a file', ['--from', '2023-11-01', '--to', '2023-12-01', '--format', 'parquet']],
    [
      '--format is csv, jsonl or parquet, not "xlsx"',
      ['--from', '2023-11-01', '--to', '2023-12-01', '--format', 'xlsx'],
    ],
    ['ends in none of .csv, .jsonl, .parquet', ['--check', at('spend.xlsx')]],
    ['There is no file', ['--check', at('none.csv')]],
    ['--features cannot be "magic"', ['--check', at('spend.csv'), '--features', 'magic']],
  ])('refuses with: %s', async (message, words) => {
    const { exit, err } = await run(['export', 'focus', ...words])
    expect([exit, err]).toEqual([2, expect.stringContaining(message)])
  })

  it.each([
    ['is empty', 'empty.csv', ''],
    ['is no CSV', 'odd.csv', 'a,"b\n'],
    ['is no JSON Lines', 'odd.jsonl', '[1]\n'],
    ['is no Parquet', 'odd.parquet', 'PAR1'],
  ])('refuses a file that %s', async (message, name, text) => {
    writeFileSync(at(name), text)
    const { exit, err } = await checking(name)
    expect([exit, err]).toEqual([2, expect.stringContaining(message)])
  })
})
