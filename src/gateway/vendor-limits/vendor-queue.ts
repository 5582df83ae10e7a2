import type { Admitted, Refused } from '../../limits/decision.ts'
import type { Clock, Instant } from '../../time.ts'
import type { WaitingBounds } from '../waiting.ts'

/** An answer to a call that asks. `byVendor`: it is the vendor's limits that keep it out, not the operator's. */
export type Attempted =
  | { readonly byVendor: true; readonly answer: Refused }
  | { readonly byVendor: false; readonly answer: Admitted | Refused }

/** The queue before one pool of a vendor. First come, first served: who waits here waits for nobody but those who came
 * before to the same pool. */
export type VendorQueue = {
  /** Tries until the vendor's limits let the call pass, at most as long as a call may wait; gives the last answer. */
  readonly run: (attempt: () => Attempted) => Attempted | Promise<Attempted>
  /** Lets the first try again: there may be room. */
  readonly look: () => void
  readonly count: () => number
  /** Whoever waits gets the last answer, and nobody waits any more. */
  readonly close: () => void
}

type Waiter = { readonly attempt: () => Attempted; readonly end: (last: Attempted) => void }

/** A clock may leap: who waits looks at least this often. */
const lookMsMax = 100

/** `turnAt`: when a call that finds others before it can come to its turn, where that is known. */
export const createVendorQueue = (
  clock: Clock,
  { waitersMax, waitMsMax }: WaitingBounds,
  turnAt: (refused: Refused, before: number) => Instant | null,
): VendorQueue => {
  const waiters = new Set<Waiter>()
  let timer: NodeJS.Timeout | null = null
  let isOpen = true
  /** Why the first one waits. */
  let last: (Attempted & { readonly byVendor: true }) | null = null

  const arm = ({ fitsAt }: Refused): void => {
    if (timer !== null) clearTimeout(timer)
    const ms = fitsAt === null ? lookMsMax : Math.min(lookMsMax, Math.max(1, fitsAt - clock.now()))
    timer = setTimeout(look, ms)
  }

  const look = (): void => {
    for (const waiter of waiters) {
      const tried = waiter.attempt()
      if (tried.byVendor && isWorthWaiting(tried.answer)) {
        last = tried
        arm(tried.answer)
        return
      }
      waiter.end(tried)
    }
    if (timer !== null) clearTimeout(timer)
    timer = null
    last = null
  }

  const wait = (attempt: () => Attempted): Promise<Attempted> =>
    new Promise((resolve) => {
      const deadline = setTimeout(() => waiter.end(waiter.attempt()), waitMsMax)
      const waiter: Waiter = {
        attempt,
        end: (answer) => {
          waiters.delete(waiter)
          clearTimeout(deadline)
          resolve(answer)
        },
      }
      waiters.add(waiter)
    })

  return {
    run: (attempt) => {
      const first = waiters.size > 0 && last !== null ? last : attempt()
      if (!first.byVendor || !isOpen || !isWorthWaiting(first.answer)) return first
      const fitsAt = turnAt(first.answer, waiters.size)
      const isInTime = fitsAt === null || fitsAt - clock.now() <= waitMsMax
      if (!isInTime || waiters.size >= waitersMax)
        return { byVendor: true, answer: { ...first.answer, fitsAt: fitsAt ?? first.answer.fitsAt } }
      const waited = wait(attempt)
      if (waiters.size === 1) {
        last = first
        arm(first.answer)
      }
      return waited
    },
    look,
    count: () => waiters.size,
    close: () => {
      isOpen = false
      if (timer !== null) clearTimeout(timer)
      for (const waiter of [...waiters]) waiter.end(waiter.attempt())
    },
  }
}

/** More than a whole limit never fits: that is the vendor's to say. */
const isWorthWaiting = ({ fitsAt, fitsWhenFreed }: Refused): boolean =>
  fitsAt !== null || fitsWhenFreed !== null
