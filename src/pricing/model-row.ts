import { OctroiError } from '../errors.ts'
import { type Instant, parseInstant } from '../time.ts'
import type { Confidence, ModelFact, Stated } from './model-facts.ts'

/** How the name of a tuned model is made of its base's: `ft:{base}:{organization}:...` has `ft:` before the base
 * and `:` after it. */
export type TunedRule = {
  readonly pattern: string
  readonly before: string
  readonly after: string
  readonly source: string
  readonly asOf: string
  readonly confidence: Confidence
}

/** A file of `prices/models/`, read and checked. */
export type ReadModelFile = {
  readonly provider: string
  readonly facts: readonly ModelFact[]
  readonly tuned: readonly TunedRule[]
}

/** Reads one file as parsed from JSON. `sources` names the sources that many rows share: a row that says
 * `"source": "page"` means the text and the day that stand there under `page`. Throws `bad_model_row`. */
export const readModelFile = (file: unknown): ReadModelFile => {
  const fields = isObject(file) ? file : {}
  if (fields.schema !== 'octroi-models/1') throw malformed('?', '?', 'schema', 'must be "octroi-models/1"')
  const inFile: Reading = { provider: '?', model: '(file)', sources: {} }
  const provider = text(inFile, 'provider', fields.provider)
  const sources = isObject(fields.sources) ? fields.sources : {}
  const reading = { ...inFile, provider, sources }
  refuseUnknown(reading, fields, ['schema', 'provider', 'sources', 'tunedModels', 'models'])
  return {
    provider,
    facts: list(reading, 'models', fields.models).map((row) => readFact(row, reading)),
    tuned: list(reading, 'tunedModels', fields.tunedModels ?? []).map((row) => readTuned(row, reading)),
  }
}

/** The error of a row that cannot be used. */
export const malformed = (provider: string, model: string, field: string, what: string): OctroiError =>
  new OctroiError('bad_model_row', `The model facts of ${provider}, model "${model}": ${field} ${what}.`, {
    provider,
    model,
    field,
  })

type Fields = Readonly<Record<string, unknown>>

/** What an error names, and the shared sources of the file. */
type Reading = { readonly provider: string; readonly model: string; readonly sources: Fields }

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const sourceFields = ['source', 'asOf', 'confidence', 'note']
const rowFields = [
  ...['model', 'aliases', 'from', 'to', 'contextWindow', 'inputTokensMax', 'outputTokensMax'],
  ...['release', 'deprecated', 'shutdown', 'successor', ...sourceFields],
]

const readFact = (row: unknown, file: Reading): ModelFact => {
  const fields = isObject(row) ? row : {}
  const model = text(file, 'model', fields.model)
  const reading = { ...file, model }
  refuseUnknown(reading, fields, rowFields)
  const window = tokens(reading, 'contextWindow', fields.contextWindow, Number.MAX_SAFE_INTEGER)
  const most = window ?? Number.MAX_SAFE_INTEGER
  const from = optional(fields.from, (value) => instant(reading, 'from', value))
  const to = optional(fields.to, (value) => instant(reading, 'to', value))
  if (to !== null && to <= (from ?? Number.NEGATIVE_INFINITY)) throw wrong(reading, 'to', 'is not after from')
  const fact: ModelFact = {
    provider: file.provider,
    model,
    aliases: list(reading, 'aliases', fields.aliases ?? []).map((alias) => text(reading, 'aliases', alias)),
    from,
    to,
    contextWindow: window,
    inputTokensMax: tokens(reading, 'inputTokensMax', fields.inputTokensMax, most) ?? window,
    outputTokensMax: tokens(reading, 'outputTokensMax', fields.outputTokensMax, most),
    ...sourceOf(reading, '', fields),
    release: optional(fields.release, (value) => readDay(reading, 'release', value)),
    deprecated: optional(fields.deprecated, (value) => readDay(reading, 'deprecated', value)),
    shutdown: optional(fields.shutdown, (value) => ({
      ...readDay(reading, 'shutdown', value),
      earliest: earliest(reading, value),
    })),
    successor: optional(fields.successor, (value) => readSuccessor(reading, value)),
  }
  checkLife(reading, fact)
  return fact
}

const checkLife = (
  reading: Reading,
  { model, release, deprecated, shutdown, successor }: ModelFact,
): void => {
  if (shutdown !== null && release !== null && shutdown.value <= release.value) {
    throw wrong(reading, 'shutdown', 'is not after release')
  }
  if (shutdown !== null && deprecated !== null && shutdown.value < deprecated.value) {
    throw wrong(reading, 'shutdown', 'is before deprecated')
  }
  if (successor?.value === model) throw wrong(reading, 'successor', 'is the model itself')
}

const readDay = (reading: Reading, field: string, value: unknown): Stated<Instant> => {
  const fields = isObject(value) ? value : {}
  refuseUnknown(
    reading,
    fields,
    ['on', ...(field === 'shutdown' ? ['earliest'] : []), ...sourceFields],
    field,
  )
  return {
    value: instant(reading, `${field}.on`, fields.on),
    ...sourceOf(reading, `${field}.`, fields),
  }
}

const earliest = (reading: Reading, value: unknown): boolean => {
  const said = isObject(value) ? (value.earliest ?? false) : false
  if (typeof said !== 'boolean') throw wrong(reading, 'shutdown.earliest', 'must be true or false')
  return said
}

const readSuccessor = (reading: Reading, value: unknown): Stated<string> => {
  const fields = isObject(value) ? value : {}
  refuseUnknown(reading, fields, ['model', ...sourceFields], 'successor')
  return {
    value: text(reading, 'successor.model', fields.model),
    ...sourceOf(reading, 'successor.', fields),
  }
}

const readTuned = (row: unknown, file: Reading): TunedRule => {
  const fields = isObject(row) ? row : {}
  refuseUnknown(file, fields, ['pattern', ...sourceFields], 'tunedModels')
  const pattern = text(file, 'tunedModels.pattern', fields.pattern)
  const [before, rest, more] = pattern.split('{base}')
  const after = rest?.split('{')[0] ?? ''
  if (before === undefined || more !== undefined || after === '') {
    throw wrong(file, 'tunedModels.pattern', 'must have {base} once, and text after it')
  }
  const { source, asOf, confidence } = sourceOf(file, 'tunedModels.', fields)
  return { pattern, before, after, source, asOf, confidence }
}

const sourceOf = (reading: Reading, place: string, fields: Fields): Omit<Stated<unknown>, 'value'> => {
  const name = text(reading, `${place}source`, fields.source)
  const shared = Object.hasOwn(reading.sources, name) ? reading.sources[name] : undefined
  const said = isObject(shared) ? shared : { text: name, asOf: fields.asOf }
  const asOf = text(reading, `${place}asOf`, said.asOf)
  instant(reading, `${place}asOf`, asOf)
  return {
    source: text(reading, `${place}source`, said.text),
    asOf,
    confidence: confidence(reading, `${place}confidence`, fields.confidence),
    note: optional(fields.note, (value) => text(reading, `${place}note`, value)),
  }
}

const optional = <Value>(value: unknown, read: (value: unknown) => Value): Value | null =>
  value === undefined || value === null ? null : read(value)

const text = (reading: Reading, field: string, value: unknown): string => {
  if (typeof value !== 'string' || value === '') throw wrong(reading, field, 'must be a text')
  return value
}

const list = (reading: Reading, field: string, value: unknown): readonly unknown[] => {
  if (!Array.isArray(value)) throw wrong(reading, field, 'must be a list')
  return value
}

const instant = (reading: Reading, field: string, value: unknown): Instant => {
  try {
    return parseInstant(text(reading, field, value))
  } catch (error) {
    throw error instanceof OctroiError && error.code === 'bad_instant'
      ? wrong(reading, field, `must be a day or an instant: ${error.message}`)
      : error
  }
}

const tokens = (reading: Reading, field: string, value: unknown, most: number): number | null =>
  optional(value, (count) => {
    if (typeof count === 'number' && Number.isSafeInteger(count) && count > 0 && count <= most) return count
    throw wrong(reading, field, `must be a positive whole number of at most ${most}`)
  })

const confidence = (reading: Reading, field: string, value: unknown): Confidence => {
  if (value === 'high' || value === 'medium' || value === 'low') return value
  throw wrong(reading, field, 'must be high, medium or low')
}

const refuseUnknown = (reading: Reading, fields: Fields, known: readonly string[], place?: string): void => {
  const unknown = Object.keys(fields).find((field) => !known.includes(field))
  if (unknown !== undefined) {
    throw wrong(reading, place === undefined ? unknown : `${place}.${unknown}`, 'is not a field of it')
  }
}

const wrong = ({ provider, model }: Reading, field: string, what: string): OctroiError =>
  malformed(provider, model, field, what)
