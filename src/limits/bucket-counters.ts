import type { Instant } from '../time.ts'
import type { Change, Counters, Standing } from './counters.ts'
import { emptyStanding, shownOf } from './counters.ts'
import type { Limit } from './limit.ts'
import type { BucketWindow } from './window.ts'

/** A bucket. `level`: how much is taken out and not yet refilled, times the length of the window in milliseconds, so that
 * it is exact. `lows`: how low the level has been since when, rising; what a call gives back is bounded by how low the
 * level was since the call took it, because what has been refilled since cannot be given back once more. They are kept
 * while something is held, and reach back to `lowsFrom`. */
type Bucket = {
  level: bigint
  at: Instant
  held: bigint
  unresolved: bigint
  lows: Low[] | null
  lowsFrom: Instant
}
type Low = { at: Instant; level: bigint }

const lowsMax = 64

/** Counts in continuous token buckets (GCRA): a cap to burst, which refills evenly. A call takes its most when it is
 * admitted and gives back what it did not use; the level is then what it would be had it taken no more at that instant. */
export const bucketCounters = ({
  window: { lengthMs },
  cap: first,
}: {
  readonly window: BucketWindow
  readonly cap: Limit['cap']
}): Counters => {
  const buckets = new Map<string, Bucket>()
  const scale = BigInt(lengthMs)
  const slotMs = Math.max(1, Math.ceil(lengthMs / 60))
  let latest: Instant = 0
  let cap = first
  let sweep = buckets.entries()

  const slotStart = (at: Instant): Instant => Math.floor(at / slotMs) * slotMs

  const levelAt = ({ level, at }: Bucket, now: Instant): bigint => {
    const left = now <= at ? level : level - cap * BigInt(now - at)
    return left < 0n ? 0n : left
  }

  const advance = (bucket: Bucket, now: Instant): void => {
    latest = Math.max(latest, now)
    bucket.level = levelAt(bucket, now)
    bucket.at = Math.max(bucket.at, now)
  }

  /** Before something is taken: the level has been as low as now. */
  const note = (bucket: Bucket): Low[] => {
    const { level, at } = bucket
    if (bucket.lows === null) bucket.lowsFrom = at
    const lows = bucket.lows ?? []
    bucket.lows = lows
    while ((lows.at(-1)?.level ?? -1n) >= level) lows.pop()
    lows.push({ at, level })
    if (lows.length > lowsMax) thin(lows)
    return lows
  }

  const bucketOf = (name: string, at: Instant): Bucket => {
    const known = buckets.get(name)
    if (known !== undefined) return known
    const made: Bucket = { level: 0n, at, held: 0n, unresolved: 0n, lows: null, lowsFrom: at }
    buckets.set(name, made)
    return made
  }

  const sweepSome = (at: Instant): void => {
    for (let looks = 0; looks < 2; looks += 1) {
      const next = sweep.next()
      if (next.done === true) {
        sweep = buckets.entries()
        return
      }
      const [name, bucket] = next.value
      if (bucket.held === 0n && levelAt(bucket, at) === 0n) buckets.delete(name)
    }
  }

  const take = (bucket: Bucket, amount: bigint): void => {
    note(bucket)
    bucket.level += amount * scale
  }

  const holdIn = (name: string, at: Instant, amount: bigint): Instant => {
    const bucket = bucketOf(name, at)
    advance(bucket, at)
    take(bucket, amount)
    bucket.held += amount
    return bucket.at
  }

  const giveBack = (bucket: Bucket, amount: bigint, takenAt: Instant): void => {
    const lows = note(bucket)
    const since = lows.filter(({ at }) => at > takenAt)
    if (takenAt < bucket.lowsFrom) return
    const low = since[0]?.level ?? bucket.level
    const back = amount * scale < low ? amount * scale : low
    for (const each of since) each.level -= back
    bucket.level -= back
    keepRising(lows)
  }

  const standing = (bucket: Bucket | undefined, now: Instant): Standing => {
    if (bucket === undefined) return { ...emptyStanding, windowStart: now, resetsAt: now }
    const scaled = levelAt(bucket, now)
    const level = (scaled + scale - 1n) / scale
    const open = shownOf({ settled: 0n, held: bucket.held, unresolved: bucket.unresolved })
    const held = least(level, open.held)
    const unresolved = least(level - held, open.unresolved)
    return {
      settled: level - held - unresolved,
      held,
      unresolved,
      windowStart: slotStart(now),
      resetsAt: emptyAt(bucket, now, scaled),
    }
  }

  const emptyAt = ({ at }: Bucket, now: Instant, level: bigint): Instant | null =>
    level === 0n ? now : cap === 0n ? null : Math.max(at, now) + Number((level + cap - 1n) / cap)

  return {
    fits: (name, at, amount) => {
      const bucket = buckets.get(name)
      return bucket === undefined ? amount <= cap : levelAt(bucket, at) <= (cap - amount) * scale
    },
    stand: (name, at) => standing(buckets.get(name), at),
    hold: (name, at, amount) => {
      sweepSome(at)
      return amount === 0n ? slotStart(at) : slotStart(holdIn(name, at, amount))
    },
    place: ({ counter }, at, amount) => {
      sweepSome(at)
      if (amount > 0n) holdIn(counter, at, amount)
    },
    change: ({ counter, reservedAt }, at, { settled = 0n, held = 0n, unresolved = 0n }: Change) => {
      const bucket = bucketOf(counter, at)
      advance(bucket, at)
      bucket.held = bucket.held + held > 0n ? bucket.held + held : 0n
      bucket.unresolved += unresolved
      const more = settled + held + unresolved
      if (more > 0n) take(bucket, more)
      if (more < 0n) giveBack(bucket, -more, reservedAt)
      if (bucket.unresolved > 0n) {
        bucket.unresolved = least((bucket.level + scale - 1n) / scale, bucket.unresolved)
      }
      if (bucket.held === 0n && bucket.unresolved === 0n) bucket.lows = null
    },
    fitsAt: (name, at, amount) => {
      if (amount > cap) return null
      const bucket = buckets.get(name)
      if (bucket === undefined) return at
      const excess = levelAt(bucket, at) - (cap - amount) * scale
      if (excess <= 0n) return at
      return Math.max(bucket.at, at) + Number((excess + cap - 1n) / cap)
    },
    placeOf: slotStart,
    load: (name, { windowStart, settled, held, unresolved }) => {
      const bucket = bucketOf(name, windowStart)
      advance(bucket, windowStart + slotMs)
      take(bucket, settled + held + unresolved)
      // That all of a slot is taken to be used at its end must not show as over.
      bucket.level = least(bucket.level, cap * scale)
      bucket.held += held
      bucket.unresolved += unresolved
    },
    recap: (next) => {
      // What was refilled so far was so at the pace of the cap before.
      for (const bucket of buckets.values()) advance(bucket, latest)
      cap = next
    },
    latest: () => latest,
    names: () => buckets.keys(),
  }
}

/** What is given back lowers the later lows alone; the earlier ones are then as low as what came after them. */
const keepRising = (lows: Low[]): void => {
  lows.reduceRight((lowest, low) => {
    if (low.level > lowest) low.level = lowest
    return low.level
  }, lows.at(-1)?.level ?? 0n)
}

/** Halves the memory of lows: of each two the later instant with the lower level, so that less is given back, not more. */
const thin = (lows: Low[]): void => {
  const kept = lows.flatMap((low, index) => {
    const next = lows[index + 1]
    return index % 2 === 1 ? [] : [next === undefined ? low : { at: next.at, level: low.level }]
  })
  lows.splice(0, lows.length, ...kept)
}

const least = (amount: bigint, bound: bigint): bigint => {
  const low = bound < amount ? bound : amount
  return low <= 0n ? 0n : low
}
