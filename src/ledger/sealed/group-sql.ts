import { quoted } from './duck.ts'
import type { GroupSources } from './group-sources.ts'
import { type Dimension, type GroupsAsked, isTag, type Only } from './grouping.ts'
import { dayRows, partColumns, sumsRows } from './sums-sql.ts'

/** Statements that give groups of sealed days. A group has its names in `name_0` and so on, a day or an hour as a number. */

/** What is grouped: what calls come to, or what each of their meters does. */
export type Grouped = 'calls' | 'meters'

/** The columns of sums of groups, beside their names, currency and basis. */
export const groupSums = {
  calls: ['amount', 'calls', 'unpriced', 'resent_tokens', 'resent_amount'],
  meters: ['amount', 'units', 'times'],
} as const

/** What tells groups apart beside their names. */
export const groupKeys = {
  calls: ['currency', 'basis'],
  meters: ['currency', 'basis', 'meter', 'priced', 'fraction'],
} as const

/** Columns of names. */
export const nameColumns = (by: readonly Dimension[]): readonly string[] =>
  by.map((_, index) => `name_${index}`)

/** The rows of all sources of a question, with `extra` rows of the same columns, if any: several of each group. A name of
 * the dimension `meter` is that of the row. */
export const groupRows = (
  asked: GroupsAsked,
  sources: GroupSources,
  { grouped, extra }: { readonly grouped: Grouped; readonly extra: boolean },
): string => {
  const { by, only = [] } = asked
  const hasTags = [...by, ...only.map(({ dimension }) => dimension)].some(isTag)
  const [keys, sums] = [groupKeys[grouped], groupSums[grouped]]
  const columns = (names: readonly string[]): string => [...names, ...keys, ...sums].join(', ')
  const read = (rows: string, isSums: boolean): string => rowsOf(asked, { rows, isSums, grouped, hasTags })
  const { days, changed } = sources
  const parts = [
    ...(days.length > 0 ? [read(dayRows(days, { changed: false }), false)] : []),
    ...(changed.length > 0 ? [read(dayRows(changed, { changed: true }), false)] : []),
    ...(sources.sums.length > 0 ? [read(sumsRows(sources.sums), true)] : []),
  ]
  const all: string[] = extra ? [`SELECT ${columns(nameColumns(by))} FROM extra_${grouped}`] : []
  if (parts.length === 0) return all.join()
  const named = by.map((dimension, index) =>
    isTag(dimension) ? `${columnOf(dimension, false)} AS name_${index}` : `name_${index}`,
  )
  const plain = nameColumns(by).filter((_, index) => !isTag(by[index] ?? 'day'))
  const joined = parts.join(' UNION ALL ')
  const tags = only.filter(({ dimension }) => isTag(dimension)).map((each) => conditionOf(each, false))
  all.unshift(
    hasTags
      ? `SELECT ${columns(named)} FROM (${summed(joined, [...plain, 'call_tags'], grouped)}) WHERE ${tags.join(' AND ') || 'true'}`
      : joined,
  )
  return all.join(' UNION ALL ')
}

/** Sums rows by some columns. */
export const summed = (rows: string, columns: readonly string[], grouped: Grouped): string => {
  const sums = groupSums[grouped].map((sum) => `sum(${sum}) AS ${sum}`)
  return `SELECT ${[...columns, ...groupKeys[grouped], ...sums].join(', ')} FROM (${rows}) GROUP BY ALL`
}

/** The rows of one kind of source, before their tags are read: each tag is read once, as often as it was written in
 * another way, since there are far fewer of those than calls. */
const rowsOf = (
  { from, to, by, only = [] }: GroupsAsked,
  {
    rows,
    isSums,
    grouped,
    hasTags,
  }: {
    readonly rows: string
    readonly isSums: boolean
    readonly grouped: Grouped
    readonly hasTags: boolean
  },
): string => {
  const names = by.flatMap((dimension, index) =>
    isTag(dimension) || dimension === 'meter' ? [] : [`${columnOf(dimension, isSums)} AS name_${index}`],
  )
  const common = [...names, ...(hasTags ? ['call_tags'] : []), 'call_currency AS currency', 'basis']
  const where = [
    ...(isSums ? [] : [`call_made >= ${Math.max(from, Number.MIN_SAFE_INTEGER)} AND call_made < ${to}`]),
    ...only.filter(({ dimension }) => !isTag(dimension)).map((each) => conditionOf(each, isSums)),
  ]
  const chosen = `FROM (${rows})${where.length > 0 ? ` WHERE ${where.join(' AND ')}` : ''}`
  if (grouped === 'calls') {
    const sums = groupSums.calls.map((sum) => `sum_${sum} AS ${sum}`)
    return `SELECT ${[...common, ...sums].join(', ')} ${chosen}`
  }
  const named = by.flatMap((dimension, index) => {
    if (isTag(dimension)) return []
    return dimension === 'meter' ? [`use.meter AS name_${index}`] : [`name_${index}`]
  })
  const columns = [...named, ...(hasTags ? ['call_tags'] : []), 'currency', 'basis']
  return `
    SELECT ${columns.join(', ')}, use.meter AS meter, use.priced AS priced, use.fraction AS fraction,
      use.amount AS amount, use.units::HUGEINT AS units, use.times AS times
    FROM (SELECT ${common.join(', ')}, unnest(uses) AS use ${chosen})`
}

const conditionOf = (only: Only, isSums: boolean): string => {
  const { dimension } = only
  const text = textOf(dimension, isSums)
  const patterns = 'value' in only ? [only.value === null ? null : [only.value]] : only.anyOf
  const tests = patterns.map((pieces) => {
    if (pieces === null) return `${columnOf(dimension, isSums)} IS NULL`
    if (pieces.length === 1) return `${text} = ${quoted(pieces[0] ?? '')}`
    const like = pieces.map((piece) => piece.replaceAll(/[\\%_]/g, '\\$&')).join('%')
    return `${text} LIKE ${quoted(like)} ESCAPE '\\'`
  })
  return `(${tests.join(' OR ')})`
}

const columnOf = (dimension: Dimension, isSums: boolean): string => {
  if (isTag(dimension)) {
    const name = dimension.slice('tag:'.length).replaceAll('~', '~0').replaceAll('/', '~1')
    return `json_extract_string(call_tags, ${quoted(`/${name}`)})`
  }
  switch (dimension) {
    case 'day':
      return isSums ? 'day' : 'call_made // 86400000'
    case 'hour':
      return 'call_made // 3600000'
    case 'currency':
      return 'call_currency'
    case 'basis':
    case 'tier':
      return dimension
    case 'meter':
      return 'NULL'
    default:
      return partColumns[dimension]
  }
}

const textOf = (dimension: Dimension, isSums: boolean): string => {
  if (dimension === 'day') {
    return `strftime(make_timestamp((${columnOf(dimension, isSums)}) * 86400000000), '%Y-%m-%d')`
  }
  if (dimension === 'hour') return `strftime(make_timestamp(call_made * 1000), '%Y-%m-%dT%H')`
  return columnOf(dimension, isSums)
}
