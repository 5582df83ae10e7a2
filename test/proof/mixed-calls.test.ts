import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ledgerFile } from '../../src/gateway/data-folder.ts'
import type { Database } from '../../src/ledger/database.ts'
import { openSqlite } from '../../src/ledger/databases/sqlite.ts'
import { ledgerStore, verify } from '../../src/ledger/ledger.ts'
import { readSpend, type SpendRow } from '../../src/ledger/reading.ts'
import { formatPicos } from '../../src/money/money.ts'
import type { BilledCall } from '../../src/sandbox/books.ts'
import { startWorld, type TestWorld } from '../support/world.ts'
import { foldBy, foldByMeter } from './folds.ts'
import { mixedLoad, type Team } from './mixed-load.ts'
import { doAll, longForm } from './work.ts'

const thousands = longForm ? 5 : 1
const teamNames = ['search', 'support', 'research', 'product', 'sales']
const refusals = 12
const everything = { from: Number.MIN_SAFE_INTEGER, to: Number.MAX_SAFE_INTEGER }

let world: TestWorld
let ledger: Database
let rows: readonly SpendRow[]
/** The team whose client was told an id: of a completion, or of a run. */
const teamOfId = new Map<string, string>()

/** The work is done once; every test below reads what it left behind. */
beforeAll(async () => {
  const limits = [{ name: 'all', measure: 'cost', cap: '100000', window: { calendar: 'month' } }]
  world = await startWorld({ config: { limits } })
  const teams: Team[] = []
  for (const name of teamNames) teams.push({ name, client: await world.client(name) })

  const pieces = mixedLoad(teams, thousands)
  expect(pieces.reduce((sum, { billed }) => sum + billed, 0)).toBe(1_000 * thousands)
  const work = pieces.map(({ team, run }) => async () => {
    for (const id of await run()) teamOfId.set(id, team)
  })
  const refused = Array.from({ length: refusals }, (_, index) => () => refusedCall(teams, index))
  await doAll([...refused, ...work], 16)

  ledger = await openSqlite({ file: ledgerFile(world.folder), stores: [ledgerStore], readOnly: true })
  rows = await readSpend(ledger, everything)
}, 120_000)

afterAll(async () => {
  await ledger.close()
  await world.close()
})

/** A call that the vendor refuses, because it asks for a longer reply than the model gives: it bills nothing. */
const refusedCall = async (teams: readonly Team[], index: number): Promise<void> => {
  const asked = teams[index % teams.length]?.client.chat.completions.create({
    model: 'gpt-4-1106-preview',
    messages: [{ role: 'user', content: `Refuse me, ${index}` }],
    max_tokens: 4_097,
  })
  await expect(asked).rejects.toMatchObject({ status: 400 })
}

describe(`${1_000 * thousands} mixed calls`, () => {
  it('are in the ledger as they are in the books of the vendor, per model and meter, to the last unit', () => {
    const booked = world.sandbox.books().map(({ model, meter, quantity, amount, currency }) => ({
      model,
      meter,
      quantity: `${quantity}`,
      amount,
      currency,
    }))
    expect(foldByMeter(rows)).toEqual(booked)
    expect(booked.length).toBe(20)
    expect(world.sandbox.total().unpriced).toEqual([])
  })

  it('are as many on both sides; the refused ones are in the ledger with no charge', () => {
    expect(world.sandbox.total().calls).toBe(1_000 * thousands)
    const calls = rows.flatMap((row) => (row.meter === null ? [row] : []))
    expect(calls.reduce((sum, row) => sum + row.calls, 0)).toBe(1_000 * thousands + refusals)
    expect(calls.reduce((sum, row) => sum + row.unpriced, 0)).toBe(0)
  })

  it('are billed to the team that was answered', () => {
    const told = new Map<string, number>()
    for (const call of world.sandbox.calls()) {
      const team = teamOfId.get(call.id)
      if (call.wire === 'chat-completions') expect(call.user).toBe(team)
      for (const [meter, quantity] of usesOf(call)) {
        const name = JSON.stringify([team, call.wire, call.model, meter])
        told.set(name, (told.get(name) ?? 0) + quantity)
      }
    }
    const billed = foldBy(rows, ({ team, endpoint, model }) => [team, endpoint, model])
    expect(Object.fromEntries(billed.map(({ name, quantity }) => [name, quantity]))).toEqual(
      Object.fromEntries([...told].map(([name, quantity]) => [name, `${quantity}`])),
    )
  })

  it('leave nothing held, and the limit has counted what the vendor bills', () => {
    const { amount } = world.sandbox.total()
    const [limit] = world.gateway.limits()
    expect(limit).toMatchObject({ held: 0n, unresolved: 0n, over: 0n })
    expect(formatPicos(limit?.settled ?? 0n)).toBe(amount)
    const till = world.till.reduce((sum, { cost }) => sum + cost, 0n)
    expect(formatPicos(till)).toBe(amount)
    expect(world.faults).toEqual([])
  })

  it('add up to what the ledger kept, when every entry is folded anew', async () => {
    expect(await verify(ledger)).toMatchObject({
      agrees: true,
      differences: [],
      calls: 1_000 * thousands + refusals,
      entries: 2 * (1_000 * thousands + refusals),
    })
  })
})

const usesOf = ({ usage }: BilledCall): readonly (readonly [string, number])[] => Object.entries(usage)
