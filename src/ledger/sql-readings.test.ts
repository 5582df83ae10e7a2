import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { exampleUse } from '../../test/conformance/accruals.ts'
import {
  exampleCall,
  exampleCharge,
  exampleReservation,
  exampleSettlement,
} from '../../test/conformance/ledger.ts'
import type { Charge } from '../pricing/price.ts'
import { parseInstant } from '../time.ts'
import type { Database } from './database.ts'
import { openSqlite } from './databases/sqlite.ts'
import { openConnection } from './databases/sqlite-connection.ts'
import type { StoredEntry } from './entry.ts'
import { entriesAfter } from './entry-rows.ts'
import { ledgerStore, openLedger } from './ledger.ts'
import { type CallRow, readAccrued, readCalls } from './reading.ts'

const folder = mkdtempSync(join(tmpdir(), 'octroi-readings-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let files = 0
const newFile = (): string => join(folder, `${files++}.sqlite`)

const noon = parseInstant('2023-11-15T12:00:00Z')
const hour = 3_600_000
const always = { from: 0, to: Number.MAX_SAFE_INTEGER }
const list = { unitPrice: '60', per: 1_000_000, price: 'price-list' }
const cheaper: Charge = { ...exampleCharge(25n), list }

/** The calls of a period, found in the entries one by one. */
const callsOf = (
  entries: readonly StoredEntry[],
  asked: {
    readonly from: number
    readonly to: number
    readonly promoted: boolean
    readonly conversations?: readonly (string | null)[]
  },
): readonly CallRow[] =>
  entries.flatMap((settlement) => {
    const { from, to, promoted, conversations } = asked
    if (settlement.kind !== 'settled' && settlement.kind !== 'adjusted') return []
    if (entries.some((entry) => 'corrects' in entry && entry.corrects === settlement.sequence)) return []
    if (promoted && settlement.charges.every((charge) => charge.list === undefined)) return []
    const reserved = entries.find((entry) => entry.kind === 'reserved' && entry.call.id === settlement.callId)
    if (reserved?.kind !== 'reserved' || reserved.call.at < from || reserved.call.at >= to) return []
    const conversation = settlement.conversation ?? reserved.call.conversation
    if (conversations?.includes(conversation) === false) return []
    return [{ call: { ...reserved.call, conversation }, settlement }]
  })

const entriesOf = (file: string): readonly StoredEntry[] => {
  const connection = openConnection({ file, readOnly: true })
  const entries = entriesAfter(connection, { after: 0, limit: 1_000 })
  connection.close()
  return entries
}

const readIn = async (database: Database, asked: object, limit: number): Promise<readonly CallRow[]> => {
  const all: CallRow[] = []
  for (let after = 0; ; ) {
    const calls: readonly CallRow[] = await database.call('ledger', 'calls', { ...asked, after, limit })
    all.push(...calls)
    if (calls.length < limit) return all
    after = calls.at(-1)?.settlement.sequence ?? after
  }
}

describe('the calls of a period', () => {
  const step = fc.record({
    verb: fc.constantFrom('reserve', 'reserve', 'settle', 'settle', 'adjust', 'release', 'expire'),
    id: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    charges: fc.constantFrom([], [exampleCharge(25n)], [exampleCharge(9n), cheaper]),
    late: fc.integer({ min: 0, max: 3 }),
    conversation: fc.constantFrom(undefined, 'conversation_2'),
  })

  it('are those of the entries, one by one, in pages of whatever size', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 30 }),
        fc.record({
          limit: fc.integer({ min: 1, max: 4 }),
          promoted: fc.boolean(),
          hours: fc.nat(3),
          only: fc.constantFrom({}, { conversations: ['conversation_2'] }, { conversations: [] }),
        }),
        async (steps, { limit, promoted, hours, only }) => {
          const file = newFile()
          const database = await openSqlite({ file, stores: [ledgerStore] })
          const ledger = openLedger(database)
          for (const { verb, id, charges, late, conversation } of steps) {
            const more = { charges, ...(conversation !== undefined && { conversation }) }
            const better = exampleSettlement(id, 25n, more)
            if (verb === 'reserve') {
              const call = exampleCall(id, { at: noon + late * hour })
              await ledger.reserve({ ...exampleReservation(id), call })
            } else if (verb === 'settle') await ledger.settle(better)
            else if (verb === 'release') await ledger.release({ callId: id, at: noon, reason: 'not sent' })
            else if (verb === 'expire') await ledger.expire(noon + late * 30_000)
            else {
              const stands = callsOf(entriesOf(file), { ...always, promoted: false })
              const corrects = stands.find(({ call }) => call.id === id)?.settlement.sequence ?? 1
              await ledger.adjust({ ...better, corrects })
            }
          }
          const asked = { from: noon, to: noon + hours * hour, promoted, ...only }
          const expected = callsOf(entriesOf(file), asked)
          expect(await readIn(database, asked, limit)).toEqual(expected)
          await ledger.close()
        },
      ),
      { numRuns: 30 },
    )
  })
})

describe('what promotions made cheaper', () => {
  const promoted = { ...always, promoted: true }
  const readPromoted = async (database: Database): Promise<readonly [number, number]> => {
    let [calls, entries] = [0, 0]
    for await (const page of readCalls(database, promoted)) calls += page.length
    for await (const page of readAccrued(database, promoted)) entries += page.length
    return [calls, entries]
  }

  it('is nothing of a ledger in which no price has a list price above it', async () => {
    const database = await openSqlite({ file: newFile(), stores: [ledgerStore] })
    const ledger = openLedger(database)
    await ledger.reserve(exampleReservation('a'))
    await ledger.settle(
      exampleSettlement('a', 25n, { charges: [{ ...exampleCharge(25n), source: 'a list' }] }),
    )
    await ledger.accruals.use(exampleUse('a', noon))
    expect(await readPromoted(database)).toEqual([0, 0])
    await ledger.close()
  })

  it('is the calls that had such a price, and all that accrued', async () => {
    const database = await openSqlite({ file: newFile(), stores: [ledgerStore] })
    const ledger = openLedger(database)
    for (const id of ['a', 'b']) await ledger.reserve(exampleReservation(id))
    await ledger.settle(exampleSettlement('a'))
    await ledger.settle(exampleSettlement('b', 25n, { charges: [cheaper] }))
    await ledger.accruals.use(exampleUse('a', noon))
    expect(await readPromoted(database)).toEqual([1, 1])
    await ledger.close()
  })
})
