/** Counts of durations in buckets that grow by a fixed factor: a percentile is at most 1 % from the one of all values, in
 * a few thousand counters however many values there are. Values are milliseconds, 0 or more. */
export type LogHistogram = {
  readonly add: (value: number) => void
  readonly count: () => number
  /** The value that a share of all (0.5 is the median) does not exceed, by nearest rank; null of nothing. */
  readonly percentile: (share: number) => number | null
}

/** How far a percentile may be from the value it stands for, as a share of it. */
export const histogramError = 0.01

/** With buckets from g^(i-1) to g^i, the value 2 g^i / (g + 1) is within (g - 1) / (g + 1) of all in it. */
const growth = (1 + histogramError) / (1 - histogramError)

/** An empty histogram. What is below 1 ms counts as 0, what is past 2^53 as that. */
export const createLogHistogram = (): LogHistogram => {
  const buckets = new Map<number, number>()
  let [zeros, all] = [0, 0]
  return {
    add: (value) => {
      all += 1
      if (!(value >= 1)) {
        zeros += 1
        return
      }
      const bucket = Math.ceil(Math.log(Math.min(value, Number.MAX_SAFE_INTEGER)) / Math.log(growth))
      buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1)
    },
    count: () => all,
    percentile: (share) => {
      if (all === 0) return null
      let left = Math.max(1, Math.ceil(share * all)) - zeros
      if (left <= 0) return 0
      for (const [bucket, count] of [...buckets].sort(([a], [b]) => a - b)) {
        left -= count
        if (left <= 0) return (2 * growth ** bucket) / (growth + 1)
      }
      return null
    },
  }
}
