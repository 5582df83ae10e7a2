import { type Json, listOf } from '../../endpoints/json.ts'
import { OctroiError } from '../../errors.ts'
import { formatInstant, type Instant } from '../../time.ts'
import { createGathering, type Gathered } from './gather.ts'
import { type ImportLine, unusable } from './line.ts'
import { orderKeeper, type Page, type PagedImporter } from './pages.ts'
import { type Pull, pullPages } from './pull.ts'
import { parseExact } from './raw-json.ts'
import type { RowImporter } from './row-importer.ts'
import { readRows } from './rows.ts'
import { createSeen } from './seen.ts'

/** A report as it was read. */
export type ReadReport = {
  readonly lines: readonly Gathered[]
  /** Results of pages, or rows of a file. */
  readonly read: number
  /** Rows told a second time, and passed over. */
  readonly repeatedRows: number
  /** Rows that begin outside the period that was asked for, and were passed over. */
  readonly outside: number
  /** The period of the report, and the routes: what stood of them and is not reported any more is withdrawn. Null where
   * nothing was reported of any time. */
  readonly covered: {
    readonly from: Instant
    readonly to: Instant
    readonly endpoints: ReadonlySet<string> | null
  } | null
  /** Routes that the vendor does not have. */
  readonly missing: readonly string[]
}

/** The period that is asked for; null is without end. */
export type Period = { readonly from: Instant | null; readonly to: Instant | null }

const hourMs = 3_600_000

/** Pulls a report from the vendor, route by route. `routes`: only these. */
export const pullReport = async (
  pull: Pull,
  { provider, routes }: { readonly provider: string; readonly routes: readonly string[] | null },
): Promise<ReadReport> => {
  const { importer, from, to } = pull
  const gathering = createGathering({ provider, role: importer.role })
  const [endpoints, missing] = [new Set<string>(), [] as string[]]
  let read = 0
  for (const route of routesOf(importer, routes)) {
    for await (const pulled of pullPages(pull, route)) {
      if (pulled === null) {
        missing.push(route.endpoint)
        continue
      }
      endpoints.add(route.endpoint)
      read += addPage(
        pulled.page,
        importer,
        { ...pulled, endpoint: route.endpoint, period: pull },
        gathering.add,
      )
    }
  }
  if (endpoints.size === 0) {
    throw new OctroiError('bad_input', `${pull.baseUrl} has no such report (404). Check --base-url.`)
  }
  const covered = { from: Math.floor(from / hourMs) * hourMs, to: Math.ceil(to / hourMs) * hourMs, endpoints }
  return { lines: gathering.lines(), read, repeatedRows: 0, outside: 0, covered, missing }
}

const routesOf = (importer: PagedImporter, asked: readonly string[] | null) => {
  if (asked === null) return importer.routes
  const names = importer.routes.map(({ endpoint }) => endpoint.split('/').at(-1) ?? endpoint)
  const unknown = asked.find((name) => !names.includes(name))
  if (unknown === undefined) return importer.routes.filter((_, index) => asked.includes(names[index] ?? ''))
  throw new OctroiError('bad_input', `--route "${unknown}" is none of ${names.join(', ')}.`)
}

/** Pages that are in a file are read as a whole. */
const fileCharactersMax = 256 * 1_048_576

/** Reads pages that were kept in a file: one as JSON, a list of them, or one a line. */
export const readPages = async (
  source: AsyncIterable<Uint8Array | string>,
  {
    importer,
    file,
    provider,
    period,
  }: { importer: PagedImporter; file: string; provider: string; period: Period },
): Promise<ReadReport> => {
  const pages = await pagesIn(source, file)
  const gathering = createGathering({ provider, role: importer.role })
  const endpoints = new Set<string>()
  // Pages of several routes may be in one file: their buckets are in order route by route.
  const orders = new Map<string, ReturnType<typeof orderKeeper>>()
  let [read, outside, from, to] = [0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  const toldCursors = new Set<string>()
  for (const [index, each] of pages.entries()) {
    const place = pages.length === 1 ? file : `${file}, page ${index + 1}`
    const page = importer.readPage(each, place)
    if (page.next !== null && index === pages.length - 1) {
      throw unusable(
        place,
        'has_more is true, and this is the last page of the file. The report is not whole.',
      )
    }
    if (page.next !== null && toldCursors.has(page.next)) {
      throw unusable(place, `the cursor "${page.next.slice(0, 60)}" came before: a page is there twice.`)
    }
    if (page.next !== null) toldCursors.add(page.next)
    let ofPage: string | null = null
    const add = (line: ImportLine, where: () => string): void => {
      ofPage = line.endpoint
      if (isOutside(line, period)) outside += 1
      else gathering.add(line, where)
    }
    read += addPage(page, importer, { place, endpoint: null, period: null }, add)
    if (ofPage !== null) {
      endpoints.add(ofPage)
      const keep = orders.get(ofPage) ?? orderKeeper(file)
      orders.set(ofPage, keep)
      keep(page)
    }
    for (const bucket of page.buckets) [from, to] = [Math.min(from, bucket.from), Math.max(to, bucket.to)]
  }
  const covered = coveredBy(from, to, period)
  return {
    ...{ lines: gathering.lines(), read, repeatedRows: 0, outside, missing: [] },
    covered: covered === null ? null : { ...covered, endpoints },
  }
}

const pagesIn = async (
  source: AsyncIterable<Uint8Array | string>,
  file: string,
): Promise<readonly Json[]> => {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of source) {
    text += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true })
    if (text.length > fileCharactersMax) throw unusable(file, 'it is too large. Import a shorter period.')
  }
  const plain = (text + decoder.decode()).replace(/^\ufeff/, '').trim()
  if (plain === '') throw unusable(file, 'the file is empty.')
  const lines = plain.split('\n')
  if (lines.length > 1 && lines.every((line) => line.trim() === '' || /^\{.*\}\r?$/.test(line))) {
    return lines.flatMap((line, index) =>
      line.trim() === '' ? [] : [parseExact(line, `${file}, line ${index + 1}`)],
    )
  }
  const json = parseExact(plain, file)
  return Array.isArray(json) ? listOf(json) : [json]
}

/** Adds the results of a page, and gives how many there are. */
const addPage = (
  page: Page,
  importer: PagedImporter,
  at: {
    readonly place: string
    readonly endpoint: string | null
    readonly period: Pick<Pull, 'from' | 'to'> | null
  },
  add: (line: ImportLine, place: () => string) => void,
): number => {
  let read = 0
  page.buckets.forEach((bucket, index) => {
    bucket.results.forEach((result, position) => {
      const place = `${at.place}, data[${index}].results[${position}]`
      read += 1
      const line = importer.readResult(result, bucket, { place, endpoint: at.endpoint })
      if (at.period !== null && (bucket.from >= at.period.to || bucket.to <= at.period.from)) {
        throw unusable(place, `it is of ${formatInstant(bucket.from)}, which was not asked for.`)
      }
      add(line, () => place)
    })
  })
  return read
}

/** Reads a file of rows. `onRepeated`: what to do with a row that is there twice. */
export const readRowFile = async (
  source: AsyncIterable<Uint8Array | string>,
  asked: {
    readonly importer: RowImporter
    readonly file: string
    readonly separator: string | undefined
    readonly provider: string | null
    readonly period: Period
    readonly onRepeated: 'refuse' | 'skip'
  },
): Promise<ReadReport> => {
  const { importer, file, separator, period, onRepeated } = asked
  const gathering = createGathering({ provider: asked.provider ?? importer.provider, role: 'usage' })
  const seen = createSeen()
  let [read, repeatedRows, outside, from, to] = [0, 0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  const options = separator === undefined ? { file } : { file, separator }
  for await (const batch of readRows(source, options, importer.rows)) {
    for (const { line, id, at } of batch) {
      read += 1
      if (id !== null && !seen(id)) {
        if (onRepeated === 'refuse') {
          throw unusable(
            `${file}, line ${at}`,
            `the same line is there before ("${id.slice(0, 60).replaceAll('\u001f', ' ')}"): it would count twice. Pass over such lines with --repeated-rows skip.`,
          )
        }
        repeatedRows += 1
        continue
      }
      if (line === null) continue
      if (isOutside(line, period)) {
        outside += 1
        continue
      }
      if (line.from < from) from = line.from
      if (line.to > to) to = line.to
      gathering.add(line, () => `${file}, line ${at}`)
    }
  }
  const covered = coveredBy(from, to, period)
  return {
    ...{ lines: gathering.lines(), read, repeatedRows, outside, missing: [] },
    covered: covered === null ? null : { ...covered, endpoints: null },
  }
}

const isOutside = ({ from }: ImportLine, period: Period): boolean =>
  (period.from !== null && from < period.from) || (period.to !== null && from >= period.to)

/** What the operator names is covered; else what is between the first and the last of the file. */
const coveredBy = (
  first: Instant,
  last: Instant,
  { from, to }: Period,
): { from: Instant; to: Instant } | null => {
  const begin = from ?? Math.floor(first / hourMs) * hourMs
  const end = to ?? Math.ceil(last / hourMs) * hourMs
  return Number.isFinite(begin) && Number.isFinite(end) && begin < end ? { from: begin, to: end } : null
}
