import type { Database } from '../database.ts'
import type { Day } from '../seal.ts'

/** Brings every sealed day that is not there yet into the rollups, in steps small enough that calls are not kept waiting.
 * What a crash or `signal` ends goes on where it was. */
export const rollDays = async (database: Database, signal?: AbortSignal): Promise<void> => {
  for (const day of await database.call<readonly Day[]>('ledger', 'daysToRoll', null)) {
    while (signal?.aborted !== true && (await database.call<boolean>('ledger', 'rollUp', { day }))) {
      // The next step.
    }
  }
}
