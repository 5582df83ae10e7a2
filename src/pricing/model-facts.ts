import type { Instant } from '../time.ts'
import { malformed, readModelFile, type TunedRule } from './model-row.ts'

/** How sure a fact is: the vendor's own page or two independent sources; one source; weak or contradictory. */
export type Confidence = 'high' | 'medium' | 'low'

/** A fact of a model with who said it. `asOf`: the day the source said so. */
export type Stated<Value> = {
  readonly value: Value
  readonly source: string
  readonly asOf: string
  readonly confidence: Confidence
  readonly note: string | null
}

/** What is known of a model, or of what a name stood for from one instant to another (half-open; null: no bound).
 *
 * What bounds a call: how many tokens its window holds (prompt and answer), how many of them the prompt may have
 * where that is stated apart, else the window, and the longest answer. Null: not known, or the model has none.
 * `source`, `asOf` and `confidence` are of these.
 *
 * Its life: the day it was first served, the day its end was announced, the instant from which it is not served,
 * and the model the vendor names in its place. Null: nothing was found. An end that is `earliest` is no end yet:
 * the vendor promises to serve the model until then, and has announced nothing. */
export type ModelFact = {
  readonly provider: string
  readonly model: string
  readonly aliases: readonly string[]
  readonly from: Instant | null
  readonly to: Instant | null
  readonly contextWindow: number | null
  readonly inputTokensMax: number | null
  readonly outputTokensMax: number | null
  readonly source: string
  readonly asOf: string
  readonly confidence: Confidence
  readonly note: string | null
  readonly release: Stated<Instant> | null
  readonly deprecated: Stated<Instant> | null
  readonly shutdown: (Stated<Instant> & { readonly earliest: boolean }) | null
  readonly successor: Stated<string> | null
}

/** The open model facts: all of them as they stand in the files, and by provider and name, oldest first.
 * `tuned` has the forms of a provider's tuned models. */
export type ModelFacts = {
  readonly all: readonly ModelFact[]
  readonly byName: ReadonlyMap<string, readonly ModelFact[]>
  readonly tuned: ReadonlyMap<string, readonly TunedRule[]>
}

/** Opens the files of `prices/models/`, each as parsed from JSON (the README there has the format). Throws
 * `bad_model_row` naming the file by its provider, the model and the field. */
export const openModelFacts = (files: readonly unknown[]): ModelFacts => {
  const read = files.map(readModelFile)
  const all = read.flatMap(({ facts }) => facts)
  const byName = new Map<string, ModelFact[]>()
  for (const fact of all) {
    for (const name of [fact.model, ...fact.aliases]) {
      const key = keyOf(fact.provider, name)
      byName.set(key, [...(byName.get(key) ?? []), fact])
    }
  }
  for (const rows of byName.values()) {
    rows.sort((a, b) => start(a) - start(b))
    const twice = rows.find((row, index) => index > 0 && start(row) < end(rows[index - 1]))
    if (twice !== undefined) {
      throw malformed(
        twice.provider,
        twice.model,
        'model',
        'or one of its aliases is there twice at one time',
      )
    }
  }
  return { all, byName, tuned: new Map(read.map(({ provider, tuned }) => [provider, tuned])) }
}

/** What a name stood for at an instant, or stands for by the newest row where no instant is given: the facts of
 * the model by its name or alias; of a tuned model those of its base. Null when nothing is known of that time:
 * no neighbour stands in. */
export const findModel = (
  facts: ModelFacts,
  { provider, model, at }: { readonly provider: string; readonly model: string; readonly at?: Instant },
): ModelFact | null => {
  const rows = facts.byName.get(keyOf(provider, model)) ?? rowsOfBase(facts, provider, model)
  const holds = at === undefined ? rows.at(-1) : rows.find((row) => start(row) <= at && at < end(row))
  return holds ?? null
}

const rowsOfBase = (facts: ModelFacts, provider: string, model: string): readonly ModelFact[] => {
  for (const { before, after } of facts.tuned.get(provider) ?? []) {
    const at = model.indexOf(after, before.length)
    const whole = at === -1 && before !== '' ? model.length : at
    if (!model.startsWith(before) || whole === -1) continue
    return facts.byName.get(keyOf(provider, model.slice(before.length, whole))) ?? []
  }
  return []
}

const keyOf = (provider: string, model: string): string => `${provider}/${model}`

const start = ({ from }: ModelFact): number => from ?? Number.NEGATIVE_INFINITY

const end = (fact: ModelFact | undefined): number => fact?.to ?? Number.POSITIVE_INFINITY
