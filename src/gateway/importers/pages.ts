import { type Json, listOf, member, textOf } from '../../endpoints/json.ts'
import { formatInstant, type Instant, parseInstant } from '../../time.ts'
import { type ImportLine, unusable } from './line.ts'

/** A stretch of time of a report by pages, and its results as they came. */
export type PageBucket = { readonly from: Instant; readonly to: Instant; readonly results: readonly Json[] }

/** A page, and the cursor of the one that follows. */
export type Page = { readonly buckets: readonly PageBucket[]; readonly next: string | null }

/** One route of a vendor's report. `path` goes behind the base address. */
export type Route = {
  /** Names what its lines are about in the ledger. */
  readonly endpoint: string
  readonly path: string
  readonly groups: readonly string[]
}

/** A report that comes by pages. */
export type PagedImporter = {
  readonly id: string
  readonly role: 'usage' | 'bill'
  readonly provider: string
  readonly baseUrl: string
  readonly keyVariable: string
  readonly routes: readonly Route[]
  /** Which widths a bucket may have, and how many of them a page has at most. */
  readonly widths: Readonly<Record<string, number>>
  readonly headers: (key: string) => Readonly<Record<string, string>>
  readonly query: (asked: {
    readonly from: Instant
    readonly to: Instant
    readonly width: string
    readonly limit: number
    readonly groups: readonly string[]
  }) => readonly (readonly [string, string])[]
  readonly readPage: (page: Json, place: string) => Page
  /** Null for a result that bills nothing. `endpoint` is the route it was asked of, null for a page from a file. */
  readonly readResult: (
    result: Json,
    bucket: PageBucket,
    at: { place: string; endpoint: string | null },
  ) => ImportLine
}

/** Reads a page of OpenAI's or Anthropic's shape; `secondsOrText` says how its buckets tell the time. */
export const readBucketPage = (
  page: Json,
  place: string,
  names: { readonly from: string; readonly to: string; readonly results: readonly string[] },
): Page => {
  const data = member(page, 'data')
  if (!Array.isArray(data))
    throw unusable(place, 'data: a list of buckets was expected. Is this a page of the report?')
  const next = textOf(member(page, 'next_page'))
  if (member(page, 'has_more') === true && next === null) {
    throw unusable(
      place,
      'next_page: has_more is true, and the next page is not named. The report is not whole.',
    )
  }
  const buckets = listOf(data).map((bucket, index) => {
    const at = `${place}, data[${index}]`
    const from = instantIn(member(bucket, names.from), `${at}.${names.from}`)
    const to = instantIn(member(bucket, names.to), `${at}.${names.to}`)
    if (to <= from) throw unusable(`${at}.${names.to}`, 'the bucket ends before it begins.')
    const results = names.results.map((name) => member(bucket, name)).find(Array.isArray)
    if (results === undefined) throw unusable(`${at}.${names.results[0]}`, 'a list of results was expected.')
    return { from, to, results: listOf(results) }
  })
  return { buckets, next: member(page, 'has_more') === true ? next : null }
}

/** Holds that buckets come in order and none overlaps another: what is told twice would be counted twice. */
export const orderKeeper = (place: string): ((page: Page) => void) => {
  let until = Number.NEGATIVE_INFINITY
  return ({ buckets }) => {
    for (const { from, to } of buckets) {
      if (from < until) {
        throw unusable(
          place,
          `the bucket that begins at ${formatInstant(from)} comes after one that ends at ${formatInstant(until)}: buckets are out of order, or told twice.`,
        )
      }
      until = to
    }
  }
}

const instantIn = (value: Json, place: string): Instant => {
  if (typeof value === 'number' && Number.isSafeInteger(value) && Math.abs(value) <= secondsMax)
    return value * 1000
  const text = textOf(value)
  if (text === null) throw unusable(place, 'a time was expected.')
  try {
    return parseInstant(text)
  } catch {
    throw unusable(place, `"${text.slice(0, 40)}" is no time.`)
  }
}

/** The year 9999. */
const secondsMax = 253_402_300_799
