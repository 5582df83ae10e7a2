import type { SpoolEvent } from '../gateway/spool/spool.ts'
import { formatPicos } from '../money/money.ts'

/** What is said when calls begin to wait for the ledger, and when all of them are in it. */
export const spoolLine = ({ is, calls, amount }: SpoolEvent): string => {
  const waiting = `${calls} call${calls === 1 ? '' : 's'}, ${formatPicos(amount)} USD`
  switch (is) {
    case 'began':
      return `octroi: the ledger cannot be written; calls wait in the spool (${waiting})`
    case 'in-memory':
      return `octroi: the spool's file cannot be written either; calls wait in memory and are lost with the process (${waiting})`
    case 'posted':
      return `octroi: the ledger can be written again; the spool is posted (${waiting})`
  }
}

/** The same as data. */
export const spoolFacts = ({
  is,
  calls,
  inMemory,
  amount,
}: SpoolEvent): Readonly<Record<string, unknown>> => ({
  is,
  calls,
  inMemory,
  amount: formatPicos(amount),
})
