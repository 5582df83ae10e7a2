import type { Admission, Admitted, Refused } from '../limits/admit.ts'
import type { Crossing } from '../limits/crossing.ts'
import type { Clock } from '../time.ts'

/** The queue in front of limits whose action is `wait`. */
export type Waiting = {
  /** The admission, of which everything that frees room lets the queue try again. */
  readonly admission: Admission
  /** Tries until a call is admitted, at most as long as a call may wait; gives the last answer. A call that no waiting
   * helps, or that finds the queue full, gets its first answer back at once. */
  readonly admitted: (attempt: () => Admitted | Refused) => Admitted | Refused | Promise<Admitted | Refused>
  readonly count: () => number
  /** Whoever waits gets the last answer, and nobody waits any more. */
  readonly close: () => void
}

type Waiter = {
  readonly attempt: () => Admitted | Refused
  readonly end: (answer: Admitted | Refused) => void
}

export type WaitingBounds = { readonly waitersMax: number; readonly waitMsMax: number }

/** Puts a queue in front of an admission. First come, first tried; one that still does not fit keeps nobody behind it
 * from being admitted. `onCrossing` is told of every threshold a limit crosses. */
export const createWaiting = (
  inner: Admission,
  clock: Clock,
  { waitersMax, waitMsMax }: WaitingBounds,
  onCrossing: (crossing: Crossing) => void,
): Waiting => {
  const waiters = new Set<Waiter>()
  let open = true

  const tryAgain = (): void => {
    for (const waiter of [...waiters]) {
      if (!waiters.has(waiter)) continue
      const answer = waiter.attempt()
      if (answer.admitted || answer.action !== 'wait') waiter.end(answer)
    }
  }

  const freed = (crossed: readonly Crossing[]): readonly Crossing[] => {
    for (const crossing of crossed) onCrossing(crossing)
    if (waiters.size > 0) tryAgain()
    return crossed
  }

  const waitFor = (attempt: () => Admitted | Refused, first: Refused): Promise<Admitted | Refused> =>
    new Promise((resolve) => {
      const timers = new Set<NodeJS.Timeout>()
      const waiter: Waiter = {
        attempt,
        end: (answer) => {
          waiters.delete(waiter)
          for (const timer of timers) clearTimeout(timer)
          resolve(answer)
        },
      }
      waiters.add(waiter)
      timers.add(setTimeout(() => waiter.end(attempt()), waitMsMax))
      const look = (refused: Refused): void => {
        if (refused.fitsAt === null) return
        const timer = setTimeout(
          () => {
            timers.delete(timer)
            const answer = attempt()
            if (answer.admitted || answer.action !== 'wait') waiter.end(answer)
            else look(answer)
          },
          Math.min(waitMsMax, Math.max(1, refused.fitsAt - clock.now())),
        )
        timers.add(timer)
      }
      look(first)
    })

  return {
    admission: {
      ...inner,
      settle: (ended, actual) => freed(inner.settle(ended, actual)),
      release: (ended) => {
        inner.release(ended)
        freed([])
      },
      expire: (ended) => freed(inner.expire(ended)),
      adjust: (ended, actual) => freed(inner.adjust(ended, actual)),
      forgive: (ended) => {
        inner.forgive(ended)
        freed([])
      },
      count: (written) => freed(inner.count(written)),
      replace: (limits, balances) => {
        inner.replace(limits, balances)
        freed([])
      },
    },
    admitted: (attempt) => {
      const first = attempt()
      if (first.admitted || first.action !== 'wait' || !open || waiters.size >= waitersMax) return first
      const inTime = first.fitsAt !== null && first.fitsAt - clock.now() <= waitMsMax
      return inTime || first.fitsWhenFreed !== null ? waitFor(attempt, first) : first
    },
    count: () => waiters.size,
    close: () => {
      open = false
      for (const waiter of [...waiters]) waiter.end(waiter.attempt())
    },
  }
}
