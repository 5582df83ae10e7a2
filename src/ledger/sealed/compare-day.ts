import { createHash } from 'node:crypto'
import type { Difference } from '../ledger.ts'
import { formatDay, type KeptSeal } from '../seal.ts'
import { fileHashes, type HashedRow } from './day-hashes.ts'
import type { DaySource, SourceRow } from './day-source.ts'
import { withDuck } from './duck.ts'
import { hashOfRow } from './write-day.ts'

/** How many differences of a day are told. */
const differencesMax = 20

/** Compares what a day's file says with what the entries say, entry by entry. A file may have calls that the entries lack
 * where they were removed; nothing else. Also what the file says all in all must be what was sealed. */
export const compareDay = (
  source: DaySource,
  { path, seal }: { readonly path: string; readonly seal: KeptSeal },
): Promise<readonly Difference[]> =>
  withDuck({ memoryMb: 400, threads: 2 }, async (duck) => {
    const differences: Difference[] = []
    const differ = (what: string, folded: string | null, kept: string | null): void => {
      if (differences.length >= differencesMax) return
      differences.push({ where: 'sealed days', key: `${formatDay(seal.day)} ${what}`, folded, kept })
    }
    const content = createHash('sha256')
    const entries = source.rows({ day: seal.day, last: seal.lastSequence })
    let [rows, callId]: [number, string | null] = [0, null]
    try {
      let entry = next(entries)
      for await (const page of fileHashes(duck, path, source.columns)) {
        for (const row of page) {
          rows += 1
          content.update(row.hash)
          if (entry?.sequence === row.sequence) {
            const said = hashOfRow(source.columns, entry)
            if (said !== row.hash) differ(nameOf(row), row.hash, said)
            callId = entry.callId
            entry = next(entries)
          } else if (!seal.isPruned || row.callId === callId || row.callId === entry?.callId) {
            differ(nameOf(row), row.hash, null)
          }
        }
      }
      for (; entry !== null && differences.length < differencesMax; entry = next(entries)) {
        differ(`entry ${entry.sequence}`, null, hashOfRow(source.columns, entry))
      }
    } finally {
      entries.return(null)
    }
    if (rows !== seal.entries) differ('entries', `${rows}`, `${seal.entries}`)
    const said = content.digest('hex')
    if (said !== seal.content) differ('content', said, seal.content)
    return differences
  })

const next = (entries: Generator<SourceRow>): SourceRow | null => {
  const { value, done } = entries.next()
  return done === true ? null : value
}

const nameOf = ({ sequence, callId }: HashedRow): string => `entry ${sequence} of ${callId}`
