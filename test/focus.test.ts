import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { command as exportFocus } from '../src/cli/commands/export-focus.ts'
import { command as importReport } from '../src/cli/commands/import.ts'
import { withLedger } from '../src/cli/reports.ts'
import { commandRunner } from '../src/cli/run-command.fixture.ts'
import { ledgerFile, openDataFolder } from '../src/gateway/data-folder.ts'
import { openLedger, verify } from '../src/ledger/ledger.ts'
import { readSpend, type SpendRow } from '../src/ledger/reading.ts'
import { pruneDays, sealDays } from '../src/ledger/sealed/sealing.ts'
import { add, compare, type Rational, rational, subtract, zero } from '../src/money/rational.ts'
import { meterFacts } from '../src/usage/meter.ts'
import { exactQuantity } from '../src/usage/usage.ts'
import { generatedBook } from './support/generated-calls.ts'
import { loadVariedLedger } from './support/varied-ledger.ts'
import { startWorld } from './support/world.ts'

/** FOCUS of a ledger that has everything that can be in one: by command and over HTTP, of days that are in files, and
 * read back into an empty ledger. */

const run = commandRunner(exportFocus, importReport)
const dayMs = 86_400_000
const days = 4
const from = Date.parse('2026-08-01')
const period = ['--from', '2026-08-01', '--to', '2026-08-07']

let home: string
let here: string
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'octroi-focus-'))
  here = join(home, 'here')
  const { database } = await openDataFolder(here)
  await loadVariedLedger(openLedger(database), { calls: 800, from, days, book: await generatedBook() })
  await database.close()
}, 60_000)
afterAll(() => rm(home, { recursive: true }))

/** What the command writes to standard output: exit code 4 says that something had no price. */
const exported = async (format: string, version: string): Promise<string> => {
  const words = ['--ledger', ledgerFile(here), ...period, '--tags', 'feature,customer,organization']
  const { exit, out, err } = await run([
    ...['export', 'focus', ...words, '--format', format, '--focus-version', version],
  ])
  expect([exit, err]).toEqual([4, expect.stringContaining('no rule is broken')])
  return out
}

const forms = ['csv', 'jsonl'].flatMap((format) => ['1.4', '1.2'].map((version) => ({ format, version })))

/** What is exported over HTTP by a gateway on the data folder. */
const overHttp = async (): Promise<readonly string[]> => {
  const world = await startWorld({ folder: here, gateway: { controlPort: 0 }, at: '2026-08-10T00:00:00Z' })
  const { controlUrl, controlToken } = world.gateway
  const texts: string[] = []
  try {
    for (const { format, version } of forms) {
      const query = `from=2026-08-01&to=2026-08-07&format=${format}&version=${version}`
      const url = `${controlUrl}/octroi/v1/exports/focus?${query}&tags=feature,customer,organization`
      const reply = await fetch(url, { headers: { authorization: `Bearer ${controlToken}` } })
      texts.push(await reply.text())
    }
  } finally {
    await world.close()
  }
  return texts
}

type Sum = { amount: bigint; quantity: Rational; rows: number }

const modelOfCredits = 'imported-4'

/** What was spent by model, team, project, day and meter, where it had a price. */
const spent = (folder: string): Promise<ReadonlyMap<string, Sum>> =>
  withLedger({ ledger: ledgerFile(folder) }, async (database) => {
    expect((await verify(database)).agrees).toBe(true)
    const sums = new Map<string, Sum>()
    for (const row of await readSpend(database, { from: 0, to: Number.MAX_SAFE_INTEGER })) {
      if (row.meter === null || !row.priced || isNothing(row)) continue
      const { organization, team, project, provider, model, currency, hour, meter } = row
      const named = [organization, team, project, provider, model, currency, Math.floor(hour / dayMs)]
      // A credit is an amount of no use.
      const key = JSON.stringify([...named, model === modelOfCredits ? 'credit' : meter])
      const sum = sums.get(key) ?? { amount: 0n, quantity: zero, rows: 0 }
      sums.set(key, sum)
      sum.amount += row.amount
      if (model !== modelOfCredits) sum.quantity = add(sum.quantity, exactQuantity(meter, row.quantity))
      sum.rows += 1
    }
    return sums
  })

const isNothing = (row: Extract<SpendRow, { readonly priced: boolean }>): boolean =>
  row.amount === 0n && exactQuantity(row.meter, row.quantity).numerator === 0n

describe('FOCUS', () => {
  it.each(['csv', 'jsonl'])(
    'is read back from %s to the unit, by model, team, day and meter, and once',
    async (format) => {
      const file = join(home, `export.${format}`)
      await writeFile(file, await exported(format, '1.4'))
      const there = join(home, `back-${format}`)
      const words = ['import', 'focus', '--file', file, '--cost', 'effective', '--data', there, '--json']
      const { exit, err, out } = await run(words)
      expect([exit, err]).toEqual([0, ''])
      expect(JSON.parse(out)).toMatchObject({ repeated: 0, replaced: 0, repeatedRows: 0 })

      const [before, after] = [await spent(here), await spent(there)]
      expect(before.size).toBeGreaterThan(500)
      expect([...after.keys()].sort()).toEqual([...before.keys()].sort())
      for (const [key, { amount, quantity, rows }] of before) {
        const back = after.get(key)
        expect([key, back?.amount]).toEqual([key, amount])
        const apart = subtract(quantity, back?.quantity ?? zero)
        const isWhole = key.endsWith('"credit"]') || meterFacts(JSON.parse(key).at(-1)).whole
        // An export rounds fractions to 10^-18.
        const most = isWhole ? zero : rational(BigInt(rows), 10n ** 18n)
        expect([key, compare(apart, most) <= 0 && compare(subtract(zero, apart), most) <= 0]).toEqual([
          key,
          true,
        ])
      }

      const again = JSON.parse((await run(words)).out)
      expect(again).toMatchObject({ written: 0, replaced: 0, withdrawn: 0 })
    },
    60_000,
  )

  it('is the same, byte for byte, by command and over HTTP, and when the days are sealed and their calls in files', async () => {
    const before = await Promise.all(forms.map(({ format, version }) => exported(format, version)))
    expect(await overHttp()).toEqual(before)

    const { database, sealedFolder: folder } = await openDataFolder(here)
    const at = Date.parse('2026-12-01')
    await sealDays(database, { folder, at, afterHours: 48 })
    const sealed = await Promise.all(forms.map(({ format, version }) => exported(format, version)))
    const pruned = await pruneDays(database, { folder, at, keepDays: 30 })
    await database.close()
    expect(pruned.days).toHaveLength(days)
    expect(pruned.days.every(({ calls }) => calls > 50)).toBe(true)
    const after = await Promise.all(forms.map(({ format, version }) => exported(format, version)))
    for (const [index] of forms.entries()) {
      expect(sealed[index] === before[index]).toBe(true)
      expect(after[index] === before[index]).toBe(true)
    }
    expect(await overHttp()).toEqual(before)
  }, 60_000)
})
