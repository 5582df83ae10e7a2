import { setTimeout as sleep } from 'node:timers/promises'
import type { Json } from '../../endpoints/json.ts'
import { OctroiError } from '../../errors.ts'
import type { Instant } from '../../time.ts'
import { orderKeeper, type Page, type PagedImporter, type Route } from './pages.ts'
import { parseExact } from './raw-json.ts'

/** Bounds on what a vendor's report may take. */
const pageBytesMax = 64 * 1_048_576
const pagesMax = 10_000
const attemptsMax = 5
const attemptMsMax = 60_000
const waitMsMax = 60_000
const waitMsFirst = 500

/** What a vendor is asked. `key` appears in no message. */
export type Pull = {
  readonly importer: PagedImporter
  readonly baseUrl: string
  readonly key: string
  readonly from: Instant
  readonly to: Instant
  readonly width: string
  readonly pageSize: number
  readonly signal: AbortSignal
  /** Waits before another attempt; real time unless said. */
  readonly wait?: (milliseconds: number, signal: AbortSignal) => Promise<void>
}

/** A page as it came, and where it came from. */
export type Pulled = { readonly page: Page; readonly place: string }

/** Asks one route for its pages, one after the other. Gives null first where the vendor has no such route. Throws
 * `bad_input` for what cannot be asked or read, `upstream_unreachable`, and `upstream_broken` for cursors that do not
 * end. */
export async function* pullPages(pull: Pull, route: Route): AsyncGenerator<Pulled | null> {
  const { importer, from, to, width, pageSize } = pull
  const address = addressOf(pull.baseUrl, route.path)
  const keepOrder = orderKeeper(`${address.origin}${address.pathname}`)
  const seen = new Set<string>()
  for (let cursor: string | null = null; ; ) {
    const url = new URL(address)
    for (const [name, value] of importer.query({ from, to, width, limit: pageSize, groups: route.groups })) {
      url.searchParams.append(name, value)
    }
    if (cursor !== null) url.searchParams.append('page', cursor)
    const place = `${url.origin}${url.pathname}, page ${seen.size + 1}`
    const text = await getReport({ ...pull, url, headers: importer.headers(pull.key) })
    if (text === null) {
      yield null
      return
    }
    const page: Page = importer.readPage(parseExact(text, place) as Json, place)
    keepOrder(page)
    yield { page, place }
    if (page.next === null) return
    if (seen.has(page.next) || seen.size >= pagesMax) {
      throw new OctroiError(
        'upstream_broken',
        `${place}: its cursor "${page.next.slice(0, 60)}" came before. The report does not end.`,
      )
    }
    seen.add(page.next)
    cursor = page.next
  }
}

/** The address of a report. Throws `bad_input` for what is no http or https address. */
export const addressOf = (baseUrl: string, path: string): URL => {
  const address = `${baseUrl.replace(/\/+$/, '')}${path}`
  const url = URL.canParse(address) ? new URL(address) : null
  if (url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '') return url
  throw new OctroiError('bad_input', `--base-url "${baseUrl.slice(0, 200)}" is no http or https address.`)
}

/** Reads one page of a vendor's report as text, and tries again a few times where the vendor is busy, as long as it
 * says (`retry-after`), at most a minute each time. Null where there is no such page. */
export const getReport = async (asked: {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly signal: AbortSignal
  readonly wait?: Pull['wait']
}): Promise<string | null> => {
  const { url, signal, wait = pause } = asked
  for (let attempt = 1; ; attempt += 1) {
    const reply = await ask(asked)
    if (reply?.ok === true) return textOf(reply, url.origin)
    await reply?.body?.cancel()
    if (reply?.status === 404) return null
    const isBusy = reply === null || reply.status === 429 || reply.status >= 500
    if (!isBusy || attempt === attemptsMax || signal.aborted)
      throw refused(url, reply?.status ?? null, attempt)
    await wait(waitMs(reply, attempt), signal)
  }
}

const ask = async ({ url, headers, signal }: Parameters<typeof getReport>[0]): Promise<Response | null> => {
  const until = AbortSignal.any([signal, AbortSignal.timeout(attemptMsMax)])
  try {
    return await fetch(url, {
      headers: {
        accept: 'application/json',
        'user-agent': 'octroi (+https://www.npmjs.com/package/octroi)',
        ...headers,
      },
      redirect: 'error',
      signal: until,
    })
  } catch {
    return null
  }
}

const waitMs = (reply: Response | null, attempt: number): number => {
  const said = Number(reply?.headers.get('retry-after') ?? Number.NaN)
  const own = waitMsFirst * 2 ** (attempt - 1)
  return Math.min(waitMsMax, Number.isFinite(said) && said >= 0 ? Math.max(said * 1000, 1) : own)
}

const pause = async (milliseconds: number, signal: AbortSignal): Promise<void> => {
  await sleep(milliseconds, undefined, { signal }).catch(() => undefined)
}

const refused = (url: URL, status: number | null, attempts: number): OctroiError => {
  if (status === null) {
    return new OctroiError('upstream_unreachable', `${url.origin} cannot be reached for its usage report.`)
  }
  if (status === 429 || status >= 500) {
    return new OctroiError(
      'upstream_unreachable',
      `${url.origin} answered ${status} ${attempts} times when asked for its usage report. Try again later.`,
    )
  }
  return new OctroiError(
    'bad_input',
    `${url.origin} answered ${status} when asked for its usage report. It needs an admin key.`,
  )
}

const textOf = async (reply: Response, from: string): Promise<string> => {
  const decoder = new TextDecoder()
  let [text, bytes] = ['', 0]
  try {
    for await (const chunk of reply.body ?? []) {
      bytes += chunk.byteLength
      if (bytes > pageBytesMax) break
      text += decoder.decode(chunk, { stream: true })
    }
  } catch {
    throw new OctroiError('upstream_broken', `${from} broke off its usage report. Try again.`)
  }
  if (bytes <= pageBytesMax) return text + decoder.decode()
  throw new OctroiError(
    'bad_input',
    `A page of ${from} is larger than ${pageBytesMax / 1_048_576} MiB. Take a shorter period.`,
  )
}
