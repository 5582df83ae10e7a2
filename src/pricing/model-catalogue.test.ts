import { readdirSync, readFileSync } from 'node:fs'
import * as catalogue from 'gpt-tokenizer/models'
import { describe, expect, it } from 'vitest'
import { formatInstant, parseInstant } from '../time.ts'
import { sunsets } from './lifecycle.ts'
import { findModel, openModelFacts } from './model-facts.ts'
import type { PriceFile } from './price-book.ts'

const readAll = (folder: string): readonly unknown[] => {
  const directory = new URL(`../../prices/${folder}`, import.meta.url)
  return readdirSync(directory)
    .filter((name) => name.endsWith('.json') && name !== 'schema.json')
    .map((name): unknown => JSON.parse(readFileSync(new URL(name, directory), 'utf8')))
}

const facts = openModelFacts(readAll('models/'))
const rows = (readAll('') as readonly PriceFile[]).flatMap(({ prices }) => prices)
const today = parseInstant('2026-11-23')

const providers = ['openai', 'anthropic', 'google', 'deepseek', 'mistral', 'xai', 'cohere', 'groq']

describe('the model facts', () => {
  it('are there for every provider with prices', () => {
    expect(new Set(facts.all.map(({ provider }) => provider))).toEqual(new Set(providers))
    for (const { provider } of rows) expect(providers).toContain(provider)
  })

  // How many models of each provider have a window, a cap on the answer, a release, an end (announced, past or
  // the earliest), and a successor. A name that changed counts once.
  it.each([
    ['openai', 132, { window: 102, cap: 106, release: 94, end: 91, successor: 70 }],
    ['anthropic', 29, { window: 26, cap: 25, release: 26, end: 23, successor: 16 }],
    ['google', 29, { window: 20, cap: 18, release: 20, end: 13, successor: 13 }],
    ['deepseek', 5, { window: 5, cap: 5, release: 4, end: 3, successor: 3 }],
    ['mistral', 25, { window: 14, cap: 0, release: 19, end: 9, successor: 9 }],
    ['xai', 18, { window: 12, cap: 4, release: 10, end: 6, successor: 5 }],
    ['cohere', 11, { window: 5, cap: 5, release: 0, end: 0, successor: 2 }],
    ['groq', 6, { window: 2, cap: 2, release: 0, end: 2, successor: 1 }],
  ])('of %s are of %i models, and know %j', (provider, models, known) => {
    const newest = new Map(
      facts.all.filter((fact) => fact.provider === provider).map((fact) => [fact.model, fact]),
    )
    const count = (has: (fact: (typeof facts.all)[number]) => unknown) =>
      [...newest.values()].filter((fact) => has(fact) !== null).length
    expect(newest.size).toBe(models)
    expect({
      window: count((fact) => fact.contextWindow),
      cap: count((fact) => fact.outputTokensMax),
      release: count((fact) => fact.release),
      end: count((fact) => fact.shutdown),
      successor: count((fact) => fact.successor),
    }).toEqual(known)
  })

  it('tell the life of a model once, on its newest row', () => {
    for (const fact of facts.all) {
      const newest = facts.all
        .filter((row) => row.provider === fact.provider && row.model === fact.model)
        .at(-1)
      const life = [fact.release, fact.deprecated, fact.shutdown, fact.successor].some(
        (known) => known !== null,
      )
      expect(!life || fact === newest, `${fact.provider} / ${fact.model}`).toBe(true)
    }
  })

  it('name successors that exist, of the same provider', () => {
    const unknown = facts.all.flatMap(({ provider, successor }) =>
      successor !== null && findModel(facts, { provider, model: successor.value }) === null
        ? [successor.value]
        : [],
    )
    // Never priced, so it has no row.
    expect(unknown).toEqual(['gpt-5-codex-mini'])
  })

  it('have an end to come for the models of OpenAI that end on 2026-12-11 and 2027-01-14', () => {
    const ends = sunsets(facts, { at: today })
      .filter(({ provider, status }) => provider === 'openai' && status === 'announced')
      .map(({ on, model }) => `${formatInstant(on).slice(0, 10)} ${model}`)
    expect(ends.filter((end) => end.startsWith('2026-12-11'))).toEqual(
      ['gpt-5', 'gpt-5-mini', 'gpt-5-nano', 'gpt-5-pro', 'o3', 'o3-pro'].map(
        (model) => `2026-12-11 ${model}`,
      ),
    )
    expect(ends).toContain('2027-01-14 gpt-4o')
  })
})

/** Models with a chat price in force today whose window nobody was found to state. */
const windowUnknown = [
  'anthropic / claude-mythos-5-1',
  'cohere / command-r-03-2024',
  'cohere / command-r-plus-04-2024',
  'openai / gpt-5.5-cyber',
  'openai / gpt-rosalind-research',
]

/** Names that moved on a day nobody was found to state, or that the price rows give to one model and the vendor's
 * page to another: no fact of them is given. */
const nameContested = ['cohere / command-r', 'cohere / command-r-plus', 'mistral / mistral-medium-latest']

describe('the models that one can call today', () => {
  const inForce = rows.filter(
    ({ service, effectiveFrom, effectiveTo }) =>
      service === 'chat' &&
      parseInstant(effectiveFrom) <= today &&
      (effectiveTo === null || today < parseInstant(effectiveTo)),
  )
  const windowOf = (provider: string, model: string) =>
    findModel(facts, { provider, model, at: today })?.contextWindow ?? null
  const priced = [...new Set(inForce.map(({ provider, model }) => `${provider} / ${model}`))].sort()
  const without = (names: readonly string[]) =>
    names.filter((name) => {
      const [provider = '', model = ''] = name.split(' / ')
      return windowOf(provider, model) === null
    })

  it('have a known window, but for the listed ones', () => {
    const found = without(priced)
    const expected = windowUnknown.filter((name) => priced.includes(name))
    expect(found, tell(priced.length, found)).toEqual(expected)
  })

  it('have it by all their names, but for the listed ones', () => {
    const aliases = inForce.flatMap(({ provider, aliases = [] }) =>
      aliases.map((alias) => `${provider} / ${alias.replace(/ \(.*$/, '')}`),
    )
    const found = without([...new Set(aliases)].sort())
    expect(found).toEqual(nameContested.filter((name) => aliases.includes(name)))
  })
})

/** What the failed test says: how many are missing, and which. */
const tell = (of: number, missing: readonly string[]): string =>
  `${missing.length} of ${of} models with a chat price today have no known window:\n${missing.join('\n')}`

describe('the ends that price rows tell', () => {
  it('are those of the facts, or the fact says that they differ', () => {
    const told = rows.flatMap(({ provider, model, scheduledEnd, endReason, effectiveTo, service }) => {
      const end = scheduledEnd ?? (endReason === 'shutdown' ? effectiveTo : null)
      const tuned = model === null || model.startsWith('ft:') || service === 'finetune_training'
      return end == null || tuned ? [] : [{ provider, model, end }]
    })
    expect(told.length).toBeGreaterThan(100)
    const differing = told.flatMap(({ provider, model, end }) => {
      const shutdown = findModel(facts, { provider, model })?.shutdown ?? null
      const same = shutdown !== null && formatInstant(shutdown.value).startsWith(end.slice(0, 10))
      return same || shutdown?.note?.includes('price rows') ? [] : [`${provider} / ${model} ${end}`]
    })
    expect([...new Set(differing)]).toEqual([])
  })
})

/** Where gpt-tokenizer's catalogue (4.0.0, 2026-08-16) and the facts differ, and who is right. */
const knownDifferences: Readonly<Record<string, string>> = {
  'gpt-3.5-turbo-0613: window 16385, not 4097': 'the facts: OpenAI refused more than 4,097 in 2023',
  'gpt-3.5-turbo-0613: output 4096, not 4097': 'the facts: in 2023 the window was the only bound',
  'gpt-3.5-turbo-16k-0613: output 4096, not 16385': 'the facts: 8,192 passed in November 2023',
  'gpt-4-32k: output 8192, not 32768': 'not known: the wider is kept',
  'gpt-5-chat-latest: input 272000, not 128000': 'the facts: a prompt cannot pass the window of 128,000',
  'gpt-5.1-chat-latest: input 272000, not 128000': 'the facts: a prompt cannot pass the window',
  'gpt-5.2-chat-latest: input 272000, not 128000': 'the facts: a prompt cannot pass the window',
  'gpt-5.3-chat-latest: input 272000, not 128000': 'the facts: a prompt cannot pass the window',
}

describe('the catalogue of gpt-tokenizer', () => {
  type Spec = Readonly<
    Record<'context_window' | 'max_input_tokens' | 'max_output_tokens', number | undefined>
  >
  const specs = Object.entries(catalogue as unknown as Readonly<Record<string, Partial<Spec>>>)
  const known = specs.flatMap(([model, spec]) => {
    const fact = findModel(facts, { provider: 'openai', model })
    return fact === null ? [] : [{ model, spec, fact }]
  })

  it('says the same, but for known differences', () => {
    expect(known.length).toBeGreaterThan(150)
    const differences = known.flatMap(({ model, spec, fact }) =>
      [
        ['window', spec.context_window, fact.contextWindow],
        ['input', spec.max_input_tokens, fact.inputTokensMax],
        ['output', spec.max_output_tokens, fact.outputTokensMax],
      ]
        .filter(([, theirs, ours]) => theirs !== undefined && theirs !== ours)
        .map(([what, theirs, ours]) => `${model}: ${what} ${theirs}, not ${ours}`),
    )
    expect(differences.sort()).toEqual(Object.keys(knownDifferences).sort())
  })
})
