import { OctroiError } from '../errors.ts'
import { readLimits } from '../gateway/rules.ts'
import { readLives } from '../ledger/reading.ts'
import { unitOf } from '../limits/limit.ts'
import { formatAmount } from '../limits/measure.ts'
import { formatPicos } from '../money/money.ts'
import { createLimitReplay, type LimitReplay } from '../reports/limit-replay.ts'
import { formatInstant } from '../time.ts'
import { readJson } from './limit-states.ts'
import { boundsOf, formatCount, periodJson, type ReportPeriod, withLedger } from './reports.ts'
import { formatTable } from './table.ts'

/** Reads the limits of a policy: an array of them, or an object that has them under `limits`, such as a configuration.
 * Throws `bad_input` naming what is wrong. */
export const readPolicy = async (file: string): Promise<ReturnType<typeof readLimits>> => {
  const json = await readJson(file)
  const limits = Array.isArray(json) ? json : Object(json).limits
  if (!Array.isArray(limits) || limits.length > 1_000) {
    throw new OctroiError(
      'bad_input',
      `${file} has no limits. Write a list of at most 1,000, or an object with "limits".`,
    )
  }
  return readLimits(limits)
}

/** Tries a policy on the calls of a ledger, a page at a time. The ledger is only read. */
export const testPolicy = (
  options: Readonly<Record<string, unknown>>,
  { limits, period }: { limits: ReturnType<typeof readLimits>; period: ReportPeriod },
): Promise<LimitReplay> =>
  withLedger(options, async (database) => {
    const replay = createLimitReplay(limits)
    for await (const lives of readLives(database, boundsOf(period))) {
      for (const life of lives) replay.add(life)
    }
    return replay.result()
  })

/** What a policy would have done, as JSON. */
export const replayJson = (
  { calls, refused, waited, lowered, warned, rows, rowsLeftOut, examples }: LimitReplay,
  period: ReportPeriod,
) => ({
  schema: 'octroi-limits-test/1',
  ...periodJson(period),
  ...{ calls, refused, waited, lowered, warned },
  rows: rows.map(({ amount, ...row }) => ({ ...row, amount: formatPicos(amount) })),
  rowsLeftOut,
  examples: examples.map(({ call, most, currency, misfit, outputTokens }) => ({
    ...{ call: call.id, at: formatInstant(call.at), team: call.team, key: call.key, model: call.model },
    most: most === null ? null : formatPicos(most),
    currency,
    limit: misfit.limit,
    action: misfit.action,
    reason: misfit.reason,
    asked: misfit.asked === null ? null : formatAmount(misfit.measure, misfit.asked),
    free: formatAmount(misfit.measure, misfit.free),
    unit: unitOf(misfit),
    outputTokens,
  })),
})

/** The same for people. */
export const replayTable = (replay: LimitReplay, color: boolean): string => {
  const { calls, refused, waited, lowered, warned, rows, rowsLeftOut, examples } = replay
  const head =
    `Of ${formatCount(calls)} calls: ${formatCount(refused)} refused, ${formatCount(waited)} made to wait, ` +
    `${formatCount(lowered)} lowered in their output, ${formatCount(warned)} passed with a warning.\n`
  if (rows.length === 0) return head
  const right = 'right' as const
  const table = formatTable(
    [
      ...['limit', 'action', 'team'].map((title) => ({ title })),
      ...['calls', 'cost'].map((title) => ({ title, align: right })),
      { title: 'currency' },
    ],
    rows.map((row) => [
      ...[row.limit, row.action, row.team ?? '(none)'],
      ...[formatCount(row.calls), formatPicos(row.amount), row.currency],
    ]),
    { color },
  )
  const first = formatTable(
    [
      ...['first calls', 'at', 'model', 'limit', 'reason'].map((title) => ({ title })),
      ...['asked', 'free'].map((title) => ({ title, align: right })),
      { title: 'unit' },
      { title: 'lowered to', align: right },
    ],
    examples.map(({ call, misfit, outputTokens }) => [
      ...[call.id, formatInstant(call.at), call.model, misfit.limit, misfit.reason],
      misfit.asked === null ? 'unknown' : formatAmount(misfit.measure, misfit.asked),
      ...[formatAmount(misfit.measure, misfit.free), unitOf(misfit)],
      outputTokens === null ? '-' : `${formatCount(outputTokens)} tokens`,
    ]),
    { color },
  )
  const more = rowsLeftOut === 0 ? '' : `${formatCount(rowsLeftOut)} calls more are in no row.\n`
  return `${head}\n${table}${more}\n${first}`
}
