import { formatScaled, multiply, parseDecimal, rational, roundHalfEven } from '../../money/rational.ts'
import { formatInstant } from '../../time.ts'
import type { BillEntry } from './bill.ts'
import { type BillFault, billedMeter, isFor } from './bill-faults.ts'
import { providerOf } from './books.ts'
import { defaultProject } from './callers.ts'

/** One line of a bill: what a day cost of one line item in a project, by one key. `amount` is a decimal text. */
export type BillLine = {
  readonly day: string
  readonly provider: string
  readonly project: string | null
  readonly apiKey: string | null
  /** In the vendor's words: `gpt-4o-2024-08-06, cached input`. */
  readonly lineItem: string
  readonly model: string | null
  /** Null for a credit. */
  readonly meter: string | null
  readonly tier: string
  /** Anthropic's, `0-200k` or `200k-1M`. */
  readonly contextWindow: string | null
  readonly quantity: number | null
  readonly amount: string
  readonly currency: string
}

/** A line with its amount in 10^-12 of the currency. */
export type ExactLine = Omit<BillLine, 'amount'> & { readonly picos: bigint }

export const shownLine = ({ picos, ...line }: ExactLine): BillLine => ({
  ...line,
  amount: formatScaled(picos, places),
})

const places = 12

/** The lines of some calls, by day, vendor, line item and project, with the faults of lines. */
export const linesOf = (
  entries: readonly BillEntry[],
  faults: readonly BillFault[],
): readonly ExactLine[] => {
  const lines = new Map<string, ExactLine>()
  for (const entry of entries) {
    for (const line of linesOfCall(entry)) {
      const key = [line.day, line.provider, line.lineItem, line.project ?? '', line.apiKey ?? ''].join('\n')
      const before = lines.get(key)
      lines.set(key, {
        ...line,
        quantity: (before?.quantity ?? 0) + (line.quantity ?? 0),
        picos: (before?.picos ?? 0n) + line.picos,
      })
    }
  }
  const sorted = [...lines].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, line]) => line)
  return faults.reduce(struck, sorted)
}

const linesOfCall = ({ call, items }: BillEntry): readonly ExactLine[] =>
  items.flatMap(({ meter, quantity, picos }): readonly ExactLine[] => {
    if (picos === null) return []
    const named = {
      provider: providerOf(call),
      model: call.model,
      meter: billedMeter(meter),
      tier: call.attributes?.['tier'] ?? 'standard',
      contextWindow: providerOf(call) === 'anthropic' ? contextWindow(call.promptTokens ?? 0) : null,
    }
    return [
      {
        ...{ day: formatInstant(call.at).slice(0, 10), ...named, lineItem: lineItem(named) },
        ...{ project: call.project ?? null, apiKey: call.apiKey ?? null },
        ...{ quantity, picos, currency: 'USD' },
      },
    ]
  })

/** A prompt of more than 200,000 tokens is in the long window. */
export const contextWindow = (promptTokens: number): string => (promptTokens > 200_000 ? '200k-1M' : '0-200k')

/** What OpenAI calls a meter in a line item. The vendor publishes no list: `MODEL, input` and the like are seen in
 * bills; the other words, and that a tier stands before them, are the sandbox's. */
const words: Readonly<Record<string, string>> = {
  input_text_tokens: 'input',
  cached_input_tokens: 'cached input',
  cached_input_text_tokens: 'cached input',
  cache_write_tokens: 'cache write',
  output_text_tokens: 'output',
  input_audio_tokens: 'audio input',
  cached_input_audio_tokens: 'cached audio input',
  output_audio_tokens: 'audio output',
  input_image_tokens: 'image input',
  cached_input_image_tokens: 'cached image input',
  output_image_tokens: 'image output',
  image: 'images',
  tts_characters: 'speech',
  audio_seconds: 'transcription',
  web_search_call: 'web search',
  file_search_call: 'file search',
  code_interpreter_session: 'code interpreter',
}

/** What Anthropic calls a meter in a description, as its pages' example does: `Claude Sonnet 4 Usage - Input Tokens`. */
const claudeWords: Readonly<Record<string, string>> = {
  input_text_tokens: 'Input Tokens',
  cached_input_tokens: 'Input Tokens, Cache Read',
  cache_write_5m_tokens: 'Input Tokens, Cache Write 5m',
  cache_write_1h_tokens: 'Input Tokens, Cache Write 1h',
  output_text_tokens: 'Output Tokens',
  web_search_call: 'Web Search',
}

const lineItem = ({
  provider,
  model,
  meter,
  tier,
  contextWindow,
}: Pick<BillLine, 'provider' | 'model' | 'tier' | 'contextWindow'> & { readonly meter: string }): string => {
  if (provider === 'anthropic') {
    const parts = [`${model} Usage - ${claudeWords[meter] ?? meter}`]
    if (tier !== 'standard') parts.push(tier)
    if (contextWindow === '200k-1M') parts.push(contextWindow)
    return parts.join(', ')
  }
  const what = `${tier === 'standard' ? '' : `${tier} `}${words[meter] ?? meter}`
  return model === null ? what : `${model}, ${what}`
}

const struck = (lines: readonly ExactLine[], fault: BillFault): readonly ExactLine[] => {
  if (fault.kind === 'credit') return [...lines, credit(fault)]
  const bend = bending(fault)
  if (bend === null) return lines
  return lines.map((line) =>
    isFor(fault, { ...line, meters: line.meter === null ? [] : [line.meter] }) ? bend(line) : line,
  )
}

const bending = (fault: BillFault): ((line: ExactLine) => ExactLine) | null => {
  if (fault.kind === 'rounding') {
    const unit = 10n ** BigInt(places - fault.places)
    return (line) => ({ ...line, picos: roundHalfEven(rational(line.picos, unit), 0) * unit })
  }
  if (fault.kind !== 'currency') return null
  const rate = parseDecimal(fault.rate)
  return (line) => ({
    ...line,
    currency: fault.currency,
    picos: roundHalfEven(multiply(rational(line.picos), rate), 0),
  })
}

const credit = ({
  day,
  provider,
  amount,
  model,
  project,
}: Extract<BillFault, { kind: 'credit' }>): ExactLine => ({
  ...{
    day,
    provider,
    model: model ?? null,
    meter: null,
    tier: 'standard',
    contextWindow: null,
    apiKey: null,
  },
  project: project ?? (provider === 'openai' ? defaultProject : null),
  lineItem: model === undefined ? 'credit' : `${model}, credit`,
  ...{ quantity: null, picos: -roundHalfEven(parseDecimal(amount), places), currency: 'USD' },
})
