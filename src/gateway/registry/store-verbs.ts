import type { AccrualOwner } from '../../ledger/accrual.ts'
import type { Connection, Verb } from '../../ledger/database.ts'
import type { Instant } from '../../time.ts'
import { text, whole } from './cells.ts'

/** A vector store that is kept at a vendor: its bytes as they were last seen, and when it ends by itself. */
export type KeptStore = {
  readonly upstream: string
  readonly id: string
  readonly bytes: number
  readonly endsAt: Instant | null
  readonly pricesFrom: string
  readonly endpoint: string
  readonly owner: AccrualOwner
}

/** The first owner of a store stays its owner, and it keeps its place in the order. */
const putStore = (connection: Connection, store: KeptStore): void => {
  connection.run(
    `INSERT INTO registry_vector_store (upstream, id, bytes, ends_at, prices_from, endpoint, owner)
     VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (upstream, id) DO UPDATE SET bytes = excluded.bytes, ends_at = excluded.ends_at`,
    store.upstream,
    store.id,
    store.bytes,
    store.endsAt,
    store.pricesFrom,
    store.endpoint,
    JSON.stringify(store.owner),
  )
}

const dropStore = (connection: Connection, { upstream, id }: Pick<KeptStore, 'upstream' | 'id'>): void => {
  connection.run('DELETE FROM registry_vector_store WHERE upstream = ? AND id = ?', upstream, id)
}

/** All stores, in the order in which they were first seen. */
const stores = (connection: Connection): readonly KeptStore[] =>
  connection.all('SELECT * FROM registry_vector_store ORDER BY number').map((row) => ({
    upstream: text(row, 'upstream') ?? '',
    id: text(row, 'id') ?? '',
    bytes: whole(row, 'bytes') ?? 0,
    endsAt: whole(row, 'ends_at'),
    pricesFrom: text(row, 'prices_from') ?? '',
    endpoint: text(row, 'endpoint') ?? '',
    owner: JSON.parse(text(row, 'owner') ?? '{}') as AccrualOwner,
  }))

/** The verbs of vector stores. */
export const storeVerbs = { putStore, dropStore, stores } satisfies Record<string, Verb>
