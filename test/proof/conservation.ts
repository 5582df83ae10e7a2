import { expect } from 'vitest'
import { ledgerFile } from '../../src/gateway/data-folder.ts'
import { openSqlite } from '../../src/ledger/databases/sqlite.ts'
import type { StoredEntry } from '../../src/ledger/entry.ts'
import { ledgerStore, verify } from '../../src/ledger/ledger.ts'
import { readSpend, type SpendRow } from '../../src/ledger/reading.ts'
import { formatPicos } from '../../src/money/money.ts'
import type { TestWorld } from '../support/world.ts'
import { costOf, readEntries, standings } from './entries.ts'

/** What is true of every ledger at rest, whatever came before: of each counter, cap + over = settled + held + unresolved
 * + free, as the entries fold to; the total of all calls is the sum over keys and the sum over any tag; and what the
 * ledger keeps beside its entries is what they come to. Gives the total, in 10^-12 USD. */
export const conserved = async ({
  gateway,
  folder,
}: Pick<TestWorld, 'gateway' | 'folder'>): Promise<bigint> => {
  const entries = readEntries(folder)
  for (const state of gateway.limits()) {
    const { limit, counter, measure, cap, settled, held, unresolved, free, over } = state
    expect(settled + held + unresolved + free, limit).toBe(cap + over)
    if (measure !== 'cost' || counter !== null) continue
    expect({ settled, held, unresolved }).toEqual(
      standings(entries, limit).at(-1) ?? { settled: 0n, held: 0n, unresolved: 0n },
    )
  }
  const ledger = await openSqlite({ file: ledgerFile(folder), stores: [ledgerStore], readOnly: true })
  try {
    expect(await verify(ledger)).toMatchObject({ agrees: true, differences: [] })
    const rows = await readSpend(ledger, { from: Number.MIN_SAFE_INTEGER, to: Number.MAX_SAFE_INTEGER })
    const total = rows.reduce((sum, row) => sum + amountOf(row), 0n)
    expect(sumsOfEntries(entries, ({ key }) => key)).toEqual(sumsOfRows(rows))
    for (const tag of tagsOf(entries)) {
      const sums = sumsOfEntries(entries, ({ tags }) => tags[tag] ?? null)
      expect(
        [...sums.values()].reduce((sum, amount) => sum + amount, 0n),
        tag,
      ).toBe(total)
    }
    return total
  } finally {
    await ledger.close()
  }
}

/** As `conserved`, and nothing is held, unresolved or over; the vendor bills the same total. */
export const settledWhole = async (world: TestWorld): Promise<bigint> => {
  const total = await conserved(world)
  for (const state of world.gateway.limits())
    expect(state).toMatchObject({ held: 0n, unresolved: 0n, over: 0n })
  expect(formatPicos(total)).toBe(world.sandbox.total().amount)
  expect(world.faults).toEqual([])
  return total
}

type Called = Extract<StoredEntry, { readonly kind: 'reserved' }>['call']

const amountOf = (row: SpendRow): bigint => (row.meter === null ? 0n : row.amount)

const sumsOfRows = (rows: readonly SpendRow[]): ReadonlyMap<string | null, bigint> => {
  const sums = new Map<string | null, bigint>()
  for (const row of rows) sums.set(row.key, (sums.get(row.key) ?? 0n) + amountOf(row))
  return sums
}

/** What calls came to, by something of theirs: the last word of each call counts. */
const sumsOfEntries = (
  entries: readonly StoredEntry[],
  nameOf: (call: Called) => string | null,
): ReadonlyMap<string | null, bigint> => {
  const calls = new Map<string, Called>()
  const costs = new Map<string, bigint>()
  for (const entry of entries) {
    if (entry.kind === 'reserved') calls.set(entry.call.id, entry.call)
    else if ('charges' in entry && 'callId' in entry) costs.set(entry.callId, costOf(entry))
  }
  const sums = new Map<string | null, bigint>()
  for (const [id, cost] of costs) {
    const call = calls.get(id)
    if (call === undefined) throw new Error(`${id} ended and was never reserved.`)
    const name = nameOf(call)
    sums.set(name, (sums.get(name) ?? 0n) + cost)
  }
  return sums
}

const tagsOf = (entries: readonly StoredEntry[]): ReadonlySet<string> =>
  new Set(entries.flatMap((entry) => (entry.kind === 'reserved' ? Object.keys(entry.call.tags) : [])))
