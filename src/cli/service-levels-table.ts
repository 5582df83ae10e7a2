import { formatPicos } from '../money/money.ts'
import { formatScaled, multiply, type Rational, rational, roundHalfEven } from '../money/rational.ts'
import type { ServiceLevel, ServiceLevelsReport } from '../reports/service-levels.ts'
import { formatCount } from './reports.ts'
import { formatTable } from './table.ts'

/** Service levels for people: a line for each model, and below what is said of the promises. */
export const serviceLevelsTable = (
  { levels, byEndpoint }: ServiceLevelsReport,
  { color }: { readonly color: boolean },
): string => {
  if (levels.length === 0) return 'Nothing was sent to a vendor in this period.\n'
  const figures: readonly Figure[] = [
    ['calls', ({ calls }) => formatCount(calls)],
    ['available', ({ availability }) => percent(availability)],
    ['failed', ({ outcomes }) => formatCount(outcomes.failed)],
    ['lost', ({ outcomes }) => formatCount(outcomes.lost)],
    ['429', ({ outcomes }) => formatCount(outcomes.limited)],
    ['other 4xx', ({ outcomes }) => formatCount(outcomes.refused)],
    ['p50 ms', ({ duration }) => milliseconds(duration.p50)],
    ['p90', ({ duration }) => milliseconds(duration.p90)],
    ['p99', ({ duration }) => milliseconds(duration.p99)],
    ['first byte p50', ({ firstByte }) => milliseconds(firstByte.p50)],
    ['p99', ({ firstByte }) => milliseconds(firstByte.p99)],
    ['retries', ({ retries }) => formatCount(retries)],
    ['cost of failed', (level) => costs(level, 'failed')],
    ['of retried', (level) => costs(level, 'retried')],
  ]
  return [
    formatTable(
      [
        ...['provider', 'model', ...(byEndpoint ? ['endpoint'] : [])].map((title) => ({ title })),
        ...figures.map(([title]) => ({ title, align: 'right' as const })),
        { title: 'promise' },
      ],
      levels.map((level) => [
        ...[level.provider, level.model, ...(byEndpoint ? [level.endpoint ?? '(none)'] : [])],
        ...figures.map(([, cell]) => cell(level)),
        promised(level),
      ]),
      { color },
    ),
    ...[...new Set(levels.map(sourced))].map((line) => `${line}\n`),
  ].join('')
}

type Figure = readonly [title: string, cell: (level: ServiceLevel) => string]

const promised = ({ promise, verdict, outcomes }: ServiceLevel): string => {
  if (promise === null) return 'none known'
  if (promise.least === null) return 'none published'
  const attempts = outcomes.answered + outcomes.failed + outcomes.lost
  const said = {
    kept: 'kept',
    broken: 'BROKEN',
    unsure: 'unsure: calls whose end nobody saw decide',
    'too few': `${formatCount(attempts)} attempts are too few to say`,
    'no promise': '',
  }
  return `${percent(promise.least)}: ${said[verdict]}`
}

const sourced = ({ provider, promise }: ServiceLevel): string =>
  promise === null
    ? `${provider}: no promise is known.`
    : `${provider}: ${promise.source}, ${promise.confidence} confidence. ${promise.note ?? ''}`.trimEnd()

/** To a hundredth of a percent, as promises are written. */
const percent = (share: Rational | null): string => {
  if (share === null) return '-'
  const hundredths = roundHalfEven(multiply(share, rational(100n)), 2)
  return `${formatScaled(hundredths, 2)}%`
}

const milliseconds = (value: number | null): string => (value === null ? '-' : formatCount(Math.round(value)))

const costs = (level: ServiceLevel, part: 'failed' | 'retried'): string =>
  level.costs
    .filter((cost) => cost[part] !== 0n)
    .map((cost) => `${formatPicos(cost[part])} ${cost.currency}`)
    .join(', ') || '0'
