import { entryOfLine, parseLine } from '../lines.ts'
import type { CallLife } from '../reading.ts'
import type { Day, SealLedger } from '../seal.ts'
import type { LineGroup } from './day-file.ts'

const callsPerPage = 1_000

/** Reads what the entries have of the calls of a day, a page at a time, in the order in which they were reserved. */
export async function* dayLives(seals: SealLedger, day: Day): AsyncGenerator<readonly CallLife[]> {
  const last = Number.MAX_SAFE_INTEGER
  for (let after: number | null = 0; after !== null; ) {
    const page = await seals.page({ day, part: 'calls', last, after, limit: callsPerPage })
    const calls = Map.groupBy(page.lines.map(parseLine), (line) => line.call_id)
    yield [...calls.values()].flatMap(([first, ...rest]) =>
      first === undefined ? [] : (lifeOf([first, ...rest]) ?? []),
    )
    after = page.after
  }
}

/** The life that the lines of a call say; null for what is of no call. */
export const lifeOf = (group: LineGroup): CallLife | null => {
  const [reserved, ...ends] = group.map(entryOfLine)
  if (reserved?.kind !== 'reserved') return null
  return { reserved, ends: ends.filter((entry): entry is CallLife['ends'][number] => 'callId' in entry) }
}
