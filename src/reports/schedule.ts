import type { Instant } from '../time.ts'

type Planned = { readonly at: Instant; readonly run: () => void }

/** What is to be done at later instants, the earliest first; of one instant, in any order. */
export const createSchedule = () => {
  const heap: Planned[] = []
  const at = (index: number): Instant => heap[index]?.at ?? Number.POSITIVE_INFINITY
  const swap = (one: number, other: number): void => {
    const [a, b] = [heap[one], heap[other]]
    if (a === undefined || b === undefined) return
    heap[one] = b
    heap[other] = a
  }

  const rise = (from: number): void => {
    for (let index = from; index > 0; ) {
      const above = (index - 1) >> 1
      if (at(above) <= at(index)) return
      swap(above, index)
      index = above
    }
  }

  const sink = (): void => {
    for (let index = 0; ; ) {
      const left = 2 * index + 1
      const least = at(left + 1) < at(left) ? left + 1 : left
      if (at(least) >= at(index)) return
      swap(least, index)
      index = least
    }
  }

  return {
    put: (when: Instant, run: () => void): void => {
      heap.push({ at: when, run })
      rise(heap.length - 1)
    },
    /** Does all that is planned up to an instant, included. */
    runUntil: (until: Instant): void => {
      while (at(0) <= until) {
        const [next] = heap
        const last = heap.pop()
        if (heap.length > 0 && last !== undefined) heap[0] = last
        sink()
        next?.run()
      }
    },
  }
}
