import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportFocus, type FocusAsked, focusTexts } from '../src/gateway/reporting/focus.ts'
import { parquetOfCsv } from '../src/gateway/reporting/focus-parquet.ts'
import type { FocusSource } from '../src/gateway/reporting/focus-source.ts'
import { openTextFile } from '../src/gateway/reporting/text-file.ts'
import type { CallRow, SpendAsked } from '../src/ledger/reading.ts'
import type { Charge } from '../src/pricing/price.ts'

/** Measures an export of calls in memory, each row checked: rows a second as CSV, JSON Lines and Parquet, and the most
 * memory each takes: `node bench/focus.ts [days] [csv,jsonl,parquet]`. Every call makes four rows of its own: the worst
 * that a ledger can be. Ten times the days should take the same memory. Where other work has the machine, rows a second
 * of CPU say more than rows a second. */

const days = Number(process.argv[2] ?? 10)
const wanted = process.argv[3]?.split(',') ?? ['csv', 'jsonl', 'parquet']
const callsPerDay = 24_000
const from = Date.parse('2026-10-01')
const dayMs = 86_400_000

const rates = [
  ['input_text_tokens', '2.50', 812],
  ['cached_input_tokens', '1.25', 1_536],
  ['output_text_tokens', '10', 391],
  ['output_reasoning_tokens', '10', 64],
] as const

const charges: readonly Charge[] = rates.map(([meter, unitPrice, quantity]) => {
  const picos = BigInt(Math.round(Number(unitPrice) * 1_000_000)) * BigInt(quantity)
  const exact = { numerator: picos, denominator: 10n ** 12n }
  const row = { price: `row-${meter}`, source: 'https://openai.com/api/pricing' }
  return { meter, quantity, unitPrice, per: 1_000_000, exact, amount: picos, ...row }
})

const callAt = (day: number, index: number): CallRow => {
  const at = day + Math.floor((index * dayMs) / callsPerDay)
  const [model, project] = [`model-${index % 30}`, `project-${Math.floor(index / 30) % 34}`]
  const owner = { organization: 'acme', team: 'team-7', project, environment: 'production', key: 'key_1' }
  const none = { unpriced: [], resent: null, status: 200, note: null }
  return {
    call: {
      ...{ id: `${day}-${index}`, at, provider: 'openai', model, endpoint: 'chat-completions', ...owner },
      ...{ endUser: null, conversation: null, tags: {} },
    },
    settlement: {
      ...{ kind: 'settled', sequence: index, callId: `${day}-${index}`, at, model, tier: 'default' },
      ...{ basis: 'measured', currency: 'USD', charges, bookVersion: 'book-1', ...none },
    },
  }
}

async function* callsOf({ from: day }: SpendAsked): AsyncGenerator<readonly CallRow[]> {
  for (let index = 0; index < callsPerDay; index += 1_000) {
    yield Array.from({ length: 1_000 }, (_, offset) => callAt(day, index + offset))
  }
}

async function* none(): AsyncGenerator<readonly never[]> {}

const source: FocusSource = { calls: callsOf, accrued: none, imported: none }
const asked: FocusAsked = {
  ...{ version: '1.4', from, to: from + days * dayMs },
  ...{ billingAccount: 'default', tags: [], isPromotion: () => false },
}

const folder = mkdtempSync(join(tmpdir(), 'octroi-bench-focus-'))

const writeText = async (format: keyof typeof focusTexts): Promise<{ file: string; rows: number }> => {
  const file = join(folder, `export.${format}`)
  const { write, close } = openTextFile(file)
  const { check } = await exportFocus(source, asked, focusTexts[format], write).finally(close)
  if (check.count > 0) throw new Error(JSON.stringify(check.violations[0]))
  return { file, rows: check.rows }
}

const count = (value: number, width: number): string =>
  Math.round(value).toLocaleString('en-US').padStart(width)

const formats = {
  csv: () => writeText('csv'),
  jsonl: () => writeText('jsonl'),
  parquet: async () => {
    const { file: csv, rows } = await writeText('csv')
    const parquet = join(folder, 'export.parquet')
    await parquetOfCsv({ csv, parquet }, '1.4')
    return { file: parquet, rows }
  },
}

try {
  for (const [format, write] of Object.entries(formats)) {
    if (!wanted.includes(format)) continue
    const [begun, cpu] = [performance.now(), process.cpuUsage()]
    const { file, rows } = await write()
    const seconds = (performance.now() - begun) / 1000
    const { user, system } = process.cpuUsage(cpu)
    const memory = Math.round(process.resourceUsage().maxRSS / 1024)
    const bytes = Math.round(statSync(file).size / rows)
    console.log(
      `${format.padEnd(8)}${count(rows, 12)} rows ${seconds.toFixed(1).padStart(6)} s ${count(rows / seconds, 10)} rows/s ${count((rows * 1e6) / (user + system), 10)} rows/s of CPU ${count(bytes, 5)} B/row ${count(memory, 5)} MB at most so far`,
    )
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
