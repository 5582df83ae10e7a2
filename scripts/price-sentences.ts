import type { Resolved } from '../src/pricing/price-book.ts'

/** A price as a data drop states it: a JSON object in snake case. */
export type Fact = Readonly<Record<string, unknown>>

/** What the sentences of a fact mean, spelled out from the other facts of the drop; null where it has none. Throws
 * for a sentence that is not known here: read it, and say below what it means. */
export const resolveSentences = (fact: Fact, facts: readonly Fact[]): Resolved | null => {
  const attributes = attributesOf(fact)
  const resolved: Resolved = {
    ...modelsOf(fact, attributes, facts),
    ...(attributes['windows'] === 'all other hours' && { windowsOtherThan: otherWindows(fact, facts) }),
    ...(attributes['holidays'] !== undefined && { calendar: calendarOf(attributes['holidays']) }),
    ...aliasesOf(fact),
    ...(fact['note'] === nothingElse && { free: uncharged }),
  }
  return Object.keys(resolved).length === 0 ? null : resolved
}

/** The calendars that sentences about holidays speak of, for the files of the providers that use them.
 * The notice lists days off work, some of which are weekend days; days worked in exchange are left out, because a
 * weekend stays one for the vendor's rule. */
export const calendars: Readonly<Record<string, Fact>> = {
  'cn-public-holidays': {
    source:
      'General Office of the State Council of China, notice of 2025-11-04 on the holidays of 2026 (Xinhua, politics.gmw.cn/2025-11/04/content_38391083.htm); chinesecalendar 1.11.0 agrees',
    days: [
      ...daysFrom('2026-01-01', 3),
      ...daysFrom('2026-02-15', 9),
      ...daysFrom('2026-04-04', 3),
      ...daysFrom('2026-05-01', 5),
      ...daysFrom('2026-06-19', 3),
      ...daysFrom('2026-09-25', 3),
      ...daysFrom('2026-10-01', 7),
    ],
    through: '2026-12-31',
  },
}

function daysFrom(first: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) =>
    new Date(Date.parse(first) + index * 86_400_000).toISOString().slice(0, 10),
  )
}

const calendarOf = (sentence: unknown): string => {
  if (sentence === 'CN public holidays are off-peak all day') return 'cn-public-holidays'
  throw unknownSentence(sentence)
}

const nothingElse = 'no cache-read, cache-write or output charge on this endpoint'
const uncharged = [
  'cached_input_tokens',
  'cache_write_tokens',
  'output_text_tokens',
  'output_reasoning_tokens',
] as const

const attributesOf = (fact: Fact): Fact => Object(fact['attributes'])

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

const unknownSentence = (sentence: unknown): Error =>
  new Error(`scripts/price-sentences.ts does not know what "${String(sentence)}" means.`)

/** Which models a sentence speaks of. `among`: of which provider; `test`: by name and by the first day of its first
 * price, which is the best that is known of its release. */
type ModelSentence = {
  readonly among: string
  readonly test: (model: string, firstDay: string) => boolean
}

const modelSentences: Readonly<Record<string, ModelSentence>> = {
  /** Whether a model is eligible for data residency is not in the facts: all of that time are taken to be. */
  'models released on or after 2026-03-05 that are data-residency eligible': {
    among: 'openai',
    test: (_model, firstDay) => firstDay >= '2026-03-05',
  },
  'Claude 4.6 and later': { among: 'anthropic', test: (model) => claudeVersion(model) >= 406 },
  'Claude 4.5 and later on Vertex AI / Bedrock regional endpoints': {
    among: 'anthropic',
    test: (model) => claudeVersion(model) >= 405,
  },
  /** A chat-latest model is in neither list: whether it reasons is not in the facts. */
  non_reasoning: {
    among: 'openai',
    test: (model) => /^(gpt-3\.5|gpt-4)/.test(model),
  },
  'reasoning (gpt-5, o-series)': {
    among: 'openai',
    test: (model) => /^(gpt-[56]|o\d)/.test(model) && !model.endsWith('chat-latest'),
  },
  'gemini-3*': { among: 'google', test: (model) => model.startsWith('gemini-3') },
  'gemini-2.x': { among: 'google', test: (model) => model.startsWith('gemini-2.') },
}

/** 406 for claude-opus-4-6 and for claude-opus-4-6-20260205; 500 for claude-sonnet-5; 0 for older names. */
const claudeVersion = (model: string): number => {
  const [, major = '0', minor = '0'] = /^claude-[a-z]+-(\d)(?:-(\d)(?!\d))?(?:-\d{8})?$/.exec(model) ?? []
  return Number(major) * 100 + Number(minor)
}

const modelsOf = (fact: Fact, attributes: Fact, facts: readonly Fact[]): Resolved => {
  const sentence = attributes['applies_to'] ?? attributes['models']
  if (sentence === undefined || sentence === 'all') return {}
  const meaning = modelSentences[String(sentence)]
  if (meaning === undefined) throw unknownSentence(sentence)
  const perToken = fact['kind'] === 'multiplier'
  const firstDays = new Map<string, string>()
  for (const { provider, model, meter, service, effective_from: from } of facts) {
    if (provider !== meaning.among || typeof model !== 'string') continue
    if (perToken ? !String(meter).endsWith('_tokens') : service !== 'chat') continue
    const first = firstDays.get(model)
    if (first === undefined || String(from) < first) firstDays.set(model, String(from))
  }
  const models = [...firstDays]
    .filter(([model, firstDay]) => !model.startsWith('ft:') && meaning.test(model, firstDay))
    .map(([model]) => model)
  return { models: models.sort() }
}

/** The windows of the other band of the same price at the same time. */
const otherWindows = (fact: Fact, facts: readonly Fact[]): readonly string[] => {
  const place = placeOf(fact)
  const others = facts.filter(
    (other) => placeOf(other) === place && Array.isArray(attributesOf(other)['windows']),
  )
  const found = new Set(others.map((other) => JSON.stringify(attributesOf(other)['windows'])))
  const [windows] = found
  if (windows === undefined || found.size > 1)
    throw new Error(`${place} has no one band for the other hours.`)
  return JSON.parse(windows)
}

const placeOf = (fact: Fact): string => {
  const { provider, model, service, meter, currency, effective_from: from } = fact
  const { time_band: _band, windows: _windows, ...attributes } = attributesOf(fact)
  return JSON.stringify([provider, model, service, meter, currency, from, attributes])
}

/** "mistral-medium-latest (from 2026-06-16)" is a name with its first day. */
const aliasesOf = (fact: Fact): Resolved => {
  const names = Array.isArray(fact['aliases']) ? fact['aliases'].map(textOf) : []
  const dated = names.map((name) => {
    const [, alias, from] = /^(.+) \(from (\d{4}-\d{2}-\d{2})\)$/.exec(name) ?? []
    return alias === undefined || from === undefined ? { name } : { name: alias, from }
  })
  const unread = dated.find(({ name }) => name.includes('('))
  if (unread !== undefined) throw unknownSentence(unread.name)
  return dated.some((alias) => 'from' in alias) ? { aliases: dated } : {}
}
