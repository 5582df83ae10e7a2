import { statSync } from 'node:fs'
import { OctroiError } from '../../errors.ts'
import { ownerParts, serviceParts } from '../rollup.ts'
import type { Day } from '../seal.ts'
import { type SealedSums, type SumsName, type SumsPart, sumsNames } from '../sealed-sums.ts'
import { type Duck, isOutOfMemory, quoted, withDuck } from './duck.ts'
import { type FoldedSums, foldFiles } from './sums-fold.ts'
import { boundsOf, dayRows, keyColumns, type SumWidths, sumsOf, sumsRows, tagsWithout } from './sums-sql.ts'

/** How large sums may be, as fractions of what they sum: rows of its rows, and all sums of a day together of the bytes of
 * its file. Beyond that they would take room and save nothing. */
export type SumsLimits = {
  readonly rows: number
  readonly bytes: number
  /** A day of fewer calls is read as fast. */
  readonly calls: number
}

type Asked = {
  readonly spill: string
  readonly limits: SumsLimits
  /** The bytes of the days' files. */
  readonly bytes: number
}

/** Asks for sums of a sealed day from its file, a file for each name. */
export type DaySumsAsked = Asked & {
  readonly day: Day
  readonly file: string
  readonly paths: Readonly<Record<SumsName, string>>
}

/** Asks for sums of several days from sums of each. */
export type TenSumsAsked = Asked & {
  readonly name: SumsName
  readonly path: string
  readonly files: readonly string[]
  readonly has: FoldedSums
}

/** What was written; null where it is not worth it. */
export type WrittenSums = (FoldedSums & Pick<SealedSums, 'rows'>) | null

/** What sums of each name are by at least, and what more they may be by. */
const first = { 'end-users': 'endUser', tags: 'tags', conversations: 'conversation' } as const
const more: Readonly<Record<SumsName, readonly SumsPart[]>> = {
  'end-users': [...ownerParts, ...serviceParts],
  tags: [...ownerParts, ...serviceParts],
  conversations: [...ownerParts, ...serviceParts, 'endUser'],
}

/** Writes the sums of a day, and finds that they come to what a plain fold of its calls comes to. */
export const writeDaySums = (asked: DaySumsAsked): Promise<Readonly<Record<SumsName, WrittenSums>>> =>
  withDuck({ spill: asked.spill, memoryMb: 400, threads: 2 }, async (duck) => {
    const { day, file, paths, limits } = asked
    const rows = dayRows([file], { changed: false })
    const written: Record<SumsName, WrittenSums> = { 'end-users': null, tags: null, conversations: null }
    const calls = await countOf(duck, rows)
    if (calls < limits.calls) return written
    const mostRows = Math.floor(calls * limits.rows)
    const widths = await widthsOf(duck, rows, true)
    let left = asked.bytes * limits.bytes
    for (const name of sumsNames) {
      const has = await partsOf(duck, { name, rows, mostRows })
      if (has === null) continue
      const path = paths[name]
      written[name] = await writeRows(duck, { rows, mostRows, mostBytes: left, widths, day, name, path, has })
      if (written[name] !== null) left -= statSync(path).size
    }
    const made = sumsNames.filter((name) => written[name] !== null)
    await refuseWrong(duck, {
      ...{ files: [file], isDay: true, at: made.map((name) => paths[name]) },
      sums: made.flatMap((name) => written[name] ?? []),
    })
    return written
  })

/** Writes the sums of several days, and finds that they come to what those of each day come to. */
export const writeTenSums = (asked: TenSumsAsked): Promise<WrittenSums> =>
  withDuck({ spill: asked.spill, memoryMb: 400, threads: 2 }, async (duck) => {
    const { name, path, files, has } = asked
    const rows = sumsRows(files)
    const mostRows = Math.floor((await countOf(duck, rows)) * asked.limits.rows)
    const mostBytes = asked.bytes * asked.limits.bytes
    const widths = await widthsOf(duck, rows, has.hasMeters)
    const written = await writeRows(duck, { rows, mostRows, mostBytes, widths, day: null, name, path, has })
    if (written !== null) await refuseWrong(duck, { files, isDay: false, sums: [written], at: [path] })
    return written
  })

type Writing = {
  readonly rows: string
  readonly mostRows: number
  readonly mostBytes: number
  readonly day: Day | null
  readonly name: SumsName
  readonly path: string
  readonly has: FoldedSums
  readonly widths: SumWidths
}

const writeRows = async (duck: Duck, writing: Writing): Promise<WrittenSums> => {
  const { name, path, has, mostBytes } = writing
  for (const way of waysFrom(name, has)) {
    const rows = await copySums(duck, writing, way).catch((error: unknown) => {
      if (isOutOfMemory(error)) return 'too large' as const
      throw error
    })
    if (rows === 'too large') continue
    if (statSync(path).size <= mostBytes) return { ...way, rows }
  }
  return null
}

type Compared<Sums extends FoldedSums> = {
  readonly files: readonly string[]
  readonly isDay: boolean
  readonly sums: readonly Sums[]
  readonly at: readonly string[]
}

/** Asks whether sums come to what the files they are of come to. `at`: the path of each, in the same order. */
export type CheckSumsAsked = Compared<SealedSums>

/** Those sums that do not come to what they sum. */
export const checkSums = (asked: CheckSumsAsked): Promise<readonly SealedSums[]> =>
  withDuck({}, (duck) => wrongSums(duck, asked))

const wrongSums = async <Sums extends FoldedSums>(
  duck: Duck,
  { files, isDay, sums, at }: Compared<Sums>,
): Promise<readonly Sums[]> => {
  if (sums.length === 0) return []
  const folded = await foldFiles(duck, { files, isDay }, sums)
  const wrong: Sums[] = []
  for (const [index, each] of sums.entries()) {
    const [said] = await foldFiles(duck, { files: at.slice(index, index + 1), isDay: false }, [each])
    if (said !== folded[index]) wrong.push(each)
  }
  return wrong
}

const refuseWrong = async (duck: Duck, asked: Compared<FoldedSums>): Promise<void> => {
  const [wrong] = await wrongSums(duck, asked)
  if (wrong === undefined) return
  throw new OctroiError('internal', `The sums by ${wrong.parts.join(', ')} do not come to what they sum.`)
}

/** From the most to the least of what is worth keeping. */
const waysFrom = (name: SumsName, { parts, without, hasMeters }: FoldedSums): readonly FoldedSums[] => {
  const least = parts.filter((part) => part === first[name])
  const ways = [
    { parts, without, hasMeters },
    { parts: least, without, hasMeters },
    { parts: least, without, hasMeters: false },
  ]
  return ways.filter((way, index) => index === 0 || JSON.stringify(way) !== JSON.stringify(ways[index - 1]))
}

/** What sums can be by: tags go that have nearly as many values as there are calls; parts come that add next to no
 * rows, as the team of an end user who is of one. Null where none is left. */
const partsOf = async (
  duck: Duck,
  { name, rows, mostRows }: { readonly name: SumsName; readonly rows: string; readonly mostRows: number },
): Promise<FoldedSums | null> => {
  const without = name === 'tags' ? await tagsToLeave(duck, rows, mostRows) : []
  if (without === null) return null
  let parts: readonly SumsPart[] = [first[name]]
  const least = await countKeys(duck, rows, parts, without)
  if (least > mostRows) return null
  for (const part of more[name]) {
    const wider = [...parts, part]
    const count = await countKeys(duck, rows, wider, without)
    if (count <= Math.min(mostRows, least * widened)) parts = wider
  }
  return { parts, without, hasMeters: true }
}

/** By how much the parts may add to the rows. */
const widened = 1.1

/** Names that are more than this are no names. */
const tagNamesMost = 200

/** Leaves out tags, those with the most values first, until there are few enough. */
const tagsToLeave = async (duck: Duck, rows: string, mostRows: number): Promise<readonly string[] | null> => {
  const names = await duck.rows(`
    SELECT name, count(DISTINCT json_extract_string(call_tags, '/' || replace(replace(name, '~', '~0'), '/', '~1'))) AS values
    FROM (SELECT call_tags, unnest(json_keys(call_tags)) AS name FROM (SELECT DISTINCT call_tags FROM (${rows})))
    GROUP BY name ORDER BY values DESC, name LIMIT ${tagNamesMost + 1}`)
  if (names.length > tagNamesMost) return null
  const without: string[] = []
  for (const { name } of names) {
    if ((await countKeys(duck, rows, ['tags'], without)) <= mostRows) return without
    without.push(String(name))
  }
  return without.length === names.length && names.length > 0 ? null : without
}

const countKeys = (
  duck: Duck,
  rows: string,
  parts: readonly SumsPart[],
  without: readonly string[],
): Promise<number> => {
  const from = parts.includes('tags')
    ? `(SELECT * REPLACE (${tagsWithout(without)} AS call_tags) FROM (${rows}))`
    : `(${rows})`
  return countOf(duck, `SELECT DISTINCT ${keyColumns(parts).join(', ')} FROM ${from}`)
}

const countOf = async (duck: Duck, rows: string): Promise<number> => {
  const [row] = await duck.rows(`SELECT count(*) AS count FROM (${rows})`)
  return Number(row?.['count'] ?? 0)
}

/** Writes a file of sums and gives how many rows it has, where those are not too many. */
const copySums = async (duck: Duck, writing: Writing, way: FoldedSums): Promise<number | 'too large'> => {
  const { rows, mostRows, day, path, widths } = writing
  await duck.run(`CREATE OR REPLACE TABLE sums AS ${sumsOf(rows, { ...way, day, widths })}`)
  const counted = await countOf(duck, 'FROM sums')
  if (counted > mostRows) return 'too large'
  await duck.run(
    `COPY sums TO ${quoted(path)} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 3, PARQUET_VERSION v2)`,
  )
  return counted
}

/** A sum has 18 digits where it cannot have more. */
const widthsOf = async (duck: Duck, rows: string, hasMeters: boolean): Promise<SumWidths> => {
  const [row] = await duck.rows(
    `SELECT amount < 1e6 AS amount, resent < 1e6 AS resent, units < 1e18 AS units FROM (${boundsOf(rows, hasMeters)})`,
  )
  const width = (name: string): 18 | 38 => (row?.[name] === true ? 18 : 38)
  return { amount: width('amount'), resent: width('resent'), units: width('units') }
}
