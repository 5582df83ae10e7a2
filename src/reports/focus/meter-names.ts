import { type Meter, meterFacts } from '../../usage/meter.ts'

/** What FOCUS is told of a meter. */
export type MeterNames = {
  /** SkuMeter. */
  readonly meter: string
  /** ConsumedUnit. */
  readonly unit: string
  /** `Input` or `Output`; null where it is not counted in tokens. */
  readonly direction: 'Input' | 'Output' | null
  /** Only of input tokens (draft of FOCUS 1.5, PR #2606). */
  readonly cacheAction: 'Uncached' | 'Read' | 'Write' | null
  readonly modality: string | null
}

/** The names that the worked examples of FOCUS give the four classes of tokens. Any other meter goes by its own name. */
const meterNames: Partial<Readonly<Record<Meter, string>>> = {
  input_text_tokens: 'Input Tokens',
  cached_input_tokens: 'Cache Read Input Tokens',
  cached_input_text_tokens: 'Cache Read Input Tokens',
  cache_write_tokens: 'Cache Write Input Tokens',
  output_text_tokens: 'Output Tokens',
}

/** Units of meters as FOCUS writes units: plural, in capitals. */
const units: Readonly<Record<string, string>> = {
  token: 'Tokens',
  'token-hour': 'Token-Hours',
  image: 'Images',
  character: 'Characters',
  second: 'Seconds',
  hour: 'Hours',
  'unit-hour': 'Unit-Hours',
  session: 'Sessions',
  'gigabyte-day': 'GB-Days',
  request: 'Requests',
  call: 'Calls',
  query: 'Queries',
  'search unit': 'Search Units',
  page: 'Pages',
}

const cacheActions = { none: 'Uncached', read: 'Read', write: 'Write' } as const

/** The names of a meter. */
export const namesOf = (meter: Meter): MeterNames => {
  const { unit, direction, cache, modality } = meterFacts(meter)
  const isToken = unit === 'token'
  return {
    meter: meterNames[meter] ?? meter.split('_').map(capital).join(' '),
    unit: units[unit] ?? `${capital(unit)}s`,
    direction: !isToken || direction === 'none' ? null : direction === 'input' ? 'Input' : 'Output',
    cacheAction: isToken && direction === 'input' ? cacheActions[cache] : null,
    modality: modality === 'none' ? null : modality,
  }
}

const capital = (word: string): string => `${word.charAt(0).toUpperCase()}${word.slice(1)}`
