import { readUsage, type UsageShape } from '../../usage/read.ts'
import { anthropicReport } from './anthropic-report.ts'
import { emptyLine, unusable } from './line.ts'
import { field } from './openai-report.ts'
import type { PagedImporter } from './pages.ts'

/** All classes apart: none counts another. */
const counters: UsageShape = {
  at: {
    input_text_tokens: 'uncached_input_tokens',
    cached_input_tokens: 'cache_read_input_tokens',
    cache_write_5m_tokens: 'cache_creation.ephemeral_5m_input_tokens',
    cache_write_1h_tokens: 'cache_creation.ephemeral_1h_input_tokens',
    output_text_tokens: 'output_tokens',
    web_search_call: 'server_tool_use.web_search_requests',
  },
  sparse: true,
}

/** More input tokens than a short context has, and than a call of a short one. */
const longContext = 200_001

/** Anthropic's `GET /v1/organizations/usage_report/messages`. It does not count requests. */
export const anthropicUsage: PagedImporter = {
  ...anthropicReport,
  id: 'anthropic-usage',
  role: 'usage',
  widths: { '1d': 31, '1h': 168, '1m': 1440 },
  routes: [
    {
      endpoint: 'usage_report/messages',
      path: '/organizations/usage_report/messages',
      groups: ['api_key_id', 'workspace_id', 'model', 'service_tier', 'context_window', 'inference_geo'],
    },
  ],
  readResult: (found, { from, to }, { place }) => {
    const reading = readUsage(found, counters)
    if (reading === null) throw unusable(place, 'it does not say what was used.')
    if (reading.problems.length > 0)
      throw unusable(place, `its counts are wrong: ${reading.problems.join('; ')}.`)
    const model = field(found, 'model')
    if (model === null) {
      throw unusable(
        `${place}.model`,
        'the report is not grouped by model. Ask for it with group_by[]=model.',
      )
    }
    const geo = field(found, 'inference_geo')
    return {
      ...emptyLine,
      ...{ from, to, model },
      endpoint: 'usage_report/messages',
      tier: field(found, 'service_tier'),
      attributes: geo === null || geo === 'not_available' ? {} : { inference_geo: geo },
      project: field(found, 'workspace_id'),
      apiKey: field(found, 'api_key_id'),
      usage: reading.usage,
      contextTokens: field(found, 'context_window') === '200k-1M' ? longContext : 0,
    }
  },
}
