import type { PriceBook } from '../pricing/price-book.ts'
import type { Instant } from '../time.ts'
import type { Accruals } from './accruals/accruals.ts'
import type { Registry } from './registry/registry.ts'
import type { KeptStore } from './registry/store-verbs.ts'

/** What vector stores cost. An upstream is taken as one account of the vendor, which has some gigabytes free at each
 * instant; they go to its stores in the order in which these were first seen, and whoever owns a store pays for what of
 * it lies above. Whenever a store grows, shrinks or goes, the free room moves to the stores after it: what is free is
 * free once, at every instant, and nobody pays for another's bytes. Stores made elsewhere with the same account are not
 * known here. */
export type VectorStorage = {
  /** A store as it was just seen. Idempotent. */
  readonly seen: (store: KeptStore, at: Instant) => Promise<void>
  readonly gone: (store: Pick<KeptStore, 'upstream' | 'id'>, at: Instant) => Promise<void>
  /** Ends the stores that end by themselves, each at its own instant. Before accruals are posted up to `at`. */
  readonly expire: (at: Instant) => Promise<void>
  /** The stores of an upstream. */
  readonly storesOf: (upstream: string) => Promise<readonly KeptStore[]>
}

const meter = 'file_search_gb_day'
const attributes = { api: 'vector_stores' }

export const createVectorStorage = (parts: {
  readonly book: PriceBook
  readonly accruals: Accruals
  readonly registry: Registry
}): VectorStorage => {
  const { book, accruals, registry } = parts
  let last: Promise<unknown> = Promise.resolve()

  /** One change after the other: each reads what all stores have become. */
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const done = last.then(work)
    last = done.catch(() => {})
    return done
  }

  const storesOf = async (upstream: string): Promise<readonly KeptStore[]> =>
    (await registry.stores()).filter((store) => store.upstream === upstream)

  /** Keeps of each store what lies above the free room that those before it left. */
  const share = async (upstream: string, at: Instant): Promise<void> => {
    let free: number | null = null
    for (const { id, bytes, pricesFrom, endpoint, owner } of await storesOf(upstream)) {
      free ??= freeBytes(book, pricesFrom, at)
      const billed = Math.max(0, bytes - free)
      free = Math.max(0, free - bytes)
      const stay = { upstream, meter, holder: id, object: id, at } as const
      if (billed === 0) await accruals.end(stay)
      else await accruals.keep({ ...stay, owner, pricesFrom, endpoint, attributes, bytes: billed })
    }
  }

  const drop = async ({ upstream, id }: Pick<KeptStore, 'upstream' | 'id'>, at: Instant): Promise<void> => {
    await accruals.end({ upstream, meter, holder: id, object: null, at })
    await registry.dropStore({ upstream, id })
    await share(upstream, at)
  }

  const expireUntil = async (at: Instant): Promise<void> => {
    const late = (await registry.stores())
      .flatMap((store) =>
        store.endsAt === null || store.endsAt > at ? [] : [{ ...store, endsAt: store.endsAt }],
      )
      .sort((a, b) => a.endsAt - b.endsAt)
    for (const store of late) await drop(store, store.endsAt)
  }

  return {
    seen: (store, at) =>
      inTurn(async () => {
        await expireUntil(at)
        if (store.endsAt !== null && store.endsAt <= at) return
        await registry.putStore(store)
        await share(store.upstream, at)
      }),
    gone: (store, at) =>
      inTurn(async () => {
        await expireUntil(at)
        await drop(store, at)
      }),
    expire: (at) => inTurn(() => expireUntil(at)),
    storesOf,
  }
}

/** What an account has free at an instant, as the price row says it: none where it says nothing. */
const freeBytes = (book: PriceBook, provider: string, at: Instant): number => {
  const row = book.prices.find(
    (each) =>
      each.provider === provider &&
      each.meter === meter &&
      each.attributes['api'] === attributes.api &&
      each.supersededOn === null &&
      each.from <= at &&
      (each.to === null || at < each.to),
  )
  const [gigabytes, bytes] = [row?.attributes['free_gb'], row?.attributes['gb_bytes']]
  return typeof gigabytes === 'number' ? gigabytes * (typeof bytes === 'number' ? bytes : 2 ** 30) : 0
}
