import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { exampleReservation, exampleSettlement } from '../../test/conformance/ledger.ts'
import { parseInstant } from '../time.ts'
import { openSqlite } from './databases/sqlite.ts'
import { deferReservations } from './deferred-reservations.ts'
import { type Ledger, ledgerStore, openLedger, verify } from './ledger.ts'

const folder = mkdtempSync(join(tmpdir(), 'octroi-deferred-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let files = 0

const open = async () => {
  const database = await openSqlite({ file: join(folder, `${files++}.sqlite`), stores: [ledgerStore] })
  const written = openLedger(database)
  return { database, written, ledger: deferReservations(written) }
}

const entries = async (opened: { database: Parameters<typeof verify>[0] }): Promise<number> => {
  const { agrees, entries } = await verify(opened.database)
  expect(agrees).toBe(true)
  return entries
}

describe('a ledger that defers reservations', () => {
  it('writes a reservation with its settlement, and nothing before', async () => {
    const opened = await open()
    expect(await opened.ledger.reserve(exampleReservation('a'))).toBe('done')
    expect(await entries(opened)).toBe(0)
    expect(await opened.ledger.settle(exampleSettlement('a'))).toBe('done')
    expect(await entries(opened)).toBe(2)
    expect(await opened.written.balances()).toMatchObject([{ settled: 25n, held: 0n, unresolved: 0n }])
    await opened.ledger.close()
  })

  it('writes a reservation with its release', async () => {
    const opened = await open()
    await opened.ledger.reserve(exampleReservation('a'))
    expect(await opened.ledger.release({ callId: 'a', at: 0, reason: 'not sent' })).toBe('done')
    expect(await entries(opened)).toBe(2)
    expect(await opened.ledger.settle(exampleSettlement('a'))).toBe('conflict')
    await opened.ledger.close()
  })

  it.each<[string, (ledger: Ledger) => Promise<unknown>]>([
    ['renewed', (ledger) => ledger.renew({ callIds: ['a'], until: parseInstant('2023-11-15T13:00:00Z') })],
    ['asked for', (ledger) => ledger.unended('a')],
    ['summed up', (ledger) => ledger.balances()],
  ])('writes what is still held when calls are %s, and settles it once', async (_, ask) => {
    const opened = await open()
    await opened.ledger.reserve(exampleReservation('a'))
    await ask(opened.ledger)
    expect(await entries(opened)).toBe(1)
    expect(await opened.ledger.settle(exampleSettlement('a'))).toBe('done')
    expect(await opened.ledger.settle(exampleSettlement('a'))).toBe('repeated')
    expect(await entries(opened)).toBe(2)
    await opened.ledger.close()
  })

  it('expires a call that was let go of: it stays counted at its most', async () => {
    const opened = await open()
    await opened.ledger.reserve(exampleReservation('a'))
    const expired = await opened.ledger.expire(parseInstant('2023-11-15T12:01:00Z'))
    expect(expired.map(({ call }) => call.id)).toEqual(['a'])
    expect(await opened.ledger.balances()).toMatchObject([{ settled: 0n, held: 0n, unresolved: 60n }])
    expect(await opened.ledger.settle(exampleSettlement('a'))).toBe('late')
    await opened.ledger.close()
  })

  it('settles once where a call ends while all that is held is written', async () => {
    const opened = await open()
    const ids = Array.from({ length: 50 }, (_, id) => `${id}`)
    for (const id of ids) await opened.ledger.reserve(exampleReservation(id))
    const all = await Promise.all([
      ...ids.slice(0, 25).map((id) => opened.ledger.settle(exampleSettlement(id))),
      opened.ledger.unended('49'),
      ...ids.slice(25).map((id) => opened.ledger.settle(exampleSettlement(id))),
    ])
    expect(all.filter((outcome) => outcome === 'done')).toHaveLength(50)
    expect(await entries(opened)).toBe(100)
    await opened.ledger.close()
  })

  it('keeps the first reservation of an id', async () => {
    const opened = await open()
    await opened.ledger.reserve(exampleReservation('a'))
    expect(await opened.ledger.reserve(exampleReservation('a', 61n))).toBe('conflict')
    await opened.ledger.close()
  })

  it('writes what is still held when it closes', async () => {
    const opened = await open()
    await opened.ledger.reserve(exampleReservation('a'))
    await opened.ledger.close()
    const again = openLedger(
      await openSqlite({ file: join(folder, `${files - 1}.sqlite`), stores: [ledgerStore] }),
    )
    expect((await again.unended('a'))?.call.id).toBe('a')
    await again.close()
  })
})
