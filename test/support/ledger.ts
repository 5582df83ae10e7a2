import { join } from 'node:path'
import type { Database } from '../../src/ledger/database.ts'
import { openSqlite } from '../../src/ledger/databases/sqlite.ts'
import { ledgerStore } from '../../src/ledger/ledger.ts'

/** Reads the ledger of a data folder, beside the gateway that writes it. */
export const readAll = async <Row>(
  folder: string,
  pages: (database: Database) => AsyncGenerator<readonly Row[]>,
): Promise<readonly Row[]> => {
  const file = join(folder, 'ledger.sqlite')
  const reader = await openSqlite({ file, stores: [ledgerStore], readOnly: true })
  const all: Row[] = []
  for await (const page of pages(reader)) all.push(...page)
  await reader.close()
  return all
}
