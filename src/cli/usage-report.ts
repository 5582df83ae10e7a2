import { open } from 'node:fs/promises'
import { listOf, parseJson } from '../endpoints/json.ts'
import { OctroiError } from '../errors.ts'
import { readUsagePage, type VendorBucket } from '../reports/vendor-usage.ts'
import type { Instant } from '../time.ts'

const bytesMax = 64 * 1_048_576
const pagesMax = 1_000
const fetchMsMax = 60_000

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
    const url = addressOf(baseUrl)
    url.search = new URLSearchParams({
      ...{ start_time: `${from / 1000}`, end_time: `${to / 1000}` },
      ...{ bucket_width: '1m', limit: '1440', group_by: 'model' },
      ...(cursor !== null && { page: cursor }),
    }).toString()
    const page = readUsagePage(parseJson(await get(url, key, signal)))
    buckets.push(...page.buckets)
    if (page.next === null) return buckets
    if (seen.has(page.next) || seen.size >= pagesMax) {
      throw new OctroiError('upstream_broken', `The usage report of ${url.origin} does not end.`)
    }
    seen.add(page.next)
    cursor = page.next
  }
}

const addressOf = (baseUrl: string): URL => {
  const address = `${baseUrl.replace(/\/+$/, '')}/organization/usage/completions`
  const url = URL.canParse(address) ? new URL(address) : null
  if (url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '') return url
  throw new OctroiError('bad_input', `--base-url "${baseUrl.slice(0, 200)}" is no http or https address.`)
}

const get = async (url: URL, key: string, signal: AbortSignal): Promise<string> => {
  const until = AbortSignal.any([signal, AbortSignal.timeout(fetchMsMax)])
  const headers = { accept: 'application/json', authorization: `Bearer ${key}` }
  let reply: Response
  try {
    reply = await fetch(url, { headers, redirect: 'error', signal: until })
  } catch {
    throw new OctroiError('upstream_unreachable', `${url.origin} cannot be reached for its usage report.`)
  }
  if (!reply.ok) {
    await reply.body?.cancel()
    throw new OctroiError(
      'bad_input',
      `${url.origin} answered ${reply.status} when asked for its usage report. It needs an admin key.`,
    )
  }
  return textOf(reply, url.origin)
}

const textOf = async (reply: Response, from: string): Promise<string> => {
  const decoder = new TextDecoder()
  let [text, bytes] = ['', 0]
  for await (const chunk of reply.body ?? []) {
    bytes += chunk.byteLength
    if (bytes > bytesMax) throw tooLarge(`A page of ${from}`)
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

const tooLarge = (what: string): OctroiError =>
  new OctroiError('bad_input', `${what} is larger than ${bytesMax / 1_048_576} MiB. Take a shorter period.`)
