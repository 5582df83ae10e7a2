import { open } from 'node:fs/promises'
import { listOf, parseJson } from '../endpoints/json.ts'
import { OctroiError } from '../errors.ts'
import { addressOf, getReport } from '../gateway/importers/pull.ts'
import { readUsagePage, type VendorBucket } from '../reports/vendor-usage.ts'
import type { Instant } from '../time.ts'

const bytesMax = 64 * 1_048_576
const pagesMax = 1_000

/** Reads a usage report that was kept in a file: a page of it as JSON, or a list of its pages. Throws `bad_input` and
 * `bad_json`. */
export const readUsageFile = async (path: string): Promise<readonly VendorBucket[]> => {
  const unreadable = (error: NodeJS.ErrnoException): never => {
    throw new OctroiError('bad_input', `The usage report ${path} cannot be read (${error.code}).`)
  }
  const file = await open(path).catch(unreadable)
  try {
    if ((await file.stat()).size > bytesMax) throw tooLarge(path)
    const json = parseJson(await file.readFile('utf8').catch(unreadable))
    const pages = Array.isArray(json) ? listOf(json) : [json]
    return pages.flatMap((page) => readUsagePage(page).buckets)
  } finally {
    await file.close()
  }
}

/** Asks OpenAI for its usage of completions by the minute and model, page after page. `baseUrl` ends in `/v1`. The key
 * is an admin key, and appears in no message. Throws `bad_input` for what cannot be asked, `upstream_unreachable` and
 * `upstream_broken`. */
export const fetchUsage = async (asked: {
  readonly baseUrl: string
  readonly key: string
  readonly from: Instant
  readonly to: Instant
  readonly signal: AbortSignal
}): Promise<readonly VendorBucket[]> => {
  const { baseUrl, key, from, to, signal } = asked
  const buckets: VendorBucket[] = []
  const seen = new Set<string>()
  for (let cursor: string | null = null; ; ) {
    const url = addressOf(baseUrl, '/organization/usage/completions')
    url.search = new URLSearchParams({
      ...{ start_time: `${from / 1000}`, end_time: `${to / 1000}` },
      ...{ bucket_width: '1m', limit: '1440', group_by: 'model' },
      ...(cursor !== null && { page: cursor }),
    }).toString()
    const text = await getReport({ url, headers: { authorization: `Bearer ${key}` }, signal })
    if (text === null) throw new OctroiError('bad_input', `${url.origin} has no usage report (404).`)
    const page = readUsagePage(parseJson(text))
    buckets.push(...page.buckets)
    if (page.next === null) return buckets
    if (seen.has(page.next) || seen.size >= pagesMax) {
      throw new OctroiError('upstream_broken', `The usage report of ${url.origin} does not end.`)
    }
    seen.add(page.next)
    cursor = page.next
  }
}

const tooLarge = (what: string): OctroiError =>
  new OctroiError('bad_input', `${what} is larger than ${bytesMax / 1_048_576} MiB. Take a shorter period.`)
