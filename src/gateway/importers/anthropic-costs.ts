import { member } from '../../endpoints/json.ts'
import { anthropicReport } from './anthropic-report.ts'
import { emptyLine, unusable } from './line.ts'
import { field } from './openai-report.ts'
import type { PagedImporter } from './pages.ts'
import { amountIn } from './raw-json.ts'

/** Anthropic's `GET /v1/organizations/cost_report`, by description and workspace: what it asks for, which is evidence
 * and no spend. Its amounts are cents, as decimals in text. What Priority Tier costs is not in it. */
export const anthropicCosts: PagedImporter = {
  ...anthropicReport,
  id: 'anthropic-costs',
  role: 'bill',
  widths: { '1d': 31 },
  routes: [
    { endpoint: 'cost_report', path: '/organizations/cost_report', groups: ['description', 'workspace_id'] },
  ],
  readResult: (found, { from, to }, { place }) => {
    const amount = amountIn(member(found, 'amount'), -2)
    if (amount === null) throw unusable(`${place}.amount`, 'cents were expected, as a decimal: "123.78912".')
    const currency = field(found, 'currency') ?? 'USD'
    if (!/^[A-Z]{3}$/.test(currency))
      throw unusable(`${place}.currency`, `"${currency.slice(0, 20)}" is no currency.`)
    const [model, token, kind] = [
      field(found, 'model'),
      field(found, 'token_type'),
      field(found, 'cost_type'),
    ]
    const parsed = [model, token ?? kind, field(found, 'context_window'), field(found, 'inference_geo')]
    return {
      ...emptyLine,
      ...{ from, to, amount, currency, model },
      endpoint: 'cost_report',
      tier: field(found, 'service_tier'),
      project: field(found, 'workspace_id'),
      lineItem: field(found, 'description') ?? (parsed.filter((each) => each !== null).join(', ') || null),
    }
  },
}
