import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBDecimalValue, type DuckDBValue } from '@duckdb/node-api'
import { OctroiError } from '../../errors.ts'
import { rational } from '../../money/rational.ts'
import { parseFraction } from '../columns.ts'
import type { Database } from '../database.ts'
import type { Basis } from '../entry.ts'
import type { CallLife } from '../reading.ts'
import { readAccrued, readImported } from '../reading.ts'
import { dayMs, dayOf, type KeptSeal, openSeals } from '../seal.ts'
import { callRowOf } from './call-row.ts'
import { pathOf } from './day-file.ts'
import { dayLives } from './day-lives.ts'
import { type Duck, fileList, quoted, withDuck } from './duck.ts'
import {
  addAccrued,
  addCall,
  addGroup,
  addImported,
  type Dimension,
  emptyGroups,
  type Group,
  type Groups,
  type GroupsAsked,
  isTag,
  nothing,
} from './grouping.ts'

/** Groups all that was spent in a period by any dimensions: sealed days by DuckDB from their files, the rest, and calls
 * that were corrected after their day was sealed, from the entries. Throws `ledger_unavailable` where a file that is
 * needed is not there, and `bad_input` where the groups are more than there is room for. */
export const groupDetail = async (
  { database, folder }: { readonly database: Database; readonly folder: string },
  asked: GroupsAsked,
): Promise<readonly Group[]> => {
  const groups = emptyGroups(asked)
  const { from, to } = asked
  const days = { from: dayOf(from), to: dayOf(to - 1) }
  const seals = openSeals(database)
  const sealed = (await seals.list()).filter(
    (seal) =>
      seal.day >= days.from && seal.day <= days.to && (seal.isPruned || existsSync(join(folder, seal.file))),
  )
  const changed = await seals.changed(days)
  if (sealed.length > 0) {
    await withDuck({}, (duck) => addSealed(duck, groups, { folder, sealed, changed }))
    for (const { callId } of changed) {
      const row = callRowOf(await database.call<CallLife | null>('ledger', 'life', callId))
      if (row !== null) addCall(groups, row)
    }
  }
  const isSealed = new Set(sealed.map(({ day }) => day))
  for (const day of await seals.callDays()) {
    if (day < days.from || day > days.to || isSealed.has(day)) continue
    for await (const page of dayLives(seals, day)) {
      for (const row of page.flatMap((life) => callRowOf(life) ?? [])) addCall(groups, row)
    }
  }
  for await (const page of readAccrued(database, asked)) for (const row of page) addAccrued(groups, row)
  for await (const page of readImported(database, { from, to }))
    for (const row of page) addImported(groups, row)
  return [...groups.sums.values()]
}

type Sealed = {
  readonly folder: string
  readonly sealed: readonly KeptSeal[]
  readonly changed: readonly { readonly day: number; readonly callId: string }[]
}

const addSealed = async (duck: Duck, groups: Groups, { folder, sealed, changed }: Sealed): Promise<void> => {
  const { by } = groups.asked
  const changedDays = new Set(changed.map(({ day }) => day))
  const [some, whole] = [true, false].map((isChanged) =>
    sealed.filter(({ day }) => changedDays.has(day) === isChanged).map((seal) => pathOf(folder, seal)),
  )
  if (some !== undefined && some.length > 0) {
    await duck.run('CREATE TABLE changed (call_id VARCHAR)')
    await duck.append(
      'changed',
      changed.map(({ callId }) => callId),
    )
  }
  const parts = [
    ...(whole?.length
      ? [`SELECT * FROM read_parquet(${fileList(whole)}, union_by_name = true) WHERE is_standing`]
      : []),
    ...(some?.length
      ? [
          `SELECT * FROM read_parquet(${fileList(some)}, union_by_name = true)
          WHERE is_standing AND call_id NOT IN (SELECT call_id FROM changed)`,
        ]
      : []),
  ]
  const from = `(${parts.join(' UNION ALL ')}) WHERE ${conditions(groups.asked)}`
  const sql = by.includes('meter') ? meterGroups(by, from) : callGroups(groups.asked, from)
  const rows = await duck.rows(sql).catch((error: Error) => {
    if (!error.message.includes('Out of Memory')) throw error
    throw new OctroiError(
      'bad_input',
      `By ${by.join(', ')} there are more groups than there is room for. Group by less, or ask for a shorter period.`,
    )
  })
  for (const row of rows) addGroup(groups, readGroup(by, row))
}

const conditions = ({ from, to, by, only = [] }: GroupsAsked): string =>
  [
    `call_made >= ${Math.max(from, Number.MIN_SAFE_INTEGER)} AND call_made < ${to}`,
    ...only.filter(({ dimension }) => by.includes('meter') || !isTag(dimension)).map(conditionOf),
  ].join(' AND ')

const conditionOf = ({ dimension, value }: NonNullable<GroupsAsked['only']>[number]): string =>
  value === null ? `${columnOf(dimension)} IS NULL` : `${textOf(dimension)} = ${quoted(value)}`

/** Tags are grouped as they are written first: there are far fewer of those than calls, and each is read once. */
const callGroups = ({ by, only = [] }: GroupsAsked, from: string): string => {
  const hasTags = [...by, ...only.map(({ dimension }) => dimension)].some(isTag)
  const plain = by.map((dimension, index) =>
    isTag(dimension) ? '' : `${columnOf(dimension)} AS name_${index}, `,
  )
  const outer = by.map((dimension, index) =>
    isTag(dimension) ? `${columnOf(dimension)} AS name_${index}, ` : `name_${index}, `,
  )
  return `
  SELECT ${outer.join('')} currency, basis, sum(amount) AS amount, sum(calls)::HUGEINT AS calls,
    sum(unpriced)::HUGEINT AS unpriced, sum(resent_tokens) AS resent_tokens, sum(resent_amount) AS resent_amount
  FROM (
    SELECT ${plain.join('')}${hasTags ? 'call_tags, ' : ''} call_currency AS currency, basis, sum(call_cost) AS amount,
      count(*) AS calls, count(*) FILTER (unpriced IS NOT NULL) AS unpriced,
      coalesce(sum(resent_tokens), 0)::HUGEINT AS resent_tokens, coalesce(sum(resent_amount), 0) AS resent_amount
    FROM ${from} GROUP BY ALL
  ) WHERE ${
    only
      .filter(({ dimension }) => isTag(dimension))
      .map(conditionOf)
      .join(' AND ') || 'true'
  } GROUP BY ALL`
}

/** Quantities that are not whole are grouped by what they are, so that their sum is exact. */
const meterGroups = (by: readonly Dimension[], from: string): string => `
  SELECT * EXCLUDE (use), use.meter AS meter, use.priced AS priced, use.fraction AS fraction, count(*) AS times,
    sum(use.units)::HUGEINT AS units, sum(use.amount) AS amount
  FROM (
    SELECT ${names(by)} call_currency AS currency, basis, unnest(list_concat(
      list_transform(charges, lambda c: struct_pack(meter := c.meter, priced := true, units := c.units, fraction := c.fraction, amount := c.amount)),
      list_transform(coalesce(from_json(unpriced, '[{"meter":"VARCHAR","quantity":"VARCHAR"}]'), []), lambda u: struct_pack(
        meter := u.meter, priced := false, units := try_cast(u.quantity AS BIGINT),
        fraction := CASE WHEN try_cast(u.quantity AS BIGINT) IS NULL THEN u.quantity END, amount := 0::DECIMAL(38,12)))
    )) AS use
    FROM ${from}
  ) GROUP BY ALL`

const names = (by: readonly Dimension[]): string =>
  by
    .map((dimension, index) => (dimension === 'meter' ? '' : `${columnOf(dimension)} AS name_${index}, `))
    .join('')

const columns = {
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
  day: 'call_made // 86400000',
  hour: 'call_made // 3600000',
} as const

const columnOf = (dimension: Dimension): string => {
  if (isTag(dimension)) {
    const name = dimension.slice('tag:'.length).replaceAll('~', '~0').replaceAll('/', '~1')
    return `json_extract_string(call_tags, ${quoted(`/${name}`)})`
  }
  return dimension === 'meter' ? 'NULL' : columns[dimension]
}

const textOf = (dimension: Dimension): string => {
  if (dimension === 'day') return `strftime(make_timestamp(call_made * 1000), '%Y-%m-%d')`
  if (dimension === 'hour') return `strftime(make_timestamp(call_made * 1000), '%Y-%m-%dT%H')`
  return columnOf(dimension)
}

const readGroup = (by: readonly Dimension[], row: Readonly<Record<string, DuckDBValue>>): Group => {
  const fraction = row['fraction']
  const quantity =
    typeof fraction === 'string' ? scaled(fraction, whole(row['times'])) : rational(whole(row['units']))
  return {
    ...nothing,
    names: by.map((dimension, index) =>
      readName(dimension, row[dimension === 'meter' ? 'meter' : `name_${index}`]),
    ),
    currency: String(row['currency']),
    basis: String(row['basis']) as Basis,
    amount: whole(row['amount']),
    ...(by.includes('meter')
      ? { quantity, isPriced: row['priced'] === true }
      : {
          calls: whole(row['calls']),
          unpriced: whole(row['unpriced']),
          resentTokens: whole(row['resent_tokens']),
          resentAmount: whole(row['resent_amount']),
        }),
  }
}

const readName = (dimension: Dimension, value: DuckDBValue | undefined): string | null => {
  if (value === null || value === undefined) return null
  if (dimension === 'day') return new Date(Number(value) * dayMs).toISOString().slice(0, 10)
  if (dimension === 'hour') return new Date(Number(value) * 3_600_000).toISOString().slice(0, 13)
  return String(value)
}

const scaled = (fraction: string, times: bigint) => {
  const { numerator, denominator } = parseFraction(fraction)
  return rational(numerator * times, denominator)
}

const whole = (value: DuckDBValue | undefined): bigint => {
  if (typeof value === 'bigint') return value
  return value instanceof DuckDBDecimalValue ? value.value : 0n
}
