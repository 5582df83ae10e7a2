import { OctroiError } from '../errors.ts'
import type { Balance, CounterName } from './hold.ts'
import type { Limit } from './limit.ts'
import { changedMeter, isSameCount, type LimitMeter, openMeter } from './limit-meter.ts'

/** The meters of all limits. */
export type LimitMeters = {
  readonly all: () => Iterable<LimitMeter>
  /** That of a counter; undefined where its limit is no more, or counts another measure now. */
  readonly of: (counter: CounterName) => LimitMeter | undefined
  /** Rises whenever the limits are replaced. */
  readonly epoch: () => number
  readonly replace: (limits: readonly Limit[], balances: readonly Balance[]) => void
}

/** Starts counting from balances, which come in the order of their windows. Throws `bad_input` when two limits have one
 * name. */
export const openMeters = (first: readonly Limit[], balances: readonly Balance[]): LimitMeters => {
  let meters: ReadonlyMap<string, LimitMeter> = new Map()
  let epoch = 0

  const meterOf = ({ limit, measure }: CounterName): LimitMeter | undefined => {
    const meter = meters.get(limit)
    return meter?.limit.measure === (measure ?? 'cost') ? meter : undefined
  }

  const replace: LimitMeters['replace'] = (limits, known) => {
    if (new Set(limits.map(({ name }) => name)).size < limits.length) {
      throw new OctroiError('bad_input', 'Two limits have the same name. Give each its own.')
    }
    const opened = new Set<LimitMeter>()
    const open = (limit: Limit): LimitMeter => {
      const meter = openMeter(limit, epoch === 0)
      opened.add(meter)
      return meter
    }
    const before = meters
    meters = new Map(
      limits.map((limit) => {
        const meter = before.get(limit.name)
        const isKept = meter !== undefined && isSameCount(meter.limit, limit)
        return [limit.name, isKept ? changedMeter(meter, limit) : open(limit)]
      }),
    )
    epoch += 1
    for (const balance of known) {
      const meter = meterOf(balance)
      if (meter === undefined || !opened.has(meter)) continue
      meter.counters.load(balance.counter ?? '', balance)
      meter.crossings.load(balance.counter ?? '', balance)
    }
  }

  replace(first, balances)
  return { all: () => meters.values(), of: meterOf, epoch: () => epoch, replace }
}
