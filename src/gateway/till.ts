import type { Call, Settlement } from '../ledger/entry.ts'
import type { Picos } from '../money/money.ts'
import type { SpoolPlace } from './spool/spool-queue.ts'

/** One line of the till roll: a call that has ended, and what all calls of this process came to. */
export type TillLine = {
  readonly call: Call
  readonly settlement: Settlement
  /** Sum of the charges of this call; what could not be priced is not in it. */
  readonly cost: Picos
  readonly runningTotal: Picos
  /** Where it waits for the ledger, if that could not take it. */
  readonly spooled?: SpoolPlace
}

/** The till roll: told once a call, and asked for nothing. */
export type Till = {
  readonly ring: (call: Call, settlement: Settlement, cost: Picos, spooled?: SpoolPlace | null) => void
}

/** Rings each settled call with the running total of this process. */
export const createTill = (print: (line: TillLine) => void): Till => {
  let runningTotal = 0n
  return {
    ring: (call, settlement, cost, spooled = null) => {
      runningTotal += cost
      print({ call, settlement, cost, runningTotal, ...(spooled !== null && { spooled }) })
    },
  }
}
