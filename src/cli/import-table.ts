import { amountOf } from '../gateway/importers/line.ts'
import type { PlannedLine } from '../gateway/importers/post.ts'
import { formatPicos, type Picos, post } from '../money/money.ts'
import { add, format, type Rational, rational, subtract, zero } from '../money/rational.ts'
import { formatInstant } from '../time.ts'
import type { Meter } from '../usage/meter.ts'
import { exactQuantity } from '../usage/usage.ts'
import type { ImportResult } from './import.ts'
import { formatJson } from './json.ts'
import { formatCount, formatQuantity } from './reports.ts'
import { formatTable } from './table.ts'

/** An import in sums: by currency and meter what was reported, and what of it is posted. */
type Sums = {
  readonly reported: ReadonlyMap<string, Picos>
  readonly posted: ReadonlyMap<string, Picos>
  readonly meters: ReadonlyMap<Meter, { readonly reported: Rational; readonly posted: Rational }>
  readonly requests: { readonly reported: number; readonly posted: number }
  readonly unpriced: readonly UnpricedSum[]
}

type UnpricedSum = {
  readonly provider: string
  readonly model: string | null
  readonly meter: Meter
  quantity: Rational
}

/** An import as JSON: `octroi-import/1`. */
export const formatImportJson = (result: ImportResult): string => {
  const { importer, role, account, report, plan, outcome, isWritten } = result
  const { reported, posted, meters, requests, unpriced } = sumsOf(plan.lines)
  const amounts = (sums: ReadonlyMap<string, Picos>) =>
    [...sums].map(([currency, amount]) => ({ currency, amount: formatPicos(amount) }))
  return `${formatJson({
    schema: 'octroi-import/1',
    ...{ importer, role, account },
    dryRun: !isWritten,
    period:
      report.covered === null
        ? null
        : { from: formatInstant(report.covered.from), to: formatInstant(report.covered.to) },
    read: report.read,
    repeatedRows: report.repeatedRows,
    outsidePeriod: report.outside,
    missingRoutes: report.missing,
    lines: plan.lines.length,
    written: outcome.written,
    repeated: outcome.repeated,
    replaced: outcome.replaced - plan.withdrawn.length,
    withdrawn: plan.withdrawn.length,
    reported: amounts(reported),
    posted: amounts(posted),
    requests: { ...requests, passedGateway: requests.reported - requests.posted },
    meters: [...meters].map(([meter, { reported: all, posted: rest }]) => ({
      meter,
      reported: format(all),
      passedGateway: format(subtract(all, rest)),
      posted: format(rest),
    })),
    unpriced: unpriced.map(({ quantity, ...rest }) => ({ ...rest, quantity: format(quantity) })),
  })}\n`
}

/** An import for people. */
export const formatImport = (result: ImportResult, { color }: { readonly color: boolean }): string => {
  const { report, plan, outcome, role, isWritten } = result
  const { reported, posted, meters, requests } = sumsOf(plan.lines)
  const right = (title: string) => ({ title, align: 'right' as const })
  const counted = [
    ['requests', requests.reported, requests.reported - requests.posted, requests.posted].map((each) =>
      typeof each === 'number' ? formatCount(each) : each,
    ),
    ...[...meters].map(([meter, { reported: all, posted: rest }]) => [
      meter,
      ...[all, subtract(all, rest), rest].map(formatQuantity),
    ]),
  ]
  const currencies = new Set([...reported.keys(), ...posted.keys()])
  const amounts = [...currencies].map((currency) => [
    currency,
    reported.has(currency) ? formatPicos(reported.get(currency) ?? 0n) : '',
    '',
    formatPicos(posted.get(currency) ?? 0n),
  ])
  const word = isWritten ? '' : 'would be '
  const replaced = outcome.replaced - plan.withdrawn.length
  return [
    formatTable(
      [{ title: '' }, right('reported'), right('passed the gateway'), right('posted')],
      role === 'bill'
        ? amounts.map(([currency = '', all = '']) => [currency, all, '', ''])
        : [...counted, ...amounts],
      { color },
    ),
    `\n${formatCount(report.read)} read, ${formatCount(plan.lines.length)} lines: ${word}${formatCount(outcome.written)} written, ${formatCount(outcome.repeated)} repeated, ${formatCount(replaced)} replaced, ${formatCount(plan.withdrawn.length)} withdrawn.\n`,
    ...(report.repeatedRows > 0
      ? [`${formatCount(report.repeatedRows)} rows were told twice and passed over.\n`]
      : []),
    ...(report.outside > 0
      ? [`${formatCount(report.outside)} lie outside the period and were passed over.\n`]
      : []),
    ...(report.missing.length > 0 ? [`Not offered there: ${report.missing.join(', ')}.\n`] : []),
  ].join('')
}

/** What has no price, for people; at most 20 lines. */
export const unpricedLines = ({ plan }: ImportResult): readonly string[] =>
  sumsOf(plan.lines)
    .unpriced.slice(0, 20)
    .map(
      ({ provider, model, meter, quantity }) =>
        `${provider} ${model ?? '(no model)'}: ${formatQuantity(quantity)} ${meter}`,
    )

const sumsOf = (lines: readonly PlannedLine[]): Sums => {
  const [reported, posted] = [new Map<string, Picos>(), new Map<string, Picos>()]
  const meters = new Map<Meter, { reported: Rational; posted: Rational }>()
  const unpriced = new Map<string, UnpricedSum>()
  const requests = { reported: 0, posted: 0 }
  const exact = new Map<string, bigint>()
  for (const { gathered, rest, imported } of lines) {
    const { currency } = imported
    if (gathered.amount !== null) exact.set(currency, (exact.get(currency) ?? 0n) + gathered.amount)
    requests.reported += gathered.requests ?? 0
    requests.posted += rest?.requests ?? 0
    for (const [meter, quantity] of gathered.usage) {
      const sum = meters.get(meter) ?? { reported: zero, posted: zero }
      sum.reported = add(sum.reported, exactQuantity(meter, quantity))
      sum.posted = add(sum.posted, exactQuantity(meter, rest?.usage.get(meter) ?? 0))
      meters.set(meter, sum)
    }
    for (const { amount } of imported.charges) posted.set(currency, (posted.get(currency) ?? 0n) + amount)
    for (const { meter, quantity } of imported.unpriced) {
      const { provider, model } = imported
      const key = `${provider}\n${model ?? ''}\n${meter}`
      const before = unpriced.get(key) ?? { provider, model, meter, quantity: rational(0n) }
      before.quantity = add(before.quantity, exactQuantity(meter, quantity))
      unpriced.set(key, before)
    }
  }
  for (const [currency, units] of exact) reported.set(currency, post(amountOf(units)))
  return { reported, posted, meters, requests, unpriced: [...unpriced.values()] }
}
