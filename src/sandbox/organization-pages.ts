import type { Instant } from '../time.ts'
import { isOneOf, shown } from './arguments.ts'
import { Refusal } from './refusal.ts'

/** What a usage or cost route was asked. Times are whole seconds; the end is exclusive. */
export type BucketQuery = {
  /** Where the first bucket of this page begins. */
  readonly from: number
  readonly end: number
  readonly widthSeconds: number
  /** How many buckets a page has. */
  readonly limit: number
  readonly groups: readonly string[]
  /** Only these values of a field, by its name in a result; a field that is not there takes all. */
  readonly only: ReadonlyMap<string, readonly string[]>
}

/** The widths of buckets, and how many a page has of each. */
export const widths = {
  '1m': { seconds: 60, unlessSaid: 60, most: 1440 },
  '1h': { seconds: 3600, unlessSaid: 24, most: 168 },
  '1d': { seconds: 86_400, unlessSaid: 7, most: 31 },
} as const
export type Width = keyof typeof widths

/** The filters, by their name in a query, and the field of a result that they hold to. */
const filters = {
  project_ids: 'project_id',
  user_ids: 'user_id',
  api_key_ids: 'api_key_id',
  models: 'model',
  sources: 'source',
  sizes: 'size',
  batch: 'batch',
} as const

/** Reads a query. Lists may be written `models=a&models=b` or `models[]=a`. Buckets begin at whole minutes, hours or
 * days of UTC. Throws a refusal that names the parameter. */
export const readBucketQuery = (
  query: URLSearchParams,
  route: {
    readonly now: Instant
    readonly widths: readonly Width[]
    readonly groups: readonly string[]
    /** The most buckets of a page, where the route has its own bound. */
    readonly limitMost?: number
    /** Filters of this route alone, as those of all: by their name in a query, the field that they hold to. */
    readonly filters?: Readonly<Record<string, string>>
  },
): BucketQuery => {
  const width = query.get('bucket_width') ?? '1d'
  if (!isOneOf(route.widths, width)) {
    throw wrong('bucket_width', `must be one of ${route.widths.join(', ')}, not ${shown(width)}`)
  }
  const { seconds: widthSeconds, unlessSaid, most } = widths[width]
  const start = whole(query, 'start_time', { most: secondsMost })
  if (start === null) throw wrong('start_time', 'is required')
  const end = whole(query, 'end_time', { most: secondsMost }) ?? Math.floor(route.now / 1000) + 1
  if (end <= start) throw wrong('end_time', 'must come after start_time')
  const groups = listed(query, 'group_by')
  const unknown = groups.find((group) => !route.groups.includes(group))
  if (unknown !== undefined) {
    throw wrong('group_by', `must be among ${route.groups.join(', ')}, not ${shown(unknown)}`)
  }
  const only = Object.entries({ ...filters, ...route.filters }).flatMap(([name, field]) => {
    const values = listed(query, name)
    return values.length === 0 ? [] : [[field, values] as const]
  })
  const page = query.get('page')
  return {
    from: page === null || page === '' ? start - (start % widthSeconds) : cursorOf(page),
    end,
    widthSeconds,
    limit: whole(query, 'limit', { least: 1, most: route.limitMost ?? most }) ?? unlessSaid,
    groups,
    only: new Map(only),
  }
}

/** A stretch of time, in whole seconds, half-open. */
export type Bucket = { readonly from: number; readonly to: number }

/** A page of buckets, oldest first; one in which nothing happened has no results. */
export const pageOf = <T extends { readonly at: Instant }>(
  calls: readonly T[],
  asked: BucketQuery,
  resultsOf: (calls: readonly T[], bucket: Bucket) => readonly unknown[],
): unknown => {
  const { buckets, next } = bucketsOf(calls, asked)
  return {
    object: 'page',
    data: buckets.map(({ bucket, inBucket }) => ({
      object: 'bucket',
      start_time: bucket.from,
      end_time: bucket.to,
      results: resultsOf(inBucket, bucket),
    })),
    has_more: next !== null,
    next_page: next,
  }
}

/** The buckets of a page, oldest first, with what is in each, and the cursor of the next page; null after the last. */
export const bucketsOf = <T extends { readonly at: Instant }>(
  items: readonly T[],
  { from, end, widthSeconds, limit }: BucketQuery,
): {
  readonly buckets: readonly { readonly bucket: Bucket; readonly inBucket: readonly T[] }[]
  readonly next: string | null
} => {
  const count = Math.max(0, Math.min(limit, Math.ceil((end - from) / widthSeconds)))
  const next = from + count * widthSeconds
  const inBuckets = Map.groupBy(
    items.filter(({ at }) => at >= from * 1000 && at < Math.min(next, end) * 1000),
    ({ at }) => Math.floor((at / 1000 - from) / widthSeconds),
  )
  return {
    buckets: Array.from({ length: count }, (_, index) => ({
      bucket: { from: from + index * widthSeconds, to: from + (index + 1) * widthSeconds },
      inBucket: inBuckets.get(index) ?? [],
    })),
    next: next < end ? `page_${Buffer.from(String(next)).toString('base64url')}` : null,
  }
}

/** The fields by which results are grouped, null where they are not. */
export const groupFields = (
  known: readonly string[],
  asked: readonly string[],
  fieldOf: (field: string) => unknown,
): Record<string, unknown> =>
  Object.fromEntries(known.map((field) => [field, asked.includes(field) ? (fieldOf(field) ?? null) : null]))

/** The year 9999. */
const secondsMost = 253_402_300_799

const cursorOf = (page: string): number => {
  const from = readCursor(page)
  if (from !== null) return from
  throw wrong('page', `is not one that was given out: ${shown(page)}`)
}

/** Where a page begins by its cursor, in seconds; null for what is no cursor. */
export const readCursor = (page: string): number | null => {
  const text = Buffer.from(page.replace(/^page_/, ''), 'base64url').toString()
  const from = /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN
  return page.startsWith('page_') && from <= secondsMost ? from : null
}

/** The values of a parameter that may be said several times, as `name` or as `name[]`. */
export const listed = (query: URLSearchParams, name: string): readonly string[] => [
  ...new Set([...query.getAll(name), ...query.getAll(`${name}[]`)]),
]

const whole = (
  query: URLSearchParams,
  name: string,
  { least = 0, most }: { readonly least?: number; readonly most: number },
): number | null => {
  const text = query.get(name)
  if (text === null || text === '') return null
  const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
  if (number >= least && number <= most) return number
  throw wrong(name, `must be a whole number from ${least} to ${most}, not ${shown(text)}`)
}

const wrong = (param: string, what: string): Refusal =>
  new Refusal(400, `Invalid parameter: '${param}' ${what}.`, { param })
