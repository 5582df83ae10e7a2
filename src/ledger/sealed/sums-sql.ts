import type { SumsPart } from '../sealed-sums.ts'
import { fileList, quoted } from './duck.ts'

/** Rows that can be summed, in one shape, of sealed days and of sums of them. `uses` is what each meter came to. */

/** The columns of parts, in a day's file and in sums alike. */
export const partColumns = {
  organization: 'call_organization',
  team: 'call_team',
  project: 'call_project',
  environment: 'call_environment',
  key: 'call_key',
  provider: 'call_provider',
  model: 'call_model',
  endpoint: 'call_endpoint',
  endUser: 'call_end_user',
  conversation: 'call_conversation',
  tags: 'call_tags',
} as const satisfies Record<SumsPart, string>

/** What every sum is by, whatever its parts. */
const always = ['call_currency', 'basis'] as const

/** The columns of sums with these parts that tell one row from another. */
export const keyColumns = (parts: readonly SumsPart[]): readonly string[] => [
  ...parts.map((part) => partColumns[part]),
  ...always,
]

/** The columns of what is summed of calls. */
export const sumColumns = [
  'sum_amount',
  'sum_calls',
  'sum_unpriced',
  'sum_resent_tokens',
  'sum_resent_amount',
] as const

/** What the calls of sealed days come to: a row each. `changed`: without those of the table of that name. */
export const dayRows = (files: readonly string[], { changed }: { readonly changed: boolean }): string => `
  SELECT *, call_cost AS sum_amount, 1::BIGINT AS sum_calls, (unpriced IS NOT NULL)::BIGINT AS sum_unpriced,
    coalesce(resent_tokens, 0) AS sum_resent_tokens, coalesce(resent_amount, 0) AS sum_resent_amount, ${usesOfCall} AS uses
  FROM read_parquet(${fileList(files)}, union_by_name = true)
  WHERE is_standing${changed ? ' AND call_id NOT IN (SELECT call_id FROM changed)' : ''}`

const usesOfCall = `list_concat(
  list_transform(charges, lambda c: struct_pack(meter := c.meter, priced := true, units := c.units,
    fraction := c.fraction, times := 1::BIGINT, amount := c.amount)),
  list_transform(coalesce(from_json(unpriced, '[{"meter":"VARCHAR","quantity":"VARCHAR"}]'), []), lambda u:
    struct_pack(meter := u.meter, priced := false, units := try_cast(u.quantity AS BIGINT),
      fraction := CASE WHEN try_cast(u.quantity AS BIGINT) IS NULL THEN u.quantity END, times := 1::BIGINT,
      amount := 0::DECIMAL(38,12))))`

/** The rows of files of sums. */
export const sumsRows = (files: readonly string[]): string =>
  `SELECT * FROM read_parquet(${fileList(files)}, union_by_name = true)`

/** The tags of rows without those of some names. */
export const tagsWithout = (names: readonly string[]): string => {
  if (names.length === 0) return 'call_tags'
  const none = JSON.stringify(Object.fromEntries(names.map((name) => [name, null])))
  return `CASE WHEN call_tags IS NOT NULL THEN json_merge_patch(call_tags, ${quoted(none)})::VARCHAR END`
}

/** What sums of rows cannot pass: of amounts, of resent amounts and of units, all taken as positive. */
export const boundsOf = (rows: string, hasMeters: boolean): string => {
  const used = (what: string): string =>
    hasMeters ? `coalesce(sum(list_sum(list_transform(uses, lambda u: abs(u.${what})))), 0)` : '0'
  return `
  SELECT coalesce(sum(abs(sum_amount)), 0) + ${used('amount')} AS amount, coalesce(sum(abs(sum_resent_amount)), 0) AS resent,
    ${used('units')} AS units FROM (${rows})`
}

/** How amounts and units are kept: in 8 bytes, where no sum can pass that, else in 16. */
export type SumWidths = { readonly amount: 18 | 38; readonly resent: 18 | 38; readonly units: 18 | 38 }

/** Sums rows by their keys. `day`: what is written beside, where they are of one day. */
export const sumsOf = (
  rows: string,
  asked: {
    readonly parts: readonly SumsPart[]
    readonly without: readonly string[]
    readonly hasMeters: boolean
    readonly day: number | null
    readonly widths: SumWidths
  },
): string => {
  const { parts, without, hasMeters, day, widths } = asked
  const keys = keyColumns(parts).join(', ')
  const from = parts.includes('tags')
    ? `(SELECT * REPLACE (${tagsWithout(without)} AS call_tags) FROM (${rows}))`
    : `(${rows})`
  const sums = `
    SELECT ${keys}, sum(sum_amount)::DECIMAL(${widths.amount},12) AS sum_amount, sum(sum_calls)::BIGINT AS sum_calls,
      sum(sum_unpriced)::BIGINT AS sum_unpriced, sum(sum_resent_tokens)::BIGINT AS sum_resent_tokens,
      sum(sum_resent_amount)::DECIMAL(${widths.resent},12) AS sum_resent_amount
    FROM ${from} GROUP BY ALL`
  const uses = `
    SELECT ${keys}, list(struct_pack(meter := use_meter, priced := use_priced, units := use_units,
      fraction := use_fraction, times := use_times, amount := use_amount)) AS uses
    FROM (
      SELECT ${keys}, use.meter AS use_meter, use.priced AS use_priced, use.fraction AS use_fraction,
        sum(use.units)::DECIMAL(${widths.units},0) AS use_units, sum(use.times)::BIGINT AS use_times,
        sum(use.amount)::DECIMAL(${widths.amount},12) AS use_amount
      FROM (SELECT ${keys}, unnest(uses) AS use FROM ${from}) GROUP BY ALL
    ) GROUP BY ALL`
  const same = keyColumns(parts).map((key) => `s.${key} IS NOT DISTINCT FROM u.${key}`)
  const joined = hasMeters ? `LEFT JOIN (${uses}) u ON ${same.join(' AND ')}` : ''
  const order = keyColumns(parts).map((key) => `s.${key}`)
  return `SELECT ${day === null ? 'NULL' : day}::BIGINT AS day, s.*${hasMeters ? ', u.uses' : ''}
    FROM (${sums}) s ${joined} ORDER BY ${order.join(', ')}`
}
