import { ledgerFile } from '../../src/gateway/data-folder.ts'
import { openConnection } from '../../src/ledger/databases/sqlite-connection.ts'
import type { StoredEntry } from '../../src/ledger/entry.ts'
import { entriesAfter } from '../../src/ledger/entry-rows.ts'

/** Every entry of the ledger in a data folder, in order. Disturbs nobody who writes it. */
export const readEntries = (folder: string): readonly StoredEntry[] => {
  const connection = openConnection({ file: ledgerFile(folder), readOnly: true })
  try {
    const entries: StoredEntry[] = []
    for (;;) {
      const some = entriesAfter(connection, { after: entries.at(-1)?.sequence ?? 0, limit: 1_000 })
      if (some.length === 0) return entries
      entries.push(...some)
    }
  } finally {
    connection.close()
  }
}

/** How often something was written a second time with another content. */
export const countConflicts = (folder: string): number => {
  const connection = openConnection({ file: ledgerFile(folder), readOnly: true })
  try {
    return Number(connection.get('SELECT count(*) AS times FROM conflicts')?.['times'])
  } finally {
    connection.close()
  }
}

/** What a limit counts, in 10^-12 of its currency. */
export type Standing = { readonly settled: bigint; readonly held: bigint; readonly unresolved: bigint }

/** Where a limit stood after each entry, folded here in plain code. */
export const standings = (entries: readonly StoredEntry[], limit: string): readonly Standing[] => {
  const held = new Map<string, bigint>()
  const cost = new Map<string, bigint>()
  let now: Standing = { settled: 0n, held: 0n, unresolved: 0n }
  return entries.map((entry) => {
    if (entry.kind === 'reserved') {
      const hold = entry.holds.find((each) => each.limit === limit)
      if (hold === undefined) return now
      held.set(entry.call.id, hold.amount)
      now = { ...now, held: now.held + hold.amount }
      return now
    }
    if (entry.kind === 'accrued') {
      const more = entry.counts.find((each) => each.limit === limit)?.amount ?? 0n
      now = { ...now, settled: now.settled + more }
      return now
    }
    if (entry.kind === 'imported' || entry.kind === 'closed') return now
    const amount = held.get(entry.callId)
    if (amount === undefined) return now
    const before = cost.get(entry.callId)
    if ('charges' in entry) cost.set(entry.callId, costOf(entry))
    if (before !== undefined && 'charges' in entry) {
      now = { ...now, settled: now.settled - before + costOf(entry) }
      return now
    }
    const from = 'corrects' in entry && entry.corrects !== null ? 'unresolved' : 'held'
    now = { ...now, [from]: now[from] - amount }
    if (entry.kind === 'expired') now = { ...now, unresolved: now.unresolved + amount }
    if ('charges' in entry) now = { ...now, settled: now.settled + costOf(entry) }
    return now
  })
}

/** What a settled call came to. */
export const costOf = ({ charges }: { readonly charges: readonly { readonly amount: bigint }[] }): bigint =>
  charges.reduce((sum, { amount }) => sum + amount, 0n)
