import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqlite } from '../src/ledger/databases/sqlite.ts'
import type { Reservation, Settlement } from '../src/ledger/entry.ts'
import { ledgerStore, openLedger, verify } from '../src/ledger/ledger.ts'

/** Measures durable entries a second, one by one and in groups: `node bench/ledger.ts`. About 10 seconds. */

const secondsPerRun = 2.5
const at = Date.parse('2023-11-15T12:00:00Z')
const windowStart = Date.parse('2023-11-01')

const reservation = (id: string): Reservation => ({
  call: {
    id,
    at,
    provider: 'openai',
    model: 'gpt-4-1106-preview',
    endpoint: 'chat-completions',
    key: `key_${Number(id) % 20}`,
    organization: 'acme',
    team: `team_${Number(id) % 5}`,
    project: null,
    environment: 'production',
    endUser: null,
    conversation: `conversation_${Number(id) % 200}`,
    tags: {},
  },
  currency: 'USD',
  most: 52_500_000_000n,
  holds: [{ limit: 'all', windowStart, amount: 52_500_000_000n }],
  leaseUntil: at + 60_000,
})

const settlement = (id: string): Settlement => ({
  callId: id,
  at: at + 1_000,
  model: 'gpt-4-1106-preview',
  tier: 'default',
  basis: 'measured',
  currency: 'USD',
  charges: [
    {
      meter: 'input_text_tokens',
      quantity: 1_250,
      unitPrice: '10',
      per: 1_000_000,
      exact: { numerator: 1n, denominator: 80n },
      amount: 12_500_000_000n,
      price: 'input',
      source: 'bench',
    },
    {
      meter: 'output_text_tokens',
      quantity: 200,
      unitPrice: '30',
      per: 1_000_000,
      exact: { numerator: 3n, denominator: 500n },
      amount: 6_000_000_000n,
      price: 'output',
      source: 'bench',
    },
  ],
  unpriced: [],
  resent: { tokens: 1_000, amount: 10_000_000_000n, exact: true },
  status: 200,
  note: null,
  bookVersion: 'bench',
})

const folder = mkdtempSync(join(tmpdir(), 'octroi-bench-'))
const database = await openSqlite({ file: join(folder, 'ledger.sqlite'), stores: [ledgerStore] })
const ledger = openLedger(database)
let ids = 0

for (const together of [1, 10, 100]) {
  const start = performance.now()
  const first = ids
  const waits: number[] = []
  while (performance.now() - start < secondsPerRun * 1_000) {
    const group = Array.from({ length: together }, () => String(ids++))
    const sent = performance.now()
    await Promise.all(group.map((id) => ledger.reserve(reservation(id))))
    waits.push(performance.now() - sent)
    await Promise.all(group.map((id) => ledger.settle(settlement(id))))
  }
  const seconds = (performance.now() - start) / 1_000
  const entries = Math.round(((ids - first) * 2) / seconds)
  const median = waits.sort((a, b) => a - b)[Math.floor(waits.length / 2)] ?? 0
  console.log(
    `${String(together).padStart(3)} at once: ${entries.toLocaleString('en')} durable entries a second, a reservation waits ${median.toFixed(2)} ms`,
  )
}

const start = performance.now()
const { agrees, entries } = await verify(database)
const seconds = (performance.now() - start) / 1_000
console.log(
  `verify: ${agrees ? 'agrees' : 'DIFFERS'}, ${Math.round(entries / seconds).toLocaleString('en')} entries a second`,
)
await ledger.close()
rmSync(folder, { recursive: true, force: true })
