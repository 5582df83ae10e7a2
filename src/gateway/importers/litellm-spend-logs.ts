import { readUsage, type UsageShape } from '../../usage/read.ts'
import { emptyLine, unusable } from './line.ts'
import type { RowImporter } from './row-importer.ts'
import { amountAt, countAt, hourOf, instantReader } from './row-values.ts'
import { findColumns } from './rows.ts'

/** The columns of the table `LiteLLM_SpendLogs` (BerriAI/litellm, schema.prisma). */
const wanted = {
  id: { names: ['request_id'], needed: true },
  startTime: { names: ['startTime', 'start_time'], needed: true },
  model: { names: ['model'], needed: true },
  spend: { names: ['spend'], needed: true },
  prompt: { names: ['prompt_tokens'], needed: true },
  completion: { names: ['completion_tokens'], needed: true },
  apiKey: { names: ['api_key'] },
  provider: { names: ['custom_llm_provider'] },
  team: { names: ['team_id'] },
  callType: { names: ['call_type'] },
  status: { names: ['status'] },
  metadata: { names: ['metadata'] },
} as const

/** What the proxy keeps of a reply's usage: the prompt has all input, what was cached and written included. */
const counters: UsageShape = {
  at: {
    input_text_tokens: 'prompt_tokens',
    cached_input_tokens: ['prompt_tokens_details.cached_tokens', 'cache_read_input_tokens'],
    cache_write_5m_tokens: 'cache_creation_input_tokens',
    output_text_tokens: 'completion_tokens',
    output_reasoning_tokens: 'completion_tokens_details.reasoning_tokens',
  },
  inside: ['cached_input_tokens', 'cache_write_5m_tokens', 'output_reasoning_tokens'],
  sparse: true,
}

/** An export of LiteLLM's spend logs, one call a row: folded by hour, model, key and team. What the proxy made it cost
 * is the amount. Calls that failed and cost nothing are passed over. */
export const litellmSpendLogs: RowImporter = {
  id: 'litellm-spend-logs',
  role: 'usage',
  provider: null,
  rows: (columns, place) => {
    const at = findColumns(columns, wanted, place(1))
    const instant = instantReader()
    return ({ line, value }) => {
      const id = value(at.id)
      if (id === '') throw unusable(place(line, 'request_id'), 'it is empty.')
      const begin = instant(value(at.startTime), () => place(line, 'startTime'))
      const amount = amountAt(value(at.spend) || '0', () => place(line, 'spend'))
      const prompt = countAt(value(at.prompt), () => place(line, 'prompt_tokens'))
      const completion = countAt(value(at.completion), () => place(line, 'completion_tokens'))
      const isNothing = amount === 0n && prompt === 0 && completion === 0
      if (isNothing || value(at.status) === 'failure') return { line: null, id, at: line }
      const from = hourOf(begin)
      return {
        id,
        at: line,
        line: {
          ...emptyLine,
          from,
          to: from + 3_600_000,
          provider: value(at.provider) || null,
          model: value(at.model) || null,
          endpoint: value(at.callType) || 'spend-logs',
          apiKey: value(at.apiKey) || null,
          project: value(at.team) || null,
          usage: usageOf(value(at.metadata), prompt, completion),
          amount,
          requests: 1,
        },
      }
    }
  },
}

/** The details are in the usage object of the metadata, where the proxy kept it. */
const usageOf = (metadata: string, prompt: number, completion: number) => {
  const whole = { prompt_tokens: prompt, completion_tokens: completion }
  const details = metadata.includes('"usage_object"') ? detailsOf(metadata) : null
  if (details === null) {
    return {
      ...(prompt > 0 && { input_text_tokens: prompt }),
      ...(completion > 0 && { output_text_tokens: completion }),
    }
  }
  return readUsage({ ...details, ...whole }, counters)?.usage ?? {}
}

const detailsOf = (metadata: string): object | null => {
  try {
    const { usage_object: found } = JSON.parse(metadata) as { usage_object?: unknown }
    return typeof found === 'object' && found !== null ? found : null
  } catch {
    return null
  }
}
