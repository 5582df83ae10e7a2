import { OctroiError } from '../errors.ts'
import { parseInstant } from '../time.ts'

/** What bounds a call to a model: how many tokens its window holds (prompt and answer), how many of them the
 * prompt may have where that is stated apart, and the longest answer. `asOf`: the day the source said so. */
export type ModelFact = {
  readonly provider: string
  readonly model: string
  readonly aliases: readonly string[]
  readonly contextWindow: number
  readonly inputTokensMax: number
  readonly outputTokensMax: number
  readonly source: string
  readonly asOf: string
  readonly confidence: 'high' | 'medium' | 'low'
  readonly note: string | null
}

/** The open model facts, by provider and name. */
export type ModelFacts = ReadonlyMap<string, ModelFact>

/** Opens the files of `prices/models/`, each as parsed from JSON: `{schema: "octroi-models/1", provider,
 * models: [...]}`. Where a row gives no `inputTokensMax` it is the window. Throws `bad_model_row` naming the
 * model and the field. */
export const openModelFacts = (files: readonly unknown[]): ModelFacts => {
  const facts = new Map<string, ModelFact>()
  for (const file of files) {
    for (const fact of readFile(file)) {
      for (const name of [fact.model, ...fact.aliases]) {
        const key = keyOf(fact.provider, name)
        if (facts.has(key)) throw malformed(name, 'model', 'is there twice')
        facts.set(key, fact)
      }
    }
  }
  return facts
}

/** The facts of a model by its name or alias; of a tuned model (`ft:base:...`) those of its base. Null when
 * nothing is known: no neighbour stands in. */
export const findModel = (
  facts: ModelFacts,
  { provider, model }: { readonly provider: string; readonly model: string },
): ModelFact | null => {
  const base = model.startsWith('ft:') ? (model.split(':', 2)[1] ?? '') : model
  return facts.get(keyOf(provider, base)) ?? null
}

const keyOf = (provider: string, model: string): string => `${provider}/${model}`

type Fields = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null

const readFile = (file: unknown): readonly ModelFact[] => {
  const fields = isObject(file) ? file : {}
  if (fields.schema !== 'octroi-models/1') throw malformed('(file)', 'schema', 'must be "octroi-models/1"')
  const provider = text('(file)', 'provider', fields.provider)
  if (!Array.isArray(fields.models)) throw malformed('(file)', 'models', 'must be a list')
  return fields.models.map((row: unknown) => readFact(provider, isObject(row) ? row : {}))
}

const readFact = (provider: string, row: Fields): ModelFact => {
  const model = text('(no name)', 'model', row.model)
  const contextWindow = tokens(model, 'contextWindow', row.contextWindow, Number.MAX_SAFE_INTEGER)
  const asOf = text(model, 'asOf', row.asOf)
  parseInstant(asOf)
  return {
    provider,
    model,
    aliases: Array.isArray(row.aliases) ? row.aliases.map((alias) => text(model, 'aliases', alias)) : [],
    contextWindow,
    inputTokensMax: tokens(model, 'inputTokensMax', row.inputTokensMax ?? contextWindow, contextWindow),
    outputTokensMax: tokens(model, 'outputTokensMax', row.outputTokensMax, contextWindow),
    source: text(model, 'source', row.source),
    asOf,
    confidence: confidence(model, row.confidence),
    note: row.note === undefined ? null : text(model, 'note', row.note),
  }
}

const text = (model: string, field: string, value: unknown): string => {
  if (typeof value !== 'string' || value === '') throw malformed(model, field, 'must be a text')
  return value
}

const tokens = (model: string, field: string, value: unknown, most: number): number => {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value <= 0 || value > most) {
    throw malformed(model, field, `must be a positive whole number of at most ${most}`)
  }
  return value
}

const confidence = (model: string, value: unknown): ModelFact['confidence'] => {
  if (value === 'high' || value === 'medium' || value === 'low') return value
  throw malformed(model, 'confidence', 'must be high, medium or low')
}

const malformed = (model: string, field: string, what: string): OctroiError =>
  new OctroiError('bad_model_row', `The facts of model "${model}": ${field} ${what}.`)
