import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { exampleCall, exampleReservation, exampleSettlement } from '../../../test/conformance/ledger.ts'
import { openSqlite } from '../../ledger/databases/sqlite.ts'
import { ledgerStore, openLedger } from '../../ledger/ledger.ts'
import { parsePicos } from '../../money/money.ts'
import type { CliCommand } from '../command.ts'
import { commandRunner } from '../run-command.fixture.ts'
import { command as bill } from './report-bill.ts'
import { command as serviceLevels } from './report-service-levels.ts'

const folder = mkdtempSync(join(tmpdir(), 'octroi-bill-'))
const file = join(folder, 'ledger.sqlite')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const run = commandRunner(bill, serviceLevels)
const runCommand = ({ name }: CliCommand, ...args: readonly string[]) => run([...name.split(' '), ...args])

/** 2 calls in November 2023 and an unpriced one; one failed, one cut. */
beforeAll(async () => {
  const ledger = openLedger(await openSqlite({ file, stores: [ledgerStore] }))
  const attempt = { durationMs: 1_000, firstByteMs: 100, retry: 1 }
  const image = { meter: 'image', quantity: 2, code: 'no_price', message: 'No price.' } as const
  for (const [id, more] of [
    ['a', { attempt, status: 200 }],
    ['b', { unpriced: [image], status: 200 }],
    ['c', { status: 503, charges: [] }],
    ['d', { attempt, note: 'The provider broke off in the middle of its reply. It may have been billed.' }],
  ] as const) {
    await ledger.reserve({ ...exampleReservation(id, 60n, []), call: exampleCall(id) })
    await ledger.settle(exampleSettlement(id, parsePicos('0.30'), more))
  }
  await ledger.close()
})

describe('octroi report bill', () => {
  const november = ['--ledger', file, '--month', '2023-11']

  it('prints the total and its lists; the exit code says that something had no price', async () => {
    const { out, err, exit } = await runCommand(bill, ...november)
    expect(exit).toBe(4)
    expect(out).toMatch(
      /^Bill from 2023-11-01T00:00:00Z to 2023-12-01T00:00:00Z \(UTC\): ended, not closed\.$/m,
    )
    expect(out).toMatch(/^Total 0\.9 USD for 4 calls; 100\.0% measured or reconciled\.$/m)
    expect(out).toMatch(/^search +4 +0 +\+0\.9 +0\.9 +USD +100\.0%$/m)
    expect(out).toMatch(/^openai +gpt-4-0613 +input_text_tokens +30 +\$30,000\.00 +1M tokens +0\.9 +USD$/m)
    expect(err).toBe('octroi: image has no price in places; the bill leaves it out.\n')
  })

  it('writes a page to a file or to standard output, in a language', async () => {
    const page = join(folder, 'bill.html')
    const { out, err } = await runCommand(bill, ...november, '--html', page, '--language', 'fr')
    expect([out, err]).toEqual(['', expect.stringContaining(`octroi: the bill is in ${page}.`)])
    const written = readFileSync(page, 'utf8')
    expect(written).toContain('<h1>La facture de novembre 2023</h1>')
    expect(written).toContain(`octroi report receipt --ledger ${file} --from 2023-11-01T00:00:00Z`)
    expect((await runCommand(bill, ...november, '--html', '-')).out).toContain(
      '<h1>The bill for November 2023</h1>',
    )
  })

  it('takes a period in a zone, and refuses half of one', async () => {
    const days = ['--ledger', file, '--from', '2023-11-15', '--to', '2023-11-16', '--zone', 'Europe/Paris']
    const { out } = await runCommand(bill, ...days, '--json')
    expect(JSON.parse(out)).toMatchObject({
      ...{ from: '2023-11-14T23:00:00Z', to: '2023-11-15T23:00:00Z', timeZone: 'Europe/Paris' },
      before: { from: '2023-11-13T23:00:00Z', to: '2023-11-14T23:00:00Z' },
      stretches: [{ name: '2023-11-15', amount: '0.9' }],
    })
    const refused = async (...args: readonly string[]) =>
      (await runCommand(bill, '--ledger', file, ...args)).err
    expect(await refused('--from', '2023-11-15')).toContain('--to is missing: a bill is of a period.')
    expect(await refused('--month', '2023-13')).toContain('--month')
    expect(await refused('--month', '2023-11', '--to', '2023-12-01')).toContain('stands for a period')
    expect(await refused('--by', 'day')).toContain('--by cannot be "day".')
    expect(await refused('--html', '-', '--json')).toContain('Say --html or --json')
  })
})

describe('octroi report service-levels', () => {
  it('prints availability, latency, and what the vendor promises', async () => {
    const { out, exit } = await runCommand(serviceLevels, '--ledger', file)
    expect(exit).toBe(0)
    // 2 of 4 were answered; only one of them was timed, and it was its client's second try.
    expect(out).toMatch(
      /^openai +gpt-4 +4 +50% +2 +0 +0 +0 +1,002 +1,002 +1,002 +\d+ +\d+ +2 +0\.3 USD +0\.6 USD +none published$/m,
    )
    expect(out).toMatch(/^openai: https:\/\/openai\.com\/api-priority-processing\//m)
  })

  it('prints the same as JSON, by endpoint', async () => {
    const { out } = await runCommand(serviceLevels, '--ledger', file, '--by', 'endpoint', '--json')
    expect(JSON.parse(out)).toMatchObject({
      schema: 'octroi-report-service-levels/1',
      levels: [
        {
          ...{ provider: 'openai', model: 'gpt-4', endpoint: 'chat-completions', calls: 4 },
          outcomes: { answered: 2, failed: 2 },
          ...{ availability: '0.5', verdict: 'no promise' },
        },
      ],
    })
  })
})
