import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { exampleCall, exampleReservation, exampleSettlement } from '../../test/conformance/ledger.ts'
import { parseInstant } from '../time.ts'
import { openSqlite } from './databases/sqlite.ts'
import { deferReservations } from './deferred-reservations.ts'
import { ledgerStore, openLedger } from './ledger.ts'
import { readLives } from './reading.ts'

const folder = mkdtempSync(join(tmpdir(), 'octroi-lives-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const noon = parseInstant('2023-11-15T12:00:00Z')
const open = (name: string) => openSqlite({ file: join(folder, name), stores: [ledgerStore] })

describe('the lives of calls', () => {
  it('come in the order of their reservations, each with its ends, across pages', async () => {
    const database = await open('pages.sqlite')
    const ledger = openLedger(database)
    const ids = Array.from({ length: 1_203 }, (_, index) => `call_${index}`)
    await Promise.all(
      ids.map((id, index) =>
        ledger.reserve({ ...exampleReservation(id), call: exampleCall(id, { at: noon + index }) }),
      ),
    )
    await ledger.settle(exampleSettlement('call_1', 25n))
    await ledger.release({ callId: 'call_1001', at: noon, reason: 'not sent' })
    await ledger.expire(Number.MAX_SAFE_INTEGER)
    await ledger.settle(exampleSettlement('call_2', 25n))
    const lives = []
    for await (const page of readLives(database, { from: noon + 1, to: noon + 1_202 })) lives.push(...page)
    expect(lives.map(({ reserved }) => reserved.call.id)).toEqual(ids.slice(1, -1))
    const ends = lives.map((life) => life.ends.map(({ kind }) => kind))
    expect([ends[0], ends[1], ends[1_000], ends[3]]).toEqual([
      ...[['settled'], ['expired', 'adjusted'], ['released'], ['expired']],
    ])
    await ledger.close()
  })

  it('are told one by one, also of a call whose reservation is not written yet', async () => {
    const ledger = deferReservations(openLedger(await open('one.sqlite')))
    await ledger.reserve(exampleReservation('call_1'))
    expect(await ledger.life('call_1')).toMatchObject({ reserved: { call: { id: 'call_1' } }, ends: [] })
    expect(await ledger.life('call_2')).toBeNull()
    await ledger.close()
  })
})
