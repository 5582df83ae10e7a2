import { bundledBook } from '../../src/cli/bundled.ts'
import { type Accruals, createAccruals, type Kept, type Use } from '../../src/gateway/accruals/accruals.ts'
import { openSqlite } from '../../src/ledger/databases/sqlite.ts'
import { ledgerStore, openLedger, verify } from '../../src/ledger/ledger.ts'
import { type AccruedRow, readAccrued } from '../../src/ledger/reading.ts'
import { createAdmission } from '../../src/limits/admit.ts'
import { parseLimit } from '../../src/limits/parse-limit.ts'
import type { PriceBook } from '../../src/pricing/price-book.ts'
import type { Instant } from '../../src/time.ts'

/** 2^30 bytes. */
export const gigabyte = 2 ** 30

const owner = {
  ...{ key: 'key_1', organization: null, team: 'search', project: null, environment: null, endUser: null },
  tags: {},
}

const standing = { owner, upstream: 'openai', pricesFrom: 'openai', endpoint: 'assistants', attributes: {} }

/** A call of the code interpreter in a thread. */
export const toolCall = (id: string, at: Instant, holder = 'thread_1'): Use => ({
  ...{ ...standing, meter: 'code_interpreter_session', holder, conversation: holder },
  ...{ id, at, seconds: 3_600 },
})

/** A gigabyte that an assistant keeps for retrieval. */
export const kept = (object: string, at: Instant, more: Partial<Kept> = {}): Kept => ({
  ...{ ...standing, meter: 'retrieval_gb_day', holder: 'asst_1', object, bytes: gigabyte, at },
  ...more,
})

/** A keeper over a ledger's file, with the bundled prices and one limit of 0.50 USD a month. `now` is the clock. */
export const openKeeper = async (
  file: string,
  { now, book }: { readonly now: () => Instant; readonly book?: PriceBook },
) => {
  const database = await openSqlite({ file, stores: [ledgerStore] })
  const ledger = openLedger(database)
  const limits = [parseLimit({ name: 'all', measure: 'cost', cap: '0.50', window: { calendar: 'month' } })]
  const admission = createAdmission(limits, await ledger.balances())
  const accruals: Accruals = createAccruals({
    ledger,
    admission,
    book: book ?? (await bundledBook()),
    clock: { now },
  })
  const entries = async (): Promise<readonly AccruedRow[]> => {
    const all: AccruedRow[] = []
    for await (const page of readAccrued(database, { from: 0, to: Number.MAX_SAFE_INTEGER }))
      all.push(...page)
    return all
  }
  return { accruals, ledger, admission, entries, verify: () => verify(database), close: ledger.close }
}

/** What entries come to, and what they would without promotions. */
export const sumOf = (
  entries: readonly AccruedRow[],
): { readonly amount: bigint; readonly list: bigint } => ({
  amount: entries.flatMap(({ charges }) => charges).reduce((sum, { amount }) => sum + amount, 0n),
  list: entries.reduce((sum, { list }) => sum + list, 0n),
})
