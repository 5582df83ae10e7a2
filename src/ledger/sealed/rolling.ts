import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '../database.ts'
import type { Day } from '../seal.ts'

/** How the sums of sealed days are written: at most so many rows of the hours in one step (or those of one owner), and how
 * long others have the ledger's writer for themselves between two steps. Larger steps are quicker in all. */
export type RollSteps = { readonly rowsMost: number; readonly pauseMs: number }

/** Where nobody else uses the ledger. */
export const wholeHours: RollSteps = { rowsMost: 20_000, pauseMs: 0 }

/** Brings every sealed day that is not there yet into the rollups, step by step. What a crash or `signal` ends goes on
 * where it was. */
export const rollDays = async (
  database: Database,
  { rowsMost, pauseMs }: RollSteps,
  signal?: AbortSignal,
): Promise<void> => {
  for (const day of await database.call<readonly Day[]>('ledger', 'daysToRoll', null)) {
    while (
      signal?.aborted !== true &&
      (await database.call<boolean>('ledger', 'rollUp', { day, rowsMost }))
    ) {
      if (pauseMs > 0) await sleep(pauseMs)
    }
  }
}
