import { formatPicos } from '../money/money.ts'
import { format, formatScaled, type Rational, roundHalfEven } from '../money/rational.ts'
import { formatInstant, type Instant } from '../time.ts'
import { histogramError } from './log-histogram.ts'
import { attemptsLeast, type Percentiles, type ServiceLevelsReport } from './service-levels.ts'
import type { ServicePromise } from './service-promise.ts'

/** Service levels for machines. `octroi-report-service-levels/1`. */
export const serviceLevelsJson = ({ from, to, levels }: ServiceLevelsReport): object => ({
  schema: 'octroi-report-service-levels/1',
  from: instantOf(from),
  to: instantOf(to),
  percentileError: histogramError,
  attemptsLeast,
  levels: levels.map(({ availability, availabilitySeen, duration, firstByte, costs, promise, ...level }) => ({
    ...level,
    availability: shareOf(availability),
    availabilitySeen: shareOf(availabilitySeen),
    durationMs: percentilesOf(duration),
    firstByteMs: percentilesOf(firstByte),
    costs: costs.map(({ currency, amount, failed, retried }) => ({
      currency,
      ...{ amount: formatPicos(amount), failed: formatPicos(failed), retried: formatPicos(retried) },
    })),
    promise: promise === null ? null : promiseOf(promise),
  })),
})

const promiseOf = ({ provider: _, least, effectiveFrom, knownSince, ...rest }: ServicePromise): object => ({
  ...rest,
  least: least === null ? null : format(least),
  effectiveFrom: instantOf(effectiveFrom),
  knownSince: instantOf(knownSince),
})

const percentilesOf = ({ count, ...values }: Percentiles): object => ({
  count,
  ...Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, value === null ? null : Math.round(value)]),
  ),
})

const shareOf = (share: Rational | null): string | null =>
  share === null ? null : formatScaled(roundHalfEven(share, 6), 6)

const instantOf = (at: Instant | null): string | null => (at === null ? null : formatInstant(at))
