import { countOf, type Json, listOf, member } from '../../endpoints/json.ts'
import { parseInstant } from '../../time.ts'
import { readUsage, type UsageShape } from '../../usage/read.ts'
import { emptyLine, unusable } from './line.ts'
import { field } from './openai-report.ts'
import type { Page, PagedImporter } from './pages.ts'
import { amountIn } from './raw-json.ts'

/** Reasoning is counted in the completion as well. */
const counters: UsageShape = {
  at: {
    input_text_tokens: 'prompt_tokens',
    output_text_tokens: 'completion_tokens',
    output_reasoning_tokens: 'reasoning_tokens',
  },
  inside: ['output_reasoning_tokens'],
  sparse: true,
}

const dayMs = 86_400_000

/** OpenRouter's `GET /api/v1/activity`: the last 30 complete days (UTC) by model and provider, with what each came to
 * in credits (openrouter.ai/docs, read 2026-11-25). What was paid to a vendor by a key of one's own is not in it. */
export const openrouterActivity: PagedImporter = {
  id: 'openrouter-activity',
  role: 'usage',
  provider: 'openrouter',
  baseUrl: 'https://openrouter.ai/api/v1',
  keyVariable: 'OPENROUTER_MANAGEMENT_KEY',
  widths: { '1d': 30 },
  routes: [{ endpoint: 'activity', path: '/activity', groups: [] }],
  headers: (key) => ({ authorization: `Bearer ${key}` }),
  query: () => [],
  readPage: (page, place) => readDays(page, place),
  readResult: (found, { from, to }, { place }) => {
    const reading = readUsage(found, counters)
    if (reading === null) throw unusable(place, 'it does not say what was used.')
    if (reading.problems.length > 0)
      throw unusable(place, `its counts do not add up: ${reading.problems.join('; ')}.`)
    const amount = amountIn(member(found, 'usage'))
    if (amount === null) throw unusable(`${place}.usage`, 'an amount was expected, such as 0.015.')
    return {
      ...emptyLine,
      ...{ from, to, amount },
      endpoint: 'activity',
      model: field(found, 'model_permaslug') ?? field(found, 'model'),
      usage: reading.usage,
      requests: countOf(member(found, 'requests')),
      lineItem: field(found, 'provider_name'),
    }
  },
}

/** Its items name their day; there are no buckets and no pages. */
const readDays = (page: Json, place: string): Page => {
  const data = member(page, 'data')
  if (!Array.isArray(data)) throw unusable(place, 'data: a list of activities was expected.')
  const days = new Map<number, Json[]>()
  listOf(data).forEach((item, index) => {
    const date = field(item, 'date')?.slice(0, 10) ?? ''
    if (!/^\d{4}-\d{2}-\d{2}$/.test(date))
      throw unusable(`${place}, data[${index}].date`, 'a day was expected.')
    const from = parseInstant(date)
    const items = days.get(from)
    if (items === undefined) days.set(from, [item])
    else items.push(item)
  })
  const buckets = [...days].sort(([a], [b]) => a - b)
  return { buckets: buckets.map(([from, results]) => ({ from, to: from + dayMs, results })), next: null }
}
