import { countOf, type Json, listOf, member, textOf } from '../endpoints/json.ts'
import { OctroiError } from '../errors.ts'
import { formatInstant, type Instant } from '../time.ts'

/** Tokens of text that went in and that came out, cached ones and reasoning included. */
export type Tokens = { readonly input: number; readonly output: number }

/** A stretch of time of the vendor's usage report, half-open, and what it billed in it by model. */
export type VendorBucket = {
  readonly from: Instant
  readonly to: Instant
  readonly used: ReadonlyMap<string, Tokens>
}

/** Reads a page of OpenAI's `GET /v1/organization/usage/completions`, grouped by model, in the fields of its API
 * description of 2026-08-21. `next` is the cursor of the page that follows. Throws `bad_input` for what is no such
 * page. */
export const readUsagePage = (
  page: Json,
): { readonly buckets: readonly VendorBucket[]; readonly next: string | null } => {
  if (textOf(member(page, 'object')) !== 'page') throw unreadable('it is no page of a usage report')
  const next = member(page, 'has_more') === true ? textOf(member(page, 'next_page')) : null
  if (member(page, 'has_more') === true && next === null) {
    throw unreadable('has_more is true, and the next page is not named')
  }
  return { buckets: listOf(member(page, 'data')).map(readBucket), next }
}

/** Puts buckets in order. Throws `bad_input` where one is missing, or told twice: what lies in a gap would be taken
 * for not billed. */
export const inOrder = (buckets: readonly VendorBucket[]): readonly VendorBucket[] => {
  const sorted = buckets.toSorted((a, b) => a.from - b.from)
  for (const [index, { to }] of sorted.entries()) {
    const next = sorted[index + 1]
    if (next !== undefined && next.from !== to) {
      throw unreadable(`after ${formatInstant(to)} it goes on at ${formatInstant(next.from)}`)
    }
  }
  return sorted
}

const readBucket = (bucket: Json): VendorBucket => {
  const [from, to] = [countOf(member(bucket, 'start_time')), countOf(member(bucket, 'end_time'))]
  if (from === null || to === null || from >= to || to > secondsMax) {
    throw unreadable('a bucket does not say when it begins and ends')
  }
  const used = new Map<string, Tokens>()
  // Copies of the description from before 2026 call the list `result`.
  for (const result of listOf(member(bucket, 'results') ?? member(bucket, 'result'))) {
    const model = textOf(member(result, 'model'))
    const [input, output] = [
      countOf(member(result, 'input_tokens')),
      countOf(member(result, 'output_tokens')),
    ]
    if (model === null) throw unreadable('it is not grouped by model: ask with group_by=model')
    if (input === null || output === null) throw unreadable(`it does not count the tokens of ${model}`)
    const before = used.get(model) ?? { input: 0, output: 0 }
    used.set(model, { input: before.input + input, output: before.output + output })
  }
  return { from: from * 1000, to: to * 1000, used }
}

/** The year 9999. */
const secondsMax = 253_402_300_799

const unreadable = (why: string): OctroiError =>
  new OctroiError('bad_input', `The usage report cannot be read: ${why}.`)
