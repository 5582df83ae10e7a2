import { OctroiError } from '../../errors.ts'
import type { AccrualOwner, StayPosts } from '../../ledger/accrual.ts'
import type { Instant } from '../../time.ts'
import { stayQuantity } from '../../usage/accrual.ts'
import type { Meter } from '../../usage/meter.ts'
import type { Parts } from '../parts.ts'
import { countsOf, createPriceChanges, postStay, priceAccrual } from './posting.ts'

/** What fixes whose accrual it is and what it costs. */
type Accruing = {
  readonly owner: AccrualOwner
  /** The upstream where it stands, as calls name it, and the provider whose price rows hold there. */
  readonly upstream: string
  readonly pricesFrom: string
  /** The wire through which it came: `assistants`. */
  readonly endpoint: string
  readonly meter: Meter
  /** Whose it is at the vendor: the thread of a session, the assistant of a stored file. */
  readonly holder: string
  /** What selects among prices, as for a call. */
  readonly attributes: Readonly<Record<string, string>>
}

/** A tool billed by session was used. `id` is the vendor's, of the tool call; `seconds` how long a session holds. */
export type Use = Accruing & {
  readonly id: string
  readonly conversation: string | null
  readonly at: Instant
  readonly seconds: number
}

/** An object is kept from `at` on: so many bytes, or tokens of a cache. */
export type Kept = Accruing & {
  readonly object: string
  readonly bytes: number
  readonly at: Instant
}

/** What is gone: one object of one holder, of every holder (`holder` null), or all objects of a holder (`object`
 * null); of one meter, or of all (`meter` null). */
export type Gone = {
  readonly upstream: string
  readonly meter: Meter | null
  readonly holder: string | null
  readonly object: string | null
  readonly at: Instant
}

/** The keeper of what costs while nobody calls. Its state is in the ledger's file; nothing of it is in memory. */
export type Accruals = {
  /** Opens a session for the holder unless one of this meter is running, and posts it whole. Idempotent by `id`. */
  readonly use: (use: Use) => Promise<void>
  /** Idempotent by upstream, meter, holder and object while it lasts. */
  readonly keep: (kept: Kept) => Promise<void>
  readonly end: (gone: Gone) => Promise<void>
  /** Posts what is due up to `at`, by whole hours; `final` posts up to the instant itself. Gives how many entries
   * it wrote. */
  readonly close: (at: Instant, options?: { readonly final?: boolean }) => Promise<number>
  /** What is going on: sessions that run at `at`, and objects that are kept. */
  readonly open: (at: Instant) => Promise<{ readonly sessions: number; readonly stays: number }>
  /** Ends a closing that is under way after its step; what it has not posted is posted when the gateway is up again. */
  readonly stop: () => Promise<void>
}

const hourMs = 3_600_000
/** Bounds one step of a closing, in stays read and in entries written, so that calls are not kept waiting. */
const staysPerStep = 100
const entriesPerStep = 200

/** The keeper over the ledger. Closings are made one after the other. */
export const createAccruals = (parts: Pick<Parts, 'ledger' | 'book' | 'admission' | 'clock'>): Accruals => {
  const { book, admission, clock } = parts
  const { accruals } = parts.ledger
  const changes = createPriceChanges(book)
  let closing: Promise<unknown> = Promise.resolve()
  let stopped = false

  /** Posts the next stays that are due; null when none is. */
  const step = async (until: Instant): Promise<number | null> => {
    const due = await accruals.due({ before: until, limit: staysPerStep })
    if (due.length === 0) return null
    const posts: StayPosts[] = []
    let left = entriesPerStep
    for (const stay of due) {
      if (left === 0) break
      const post = postStay({ book, admission, changes }, stay, {
        at: clock.now(),
        closing: until,
        limit: left,
      })
      posts.push(post)
      left -= post.entries.length
    }
    const written = new Set(await accruals.post(posts))
    const entries = posts.filter(({ id }) => written.has(id)).flatMap((post) => post.entries)
    for (const { at, counts } of entries) admission.count({ at, settled: counts })
    return entries.length
  }

  const closeNow = async (at: Instant, final: boolean): Promise<number> => {
    const until = final ? at : Math.floor(at / hourMs) * hourMs
    let entries = 0
    while (!stopped) {
      const more = await step(until)
      if (more === null) break
      entries += more
    }
    return entries
  }

  return {
    use: async (use) => {
      const { id, meter, owner, upstream, holder, conversation, at, seconds } = use
      if (!Number.isSafeInteger(seconds) || seconds <= 0) {
        throw new OctroiError('bad_number', `A session lasts a whole number of seconds, not ${seconds}.`)
      }
      const cost = priceAccrual(book, { ...use, quantity: 1 })
      const accrued = {
        ...{ at: clock.now(), from: at, to: at + seconds * 1_000 },
        ...{ owner, provider: upstream, model: null, endpoint: use.endpoint, conversation, holder },
        object: null,
        basis: 'measured' as const,
        ...{ currency: cost.currency, charges: cost.charges, unpriced: cost.unpriced, list: cost.listTotal },
        bookVersion: book.version,
      }
      const counts = countsOf(admission, accrued, cost.pricedTotal)
      const outcome = await accruals.use({ id, meter, posting: { ...accrued, counts } })
      if (outcome === 'opened') admission.count({ at: accrued.at, settled: counts })
    },
    keep: async ({ bytes, at, ...kept }) => {
      const quantity = stayQuantity(kept.meter, { amount: bytes, from: at, to: at })
      priceAccrual(book, { ...kept, quantity, at })
      await accruals.keep({ ...kept, amount: bytes, from: at })
    },
    end: async (gone) => {
      if (gone.holder === null && gone.object === null) {
        throw new OctroiError(
          'bad_input',
          'Say what is gone: an object, or a holder with all of its objects.',
        )
      }
      await accruals.end(gone)
    },
    close: (at, { final = false } = {}) => {
      const closed = closing.then(() => closeNow(at, final))
      closing = closed.catch(() => {})
      return closed
    },
    open: (at) => accruals.open(at),
    stop: async () => {
      stopped = true
      await closing
    },
  }
}
