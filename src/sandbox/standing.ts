import { formatInstant } from '../time.ts'
import { expireStores } from './assistants-v2/stores.ts'
import { type VectorCharge, vectorCharge, vectorMeter, vectorRow } from './assistants-v2/vector-books.ts'
import { type BookRow, type BookTotal, decimal, type RawPriceRow } from './books.ts'
import { sessionMs } from './sessions.ts'
import { byteMillisecondsOfUnit, storageCharges, storageMeter } from './standing-books.ts'
import type { World } from './world.ts'

/** What costs without a request: code interpreter sessions that are open, and what is stored for the retrieval
 * of each assistant. Amounts are decimal texts to this instant. */
export type Standing = {
  readonly at: string
  readonly sessions: readonly { readonly thread: string; readonly opened: string; readonly ends: string }[]
  readonly storage: readonly {
    readonly assistant: string
    readonly files: number
    readonly bytes: number
    readonly byteMilliseconds: string
    readonly amount: string | null
    readonly listAmount: string | null
  }[]
  /** The vector stores of the account, where it speaks v2. */
  readonly vectorStores?: {
    readonly stores: number
    readonly bytes: number
    /** Above what is free. */
    readonly byteMilliseconds: string
    readonly amount: string | null
  }
}

/** The books of a world with its storage, which grows with its clock and is no call. */
export const booksWithStorage = (
  world: World,
  prices: readonly RawPriceRow[],
): {
  readonly rows: () => readonly BookRow[]
  readonly total: () => BookTotal
  readonly standing: () => Standing
} => {
  const chargesOf = storageCharges(prices)
  const vectorChargeOf = vectorCharge(prices)
  const vectors = (): VectorCharge => {
    expireStores(world)
    return vectorChargeOf(world.state.holdings(), world.clock.now())
  }
  const charges = () => chargesOf(world.state.holdings(), world.clock.now())
  const stored = (): StoredSum => {
    const all = charges()
    const sum = (pick: (charge: (typeof all)[number]) => bigint): bigint =>
      all.reduce((total, charge) => total + pick(charge), 0n)
    return {
      byteMilliseconds: sum((charge) => charge.byteMilliseconds),
      picos: sum(({ picos }) => picos),
      listPicos: sum(({ listPicos }) => listPicos),
      priced: all.every(({ priced }) => priced),
      promoted: all.some(({ promoted }) => promoted),
    }
  }
  return {
    rows: () => {
      const rows = world.books.rows()
      // Rows stand in the order of model and meter, and these have no model.
      return [vectorRow(vectors()), rowOf(stored()), ...rows].filter((row) => row !== null)
    },
    total: () => withVectors(withStored(world.books.total(), stored()), vectors()),
    standing: () => ({
      ...standingOf(world, charges()),
      ...(world.assistants === 'v2' && { vectorStores: shownVectors(vectors()) }),
    }),
  }
}

type StoredSum = {
  readonly byteMilliseconds: bigint
  readonly picos: bigint
  readonly listPicos: bigint
  readonly priced: boolean
  readonly promoted: boolean
}

const rowOf = ({ byteMilliseconds, picos, listPicos, priced, promoted }: StoredSum): BookRow | null =>
  byteMilliseconds === 0n
    ? null
    : {
        model: '',
        meter: storageMeter,
        calls: 0,
        quantity: Number(byteMilliseconds) / Number(byteMillisecondsOfUnit),
        byteMilliseconds: byteMilliseconds.toString(),
        amount: priced ? decimal(picos) : null,
        ...(promoted && { listAmount: priced ? decimal(listPicos) : null }),
        currency: 'USD',
      }

const withStored = (total: BookTotal, stored: StoredSum): BookTotal => {
  const listed = total.listAmount ?? total.amount
  const promoted = total.listAmount !== undefined || stored.promoted
  return {
    calls: total.calls,
    amount: added(total.amount, stored.picos),
    ...(promoted && { listAmount: added(listed, stored.listPicos) }),
    currency: total.currency,
    unpriced: stored.priced ? total.unpriced : [storageMeter, ...total.unpriced],
  }
}

const withVectors = (total: BookTotal, { picos, priced }: VectorCharge): BookTotal => ({
  ...total,
  amount: added(total.amount, picos),
  ...(total.listAmount !== undefined && { listAmount: added(total.listAmount, picos) }),
  unpriced: priced ? total.unpriced : [vectorMeter, ...total.unpriced],
})

const shownVectors = ({ stores, bytes, byteMilliseconds, picos, priced }: VectorCharge) => ({
  stores,
  bytes,
  byteMilliseconds: byteMilliseconds.toString(),
  amount: priced ? decimal(picos) : null,
})

/** A decimal text of at most 12 places, and an amount of 10^-12 more. */
const added = (amount: string, picos: bigint): string => {
  const [whole = '0', fraction = ''] = amount.split('.')
  return decimal(BigInt(whole + fraction.padEnd(12, '0')) + picos)
}

const standingOf = (world: World, charges: ReturnType<ReturnType<typeof storageCharges>>): Standing => {
  const at = world.clock.now()
  return {
    at: formatInstant(at),
    sessions: world.state
      .sessions()
      .filter(({ from }) => from <= at && at < from + sessionMs)
      .map(({ thread, from }) => ({
        thread,
        opened: formatInstant(from),
        ends: formatInstant(from + sessionMs),
      })),
    storage: charges.map(({ assistant, files, bytes, byteMilliseconds, picos, listPicos, priced }) => ({
      assistant,
      files,
      bytes,
      byteMilliseconds: byteMilliseconds.toString(),
      amount: priced ? decimal(picos) : null,
      listAmount: priced ? decimal(listPicos) : null,
    })),
  }
}
