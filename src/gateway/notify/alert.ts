import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { BurnRule } from '../../limits/burn-rate.ts'
import type { LimitState } from '../../limits/decision.ts'
import { unitOf } from '../../limits/limit.ts'
import { formatAmount } from '../../limits/measure.ts'
import { format } from '../../money/rational.ts'
import { formatInstant, type Instant } from '../../time.ts'
import type { StoredAlert } from '../registry/alerts.ts'

/** What a webhook may be told of limits. */
export const limitAlertTypes = ['limit.threshold', 'limit.burn_rate'] as const

const amount = z.string().describe('A plain decimal in `unit`.')
const instant = z.string().describe('UTC, as 2026-11-25T10:00:00Z.')

const limitFields = {
  limit: z.string(),
  counter: z.record(z.string(), z.string().nullable()).describe('Whose, of a limit that counts each.'),
  measure: z.string(),
  unit: z.string().describe('The currency of a budget, else the unit of its measure.'),
  ...{ cap: amount, settled: amount, held: amount, unresolved: amount },
  windowStart: instant,
  resetsAt: instant.nullable(),
}

/** What a webhook is sent: the three members that Standard Webhooks recommends (version 1.0.0, "Payload structure"). */
export const alertPayloadSchema = z.union([
  z.object({
    type: z.literal('limit.threshold'),
    timestamp: instant,
    data: z.object({ ...limitFields, share: z.string().describe('The share of the cap that is reached.') }),
  }),
  z.object({
    type: z.literal('limit.burn_rate'),
    timestamp: instant,
    data: z.object({
      ...limitFields,
      factor: z.string().describe('How many times faster than the cap allows it was spent, at least.'),
      longSeconds: z.int().describe('In both of these last stretches of time.'),
      shortSeconds: z.int(),
    }),
  }),
  z.object({ type: z.literal('alert.test'), timestamp: instant, data: z.object({}) }),
])

/** What an alert says of a counter. */
export type AlertedCounter = Omit<LimitState, 'free' | 'over'>

/** A counter that has reached a share of its cap: the same alert in the same window, whoever sees it again. */
export const thresholdAlert = (state: AlertedCounter, share: string, at: Instant): StoredAlert =>
  made('limit.threshold', [...nameOf(state), share], { ...shown(state), share }, at)

/** A counter that is spent faster than its period allows since `at`: the same alert for the same instant. */
export const burnAlert = (
  state: AlertedCounter,
  { longMs, shortMs, factor }: BurnRule,
  at: Instant,
): StoredAlert => {
  const told = { factor: format(factor), longSeconds: longMs / 1_000, shortSeconds: shortMs / 1_000 }
  return made('limit.burn_rate', [...nameOf(state), longMs, at], { ...shown(state), ...told }, at)
}

/** An alert that is about nothing, to try the way. */
export const testAlert = (name: string, at: Instant): StoredAlert => made('alert.test', [name], {}, at)

const made = (type: string, name: readonly unknown[], data: object, at: Instant): StoredAlert => ({
  id: `msg_${createHash('sha256')
    .update(JSON.stringify([type, ...name]))
    .digest('hex')
    .slice(0, 40)}`,
  type,
  body: JSON.stringify({ type, timestamp: formatInstant(at), data }),
  at,
})

const nameOf = ({ limit, measure, counter, windowStart, resetsAt }: AlertedCounter): readonly unknown[] => [
  limit,
  measure,
  Object.entries(counter).sort(([a], [b]) => (a < b ? -1 : 1)),
  windowStart,
  resetsAt,
]

const shown = (state: AlertedCounter) => {
  const written = (units: bigint): string => formatAmount(state.measure, units)
  return {
    limit: state.limit,
    counter: state.counter,
    measure: state.measure,
    unit: unitOf(state),
    cap: written(state.cap),
    settled: written(state.settled),
    held: written(state.held),
    unresolved: written(state.unresolved),
    windowStart: formatInstant(state.windowStart),
    resetsAt: state.resetsAt === null ? null : formatInstant(state.resetsAt),
  }
}
