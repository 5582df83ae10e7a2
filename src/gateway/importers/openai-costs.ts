import { member, textOf } from '../../endpoints/json.ts'
import type { Meter } from '../../usage/meter.ts'
import type { Usage } from '../../usage/usage.ts'
import { emptyLine, unusable } from './line.ts'
import { field, openaiReport } from './openai-report.ts'
import type { PagedImporter } from './pages.ts'
import { amountIn } from './raw-json.ts'

/** What line items call a meter, where their quantity is in tokens. */
const meterOf: Readonly<Record<string, Meter>> = {
  input: 'input_text_tokens',
  'cached input': 'cached_input_tokens',
  output: 'output_text_tokens',
}

/** OpenAI's `GET /v1/organization/costs`, by line item and project (openai/openai-openapi, 2026-08-21): what it asks
 * for, which is evidence and no spend. Amounts are read digit by digit. */
export const openaiCosts: PagedImporter = {
  ...openaiReport,
  id: 'openai-costs',
  role: 'bill',
  widths: { '1d': 180 },
  routes: [{ endpoint: 'costs', path: '/organization/costs', groups: ['line_item', 'project_id'] }],
  readResult: (found, { from, to }, { place }) => {
    const amount = amountIn(member(member(found, 'amount'), 'value'))
    if (amount === null) throw unusable(`${place}.amount.value`, 'an amount was expected, such as 0.06.')
    const currency = textOf(member(member(found, 'amount'), 'currency'))
    if (currency === null || !/^[A-Za-z]{3}$/.test(currency)) {
      throw unusable(`${place}.amount.currency`, 'a currency of three letters was expected.')
    }
    const lineItem = field(found, 'line_item')
    const [, model, words] = /^([^\s,]+), (.+)$/.exec(lineItem ?? '') ?? []
    return {
      ...emptyLine,
      ...{ from, to, amount, lineItem },
      endpoint: 'costs',
      model: model ?? null,
      project: field(found, 'project_id'),
      apiKey: field(found, 'api_key_id'),
      currency: currency.toUpperCase(),
      usage: quantityOf(found, words),
    }
  },
}

const quantityOf = (found: unknown, words: string | undefined): Usage => {
  const [quantity, meter] = [member(found, 'quantity'), meterOf[words ?? '']]
  if (meter === undefined || member(found, 'quantity_unit') !== 'tokens') return {}
  return typeof quantity === 'number' && quantity >= 0 ? { [meter]: quantity } : {}
}
