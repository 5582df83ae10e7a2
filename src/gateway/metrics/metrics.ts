import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { ErrorCode } from '../../errors.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import type { LimitState } from '../../limits/admit.ts'
import { formatAmount } from '../../limits/measure.ts'
import { formatPicos } from '../../money/money.ts'
import { meterFacts } from '../../usage/meter.ts'
import type { Forward } from '../forward.ts'
import type { SpoolStanding } from '../spool/spool-queue.ts'
import type { TillLine } from '../till.ts'
import type { Timing } from '../workers/verbs.ts'
import { createCounter, createGauge, createHistogram, type Labels } from './exposition.ts'

/** What a gateway tells of itself to Prometheus. It is counted in this process since its start; the ledger, not this,
 * is the truth about money. */
export type Metrics = {
  readonly called: (line: Pick<TillLine, 'call' | 'settlement' | 'cost'>) => void
  readonly refused: (refusal: {
    readonly provider: string | null
    readonly endpoint: string | null
    readonly code: ErrorCode
  }) => void
  /** The same ledger, timed. */
  readonly timeLedger: (ledger: Ledger) => Ledger
  /** The same way to the vendors, timed. */
  readonly timeForward: (forward: Forward) => Forward
  /** A vendor took so long for a call that a worker passed on. */
  readonly timed: (timing: Timing) => void
  /** All of it, in the text format of Prometheus. */
  readonly text: (now: Standing) => string
  readonly close: () => void
}

/** What stands at this moment. */
export type Standing = {
  readonly requestsInFlight: number
  readonly callsOpen: number
  /** Memory of the workers, beside that of this process. */
  readonly workersBytes?: number
  readonly limits: readonly LimitState[]
  readonly spool: SpoolStanding
  /** The vendors' own limits, and how many calls wait for them at each provider. */
  readonly vendors: { readonly limits: readonly LimitState[]; readonly waiting: ReadonlyMap<string, number> }
  /** Deliveries of alerts by their state. */
  readonly alerts: Readonly<Record<string, number>>
  readonly ready: boolean
}

/** How many models have a name of their own. The first that were billed have it, for the life of the process: a
 * ranking that changed between two readings would break every rate. All others count as `other`. */
const modelsMax = 50

/** How many limits are shown, in the order of the configuration. */
const limitsMax = 200

/** Quantities are shown with six decimals: seconds of sound have a fraction. */
const quantityScale = 6

export const createMetrics = (): Metrics => {
  const models = new Set<string>()
  const calls = createCounter('octroi_calls_total', 'Settled calls.')
  const unpriced = createCounter('octroi_unpriced_calls_total', 'Settled calls with something unpriced.')
  const cost = createCounter('octroi_cost_total', 'Cost of settled calls, in the currency named.', 12)
  const usage = createCounter('octroi_usage_total', 'What settled calls used, by meter.', quantityScale)
  const refusals = createCounter('octroi_refusals_total', 'Requests refused by Octroi, by error code.')
  const commits = createHistogram(
    'octroi_ledger_commit_seconds',
    'From asking the ledger to its being on the disk.',
  )
  const firstBytes = createHistogram(
    'octroi_upstream_first_byte_seconds',
    'From sending a request to the first byte of its reply.',
  )
  const replies = createHistogram(
    'octroi_upstream_reply_seconds',
    'From sending a request to the end of its reply.',
  )
  const delay = monitorEventLoopDelay({ resolution: 20 })
  delay.enable()

  const modelLabel = ({ model, charges }: TillLine['settlement']): string => {
    if (charges.length > 0 && models.size < modelsMax) models.add(model)
    return models.has(model) ? model : 'other'
  }

  const timed = async <Result>(verb: string, work: Promise<Result>): Promise<Result> => {
    const begun = performance.now()
    const result = await work
    commits.observe({ verb }, since(begun))
    return result
  }

  return {
    called: ({ call, settlement, cost: amount }) => {
      const labels = { provider: call.provider, endpoint: call.endpoint, model: modelLabel(settlement) }
      calls.add({ ...labels, basis: settlement.basis }, 1n)
      cost.add({ ...labels, currency: settlement.currency }, amount)
      if (settlement.unpriced.length > 0) unpriced.add(labels, 1n)
      for (const { meter, quantity } of [...settlement.charges, ...settlement.unpriced]) {
        if (quantity === null || quantity === undefined) continue
        usage.add({ ...labels, meter, unit: meterFacts(meter).unit }, scaled(quantity))
      }
    },
    refused: ({ provider, endpoint, code }) =>
      refusals.add({ provider: provider ?? '', endpoint: endpoint ?? '', code }, 1n),
    timeLedger: (ledger) => ({
      ...ledger,
      reserve: (reservation) => timed('reserve', ledger.reserve(reservation)),
      settle: (settlement) => timed('settle', ledger.settle(settlement)),
      release: (release) => timed('release', ledger.release(release)),
    }),
    timeForward: (forward) => ({
      ...forward,
      send: async (request) => {
        const begun = performance.now()
        const reply = await forward.send(request)
        const labels: Labels = { provider: request.upstream.name }
        firstBytes.observe(labels, since(begun))
        reply.body.once('close', () => replies.observe(labels, since(begun)))
        return reply
      },
    }),
    timed: ({ provider, of, seconds }) =>
      (of === 'reply' ? replies : firstBytes).observe({ provider }, seconds),
    text: (now) => {
      const shown = [
        ...[calls, cost, usage, unpriced, refusals, commits, firstBytes, replies],
        ...gauges(now),
        createGauge(
          'octroi_event_loop_delay_seconds',
          'Delay of the event loop since this was last read.',
          () =>
            [50, 99, 100].map((percentile) => [
              { quantile: `${percentile / 100}` },
              delay.percentile(percentile) / 1e9,
            ]),
        ),
      ]
        .map((metric) => metric.text())
        .join('')
      delay.reset()
      return shown
    },
    close: () => {
      delay.disable()
    },
  }
}

const gauges = ({
  requestsInFlight,
  callsOpen,
  workersBytes = 0,
  limits,
  spool,
  vendors,
  alerts,
  ready,
}: Standing) => [
  createGauge('octroi_alert_deliveries', 'Deliveries of alerts to webhooks, by state.', () =>
    ['pending', 'sent', 'given up'].map((state) => [{ state }, alerts[state] ?? 0] as const),
  ),
  createGauge('octroi_requests_in_flight', 'Requests that are being answered.', () => [
    [{}, requestsInFlight],
  ]),
  createGauge('octroi_calls_open', 'Calls that are reserved and not settled, of this process.', () => [
    [{}, callsOpen],
  ]),
  createGauge('octroi_spooled_calls', 'Calls that wait for the ledger, by where they wait.', () => [
    [{ place: 'disk' }, spool.calls - spool.inMemory],
    [{ place: 'memory' }, spool.inMemory],
  ]),
  createGauge('octroi_spool_amount', 'Money of calls that wait for the ledger: held and settled.', () => [
    [{}, Number(formatPicos(spool.amount))],
  ]),
  createGauge('octroi_ready', '1 while new calls are taken.', () => [[{}, ready ? 1 : 0]]),
  createGauge(
    'octroi_limit_amount',
    'Of each limit in its period: the cap, and what of it is settled, held and unresolved.',
    () => limitAmounts(limits),
  ),
  createGauge(
    'octroi_vendor_limit_amount',
    "Of each vendor's own limit: the cap, and what of it is settled, held and unresolved.",
    () => limitAmounts(vendors.limits),
  ),
  createGauge('octroi_vendor_waiting_calls', "Calls that wait for a vendor's own limits.", () =>
    [...vendors.waiting].map(([provider, calls]) => [{ provider }, calls] as const),
  ),
  createGauge('process_resident_memory_bytes', 'Memory of the process, and of its workers.', () => [
    [{}, process.memoryUsage.rss() + workersBytes],
  ]),
]

const limitAmounts = (limits: readonly LimitState[]) =>
  limits
    .slice(0, limitsMax)
    .flatMap((state) =>
      (['cap', 'settled', 'held', 'unresolved'] as const).map(
        (part) => [limitLabels(state, part), Number(formatAmount(state.measure, state[part]))] as const,
      ),
    )

/** A limit on cost goes by its currency, any other by its measure; one of several counters also by whose it is. */
const limitLabels = (
  { limit, counter, measure, currency }: LimitState,
  part: string,
): Readonly<Record<string, string>> => ({
  limit,
  ...(Object.keys(counter).length > 0 && { counter: JSON.stringify(counter) }),
  ...(currency === null ? { measure } : { currency }),
  part,
})

const since = (begun: number): number => (performance.now() - begun) / 1000

/** A quantity in millionths, rounded down where it is finer. */
const scaled = (quantity: number | { readonly numerator: bigint; readonly denominator: bigint }): bigint =>
  typeof quantity === 'number'
    ? BigInt(Math.trunc(quantity)) * 1_000_000n
    : (quantity.numerator * 1_000_000n) / quantity.denominator
