import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { exampleCall, exampleReservation, exampleSettlement } from '../../../test/conformance/ledger.ts'
import type { Database } from '../../ledger/database.ts'
import { openSqlite } from '../../ledger/databases/sqlite.ts'
import { ledgerStore, openLedger } from '../../ledger/ledger.ts'
import type { Receipt, ReceiptLine } from '../../reports/receipt.ts'
import { manualClock, parseInstant } from '../../time.ts'
import { readAsked } from './asked.ts'
import { receiptRoute } from './receipt.ts'

let folder: string
let opened: Database
let readings = 0
const clock = manualClock(parseInstant('2023-11-16'))

/** The same database, which counts how often calls are read from their beginning. */
const countingReadings = (): Database => ({
  ...opened,
  call: (store, verb, asked) => {
    if (verb === 'calls' && (asked as { after: number }).after === 0) readings += 1
    return opened.call(store, verb, asked)
  },
})

const call = async (id: string): Promise<void> => {
  const ledger = openLedger(opened)
  const at = parseInstant('2023-11-15T12:00:00Z')
  await ledger.reserve({ ...exampleReservation(id, 60n, []), call: exampleCall(id, { at }) })
  await ledger.settle(exampleSettlement(id, 25n, { at: at + 2_000 }))
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'octroi-receipt-'))
  opened = await openSqlite({ file: join(folder, 'ledger.sqlite'), stores: [ledgerStore] })
  for (let index = 0; index < 25; index += 1) await call(`call_${index}`)
})
afterAll(async () => {
  await opened.close()
  await rm(folder, { recursive: true })
})

const page = (database: Database, texts: Readonly<Record<string, string>>): Promise<Receipt> =>
  receiptRoute.read({ database, sealed: null, clock }, readAsked(receiptRoute.asked, texts))

/** All pages of a receipt, one after another. */
const walk = async (database: Database, limit: string): Promise<readonly Receipt[]> => {
  const pages = [await page(database, { limit })]
  for (let next = pages[0]?.next ?? null; next !== null; next = pages.at(-1)?.next ?? null) {
    pages.push(await page(database, { limit, after: next }))
  }
  return pages
}

const linesOf = (pages: readonly Receipt[]): readonly ReceiptLine[] => pages.flatMap(({ lines }) => lines)

describe('the pages of a receipt', () => {
  it.each(['1', '7', '25', '1000'])('are those of one reading, %s lines each', async (limit) => {
    readings = 0
    const database = countingReadings()
    const whole = await page(opened, { limit: '1000' })
    const pages = await walk(database, limit)
    expect([linesOf(pages), readings]).toEqual([whole.lines, 1])
    expect(whole.lines.length).toBeGreaterThanOrEqual(25)
    expect(pages).toHaveLength(Math.ceil(whole.lines.length / Number(limit)))
    for (const { count, totals } of pages) expect([count, totals]).toEqual([whole.count, whole.totals])
  })

  it('are read once more after five minutes, and from any line on', async () => {
    readings = 0
    const database = countingReadings()
    const first = await page(database, { limit: '3' })
    const second = await page(database, { limit: '3', after: first.next ?? '' })
    clock.advance(300_000)
    expect(await page(database, { limit: '3', after: first.next ?? '' })).toEqual(second)
    expect(readings).toBe(2)
    const third = await page(countingReadings(), { limit: '3', after: second.next ?? '' })
    expect(linesOf([first, second, third])).toEqual((await page(opened, { limit: '9' })).lines)
    await expect(page(database, { after: 'call-9999-0' })).rejects.toThrow(/is not in this receipt/)
  })

  it('begin anew with the first, which has what came since', async () => {
    const database = countingReadings()
    const before = await page(database, { limit: '1' })
    await call('call_later')
    const after = await page(database, { limit: '1' })
    expect(after.count).toBe(before.count + 1)
    const other = await page(database, { limit: '1', where: 'team=nobody' })
    expect([other.count, other.next]).toEqual([0, null])
  })
})
