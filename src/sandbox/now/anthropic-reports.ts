import { formatScaled } from '../../money/rational.ts'
import { formatInstant, type Instant, parseInstant } from '../../time.ts'
import type { BilledCall } from '../books.ts'
import {
  type BucketQuery,
  bucketsOf,
  groupFields,
  listed,
  readCursor,
  type Width,
  widths,
} from '../organization-pages.ts'
import type { WireRoute, World } from '../world.ts'
import { invalid } from './anthropic-face.ts'
import type { BillEntry, OpenBill } from './bill.ts'
import { contextWindow, type ExactLine } from './bill-lines.ts'

/** Anthropic's usage and cost reports of today, `/v1/organizations/usage_report/messages` and
 * `/v1/organizations/cost_report` (its pages as of 2026-10-09), from the bill. A call counts in the bucket in which it
 * was billed. The report by `speed` is told without the beta header that the vendor asks for. */
export const anthropicReports = (world: World, bill: OpenBill): readonly WireRoute[] => [
  adminRoute('usage_report/messages', (query) => {
    const asked = readQuery(query, { now: world.clock.now(), widths: ['1m', '1h', '1d'], ...usageFields })
    const its = bill
      .entries()
      .filter(({ call }) => call.provider === 'anthropic')
      .map((entry) => ({ ...entry, at: entry.call.at }))
    return pageOf(its, asked, usageResults)
  }),
  adminRoute('cost_report', (query) => {
    const asked = readQuery(query, {
      ...{ now: world.clock.now(), widths: ['1d'] },
      ...{ groups: ['workspace_id', 'description'], filters: {} },
    })
    // What the priority tier costs is not in this report.
    const lines = bill
      .exactLines()
      .filter(({ provider, tier }) => provider === 'anthropic' && tier !== 'priority')
      .map((line) => ({ ...line, at: parseInstant(line.day) }))
    return pageOf(lines, asked, costResults)
  }),
]

const adminRoute = (path: string, told: (query: URLSearchParams) => unknown): WireRoute => ({
  method: 'GET',
  path: `/anthropic/v1/organizations/${path}`,
  family: 'organization',
  admin: true,
  handle: ({ query }) => ({ json: told(query) }),
})

const usageFields = {
  groups: [
    ...['account_id', 'api_key_id', 'context_window', 'inference_geo', 'model'],
    ...['service_account_id', 'service_tier', 'speed', 'workspace_id'],
  ],
  filters: {
    account_ids: 'account_id',
    api_key_ids: 'api_key_id',
    workspace_ids: 'workspace_id',
    models: 'model',
    service_tiers: 'service_tier',
    context_window: 'context_window',
    inference_geos: 'inference_geo',
  },
} as const

/** Reads a query. Buckets begin at whole minutes, hours or days of UTC. Throws the vendor's refusal. */
const readQuery = (
  query: URLSearchParams,
  route: {
    readonly now: Instant
    readonly widths: readonly Width[]
    readonly groups: readonly string[]
    readonly filters: Readonly<Record<string, string>>
  },
): BucketQuery => {
  const width = route.widths.find((each) => each === (query.get('bucket_width') ?? '1d'))
  if (width === undefined) throw notAmong('bucket_width', route.widths)
  const { seconds: widthSeconds, unlessSaid, most } = widths[width]
  const start = secondsIn(query, 'starting_at')
  if (start === null) throw invalid('starting_at: Field required')
  const end = secondsIn(query, 'ending_at') ?? Math.floor(route.now / 1000) + 1
  if (end <= start) throw invalid('ending_at: must be after starting_at')
  const groups = listed(query, 'group_by')
  if (!groups.every((group) => route.groups.includes(group))) throw notAmong('group_by', route.groups)
  const limit = query.get('limit') ?? String(unlessSaid)
  if (!/^\d{1,6}$/.test(limit) || Number(limit) < 1 || Number(limit) > most) {
    throw invalid(`limit: Input should be a whole number from 1 to ${most}`)
  }
  const page = query.get('page') ?? ''
  const cursor = readCursor(page)
  if (page !== '' && cursor === null) throw invalid('page: Invalid page token')
  const only = Object.entries(route.filters).flatMap(([name, field]) => {
    const values = listed(query, name)
    return values.length === 0 ? [] : [[field, values] as const]
  })
  return {
    from: cursor ?? start - (start % widthSeconds),
    end,
    widthSeconds,
    limit: Number(limit),
    groups,
    only: new Map(only),
  }
}

const notAmong = (name: string, known: readonly string[]) =>
  invalid(`${name}: Input should be ${known.map((each) => `'${each}'`).join(', ')}`)

const secondsIn = (query: URLSearchParams, name: string): number | null => {
  const text = query.get(name)
  if (text === null || text === '') return null
  try {
    return Math.floor(parseInstant(text) / 1000)
  } catch {
    throw invalid(`${name}: Input should be a valid datetime`)
  }
}

const pageOf = <T extends { readonly at: Instant }>(
  items: readonly T[],
  asked: BucketQuery,
  resultsOf: (inBucket: readonly T[], asked: BucketQuery) => readonly unknown[],
): unknown => {
  const { buckets, next } = bucketsOf(items, asked)
  return {
    data: buckets.map(({ bucket, inBucket }) => ({
      starting_at: formatInstant(bucket.from * 1000),
      ending_at: formatInstant(bucket.to * 1000),
      results: resultsOf(inBucket, asked),
    })),
    has_more: next !== null,
    next_page: next,
  }
}

/** One result for each combination of what was grouped by. The classes of tokens are disjoint. */
const usageResults = (entries: readonly BillEntry[], { groups, only }: BucketQuery): readonly unknown[] => {
  const its = entries.filter(({ call }) =>
    [...only].every(([field, values]) => values.includes(String(usageField(call, field)))),
  )
  const grouped = Map.groupBy(its, ({ call }) =>
    JSON.stringify(groups.map((field) => usageField(call, field))),
  )
  return [...grouped.values()].map((group) => {
    const sum = (...meters: readonly string[]): number =>
      group.reduce(
        (all, { call }) => all + meters.reduce((some, meter) => some + (call.usage[meter] ?? 0), 0),
        0,
      )
    return {
      uncached_input_tokens: sum('input_text_tokens'),
      cache_creation: {
        ephemeral_1h_input_tokens: sum('cache_write_1h_tokens'),
        ephemeral_5m_input_tokens: sum('cache_write_5m_tokens'),
      },
      cache_read_input_tokens: sum('cached_input_tokens'),
      output_tokens: sum('output_text_tokens', 'output_reasoning_tokens'),
      server_tool_use: { web_search_requests: sum('web_search_call') },
      ...groupFields(usageFields.groups, groups, (field) => group[0] && usageField(group[0].call, field)),
    }
  })
}

/** The fast mode is a speed of the standard tier. */
const usageField = (call: BilledCall, field: string): string | null => {
  const tier = call.attributes?.['tier'] ?? 'standard'
  switch (field) {
    case 'api_key_id':
      return call.apiKey ?? null
    case 'workspace_id':
      return call.project ?? null
    case 'model':
      return call.model
    case 'service_tier':
      return serviceTier(tier)
    case 'speed':
      return tier === 'fast' ? 'fast' : 'standard'
    case 'context_window':
      return contextWindow(call.promptTokens ?? 0)
    case 'inference_geo':
      return 'not_available'
    default:
      return null
  }
}

const serviceTier = (tier: string): string => (tier === 'fast' ? 'standard' : tier)

/** What the cost report calls a meter of tokens. */
const tokenTypes: Readonly<Record<string, string>> = {
  input_text_tokens: 'uncached_input_tokens',
  output_text_tokens: 'output_tokens',
  cached_input_tokens: 'cache_read_input_tokens',
  cache_write_5m_tokens: 'cache_creation.ephemeral_5m_input_tokens',
  cache_write_1h_tokens: 'cache_creation.ephemeral_1h_input_tokens',
}

/** One result for each combination of what was grouped by, and each currency. Amounts are cents. Grouped by
 * description, a result names what the description is made of. */
const costResults = (lines: readonly ExactLine[], { groups }: BucketQuery): readonly unknown[] => {
  const described = groups.includes('description')
  const fieldOf = (line: ExactLine, field: string): string | null =>
    field === 'workspace_id' ? line.project : line.lineItem
  const grouped = Map.groupBy(lines, (line) =>
    JSON.stringify([line.currency, ...groups.map((field) => fieldOf(line, field))]),
  )
  return [...grouped.values()].flatMap((group) => {
    const [first] = group
    if (first === undefined) return []
    const { meter } = first
    const parsed = described && meter !== null
    const result = {
      currency: first.currency,
      amount: formatScaled(
        group.reduce((sum, { picos }) => sum + picos, 0n),
        10,
      ),
      ...groupFields(['workspace_id', 'description'], groups, (field) => fieldOf(first, field)),
      cost_type: parsed ? (meter === 'web_search_call' ? 'web_search' : 'tokens') : null,
      model: described ? first.model : null,
      service_tier: parsed ? serviceTier(first.tier) : null,
      token_type: parsed ? (tokenTypes[meter] ?? null) : null,
      context_window: parsed ? first.contextWindow : null,
      inference_geo: parsed ? 'not_available' : null,
    }
    return [result]
  })
}
