import { formatScaled } from '../../money/rational.ts'
import { parseInstant } from '../../time.ts'
import { type BucketQuery, groupFields, pageOf, readBucketQuery } from '../organization-pages.ts'
import type { WireRoute, World } from '../world.ts'
import type { OpenBill } from './bill.ts'
import type { ExactLine } from './bill-lines.ts'
import { type UsageKind, usageKinds, usageResults } from './usage-report.ts'

/** OpenAI's usage and cost routes of today, `/v1/organization/usage/*` and `/v1/organization/costs`
 * (openai/openai-openapi, 2026-08-21), from the bill. A call counts in the bucket in which it was billed. */
export const organizationNow = (world: World, bill: OpenBill): readonly WireRoute[] => [
  ...(Object.keys(usageKinds) as UsageKind[]).map((kind) =>
    adminRoute(`/v1/organization/usage/${kind}`, (query) => {
      const asked = readBucketQuery(query, {
        now: world.clock.now(),
        widths: ['1m', '1h', '1d'],
        groups: usageKinds[kind].groups,
        filters: { vector_store_ids: 'vector_store_id', context_levels: 'context_level' },
      })
      const its = bill
        .entries()
        .filter(({ call }) => (call.provider ?? 'openai') === 'openai')
        .map((entry) => ({ ...entry, at: entry.call.at }))
      return pageOf(its, asked, (inBucket) => usageResults(kind, inBucket, asked))
    }),
  ),
  adminRoute('/v1/organization/costs', (query) => {
    const asked = readBucketQuery(query, {
      now: world.clock.now(),
      widths: ['1d'],
      groups: ['project_id', 'line_item', 'api_key_id'],
      limitMost: 180,
    })
    const lines = bill
      .exactLines()
      .filter(({ provider }) => provider === 'openai')
      .map((line) => ({ ...line, at: parseInstant(line.day) }))
    return pageOf(lines, asked, (inBucket) => costResults(inBucket, asked))
  }),
]

const adminRoute = (path: string, told: (query: URLSearchParams) => unknown): WireRoute => ({
  method: 'GET',
  path,
  family: 'organization',
  admin: true,
  handle: ({ query }) => ({ json: told(query) }),
})

/** The costs of a day: one result for each combination of what was grouped by, and each currency. */
const costResults = (lines: readonly ExactLine[], { groups, only }: BucketQuery): readonly unknown[] => {
  const its = lines.filter((line) =>
    [...only].every(([field, values]) => values.includes(String(fieldOf(line, field)))),
  )
  const grouped = Map.groupBy(its, (line) =>
    JSON.stringify([line.currency, ...groups.map((field) => fieldOf(line, field))]),
  )
  return [...grouped.values()].flatMap((group) => {
    const [first] = group
    if (first === undefined) return []
    const byItem = groups.includes('line_item')
    const result = {
      object: 'organization.costs.result',
      amount: {
        value: exactNumber(group.reduce((sum, { picos }) => sum + picos, 0n)),
        currency: first.currency.toLowerCase(),
      },
      ...groupFields(['line_item', 'project_id', 'api_key_id'], groups, (field) => fieldOf(first, field)),
      quantity: byItem ? group.reduce(quantityAfter, null) : null,
      quantity_unit: byItem && first.meter !== null ? unitOf(first.meter) : null,
    }
    return [result]
  })
}

const quantityAfter = (sum: number | null, { quantity }: ExactLine): number | null =>
  quantity === null ? sum : (sum ?? 0) + quantity

const fieldOf = (line: ExactLine, field: string): string | null => {
  if (field === 'project_id') return line.project
  if (field === 'api_key_id') return line.apiKey
  return field === 'line_item' ? line.lineItem : null
}

/** The description names these units, and lets the vendor write any other. */
const units: Readonly<Record<string, string>> = {
  image: 'images',
  tts_characters: 'characters',
  audio_seconds: 'duration_seconds',
  web_search_call: 'calls',
  file_search_call: 'calls',
  code_interpreter_session: 'sessions',
  file_search_gb_day: 'gibibyte_days',
}

const unitOf = (meter: string): string | null => units[meter] ?? (meter.endsWith('_tokens') ? 'tokens' : null)

/** An amount of 10^-12 as a number of JSON with all its digits: no number of JavaScript could carry them. */
const exactNumber = (picos: bigint): unknown => JSON.rawJSON(formatScaled(picos, 12))

declare global {
  interface JSON {
    /** Of ES2026, in Node since 22: a text that `JSON.stringify` writes as it stands. */
    rawJSON(text: string): unknown
  }
}
