import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { exampleCall, exampleReservation, exampleSettlement } from '../../../test/conformance/ledger.ts'
import { startWorld } from '../../../test/support/world.ts'
import type { Database } from '../../ledger/database.ts'
import { openSqlite } from '../../ledger/databases/sqlite.ts'
import { ledgerStore, openLedger } from '../../ledger/ledger.ts'
import { parsePicos } from '../../money/money.ts'
import { billPolicy } from '../../reports/bill/page.ts'
import { parseInstant } from '../../time.ts'
import { reports } from './registry.ts'

const folder = mkdtempSync(join(tmpdir(), 'octroi-bill-'))
let database: Database

/** A call of 2023-11-15, and one of the last half hour of November in Paris. */
beforeAll(async () => {
  const file = join(folder, 'ledger.sqlite')
  const ledger = openLedger(await openSqlite({ file, stores: [ledgerStore] }))
  for (const [id, at] of [
    ['a', '2023-11-15T12:00:00Z'],
    ['b', '2023-11-30T22:30:00Z'],
    ['c', '2023-11-30T23:30:00Z'],
  ] as const) {
    const call = exampleCall(id, { at: parseInstant(at) })
    await ledger.reserve({ ...exampleReservation(id, 60n, []), call })
    await ledger.settle(exampleSettlement(id, parsePicos('0.1'), { tier: null }))
  }
  const days = { from: parseInstant('2023-11-01'), to: parseInstant('2023-12-01') }
  const totals = [{ currency: 'USD', amount: parsePicos('0.3') }]
  await ledger.closePeriod({ ...days, at: days.to, provider: 'openai', totals, note: null })
  await ledger.close()
  database = await openSqlite({ file, stores: [ledgerStore], readOnly: true })
})
afterAll(async () => {
  await database.close()
  rmSync(folder, { recursive: true })
})

const ask = (name: string, query: Readonly<Record<string, string>>) => {
  const report = reports.find((each) => each.name === name)
  const clock = { now: () => parseInstant('2023-11-20') }
  const settings = { allocation: null, book: null, promises: [] }
  return report?.answerTo({ database, sealed: null, clock }, query, settings)
}

describe('the bill over HTTP', () => {
  it('is of the month that runs, unless a period is named', async () => {
    expect(await ask('bill', {})).toMatchObject({
      ...{ from: '2023-11-01T00:00:00Z', to: '2023-12-01T00:00:00Z', state: 'closed' },
      closed: [{ provider: 'openai', closedAt: '2023-12-01T00:00:00Z' }],
      total: { totals: [{ amount: '0.3', calls: 3 }] },
    })
  })

  it('has the days of a zone', async () => {
    expect(await ask('bill', { month: '2023-11', zone: 'Europe/Paris' })).toMatchObject({
      ...{ from: '2023-10-31T23:00:00Z', to: '2023-11-30T23:00:00Z' },
      total: { totals: [{ amount: '0.2', calls: 2 }] },
    })
  })

  it('is a page where that is asked for', async () => {
    expect(await ask('bill', { format: 'html', language: 'fr' })).toContain(
      '<h1>La facture de novembre 2023</h1>',
    )
  })

  it('answers as its schema says, and so do service levels', async () => {
    for (const name of ['bill', 'service-levels']) {
      const answer = reports.find((each) => each.name === name)?.answer
      const answered = await ask(name, name === 'bill' ? { month: '2023-11' } : {})
      expect(answer?.safeParse(answered).error).toBeUndefined()
    }
  })
})

describe('the control plane', () => {
  it('gives the page with its policy, and with a policy header', async () => {
    const world = await startWorld({ at: '2023-11-20T12:00:00Z', gateway: { controlPort: 0 } })
    try {
      const address = `${world.gateway.controlUrl}/octroi/v1/reports/bill?format=html&month=2023-11`
      const reply = await fetch(address)
      expect(reply.headers.get('content-type')).toMatch(/^text\/html/)
      expect(reply.headers.get('content-security-policy')).toBe(billPolicy)
      expect(await reply.text()).toContain(`content="${billPolicy}"`)
    } finally {
      await world.close()
    }
  })
})
