import { type Instant, parseInstant } from '../time.ts'
import type { ImageRule } from './image-methods.ts'
import { openaiImageRules } from './image-rules-openai.ts'

const claudeGuide = 'Anthropic vision guide, platform.claude.com, size table of the 2026 revision'
const geminiImages = 'Gemini image understanding guide, ai.google.dev'
const geminiMedia = 'Gemini media resolution guide, ai.google.dev: approximate maxima of an item'

/** Every rule. Where sources contradict each other, docs/decisions/0006-image-rules-in-conflict.md says which
 * one is taken, and the interval of the count spans the other. */
export const imageRules: readonly ImageRule[] = [
  ...openaiImageRules,
  {
    id: 'anthropic-image/area-750',
    vendor: 'anthropic',
    models: claudesBefore47(),
    to: '2026-02-01',
    class: 'formula',
    confidence: 'low',
    source:
      'Anthropic vision guide until early 2026: width x height / 750. The day of the change is approximate',
    asOf: '2026-01-31',
    method: { kind: 'area', pixelsPerToken: 750, edgeMax: 1568, tokensMax: 1568 },
  },
  {
    id: 'anthropic-image/patch-28-standard',
    vendor: 'anthropic',
    models: claudesBefore47(),
    from: '2026-02-01',
    class: 'formula',
    confidence: 'high',
    source: claudeGuide,
    asOf: '2026-11-23',
    method: { kind: 'patch28', edgeMax: 1568, tokensMax: 1568 },
  },
  {
    id: 'anthropic-image/patch-28-high-resolution',
    vendor: 'anthropic',
    models: [
      ...['claude-opus-4-7', 'claude-opus-4-8', 'claude-opus-5', 'claude-opus-5-5', 'claude-sonnet-5'],
      ...['claude-sonnet-5-5', 'claude-haiku-5-5', 'claude-fable-*', 'claude-mythos-*'],
    ],
    class: 'formula',
    confidence: 'high',
    source: claudeGuide,
    asOf: '2026-11-23',
    method: { kind: 'patch28', edgeMax: 2576, tokensMax: 4784 },
  },
  {
    id: 'google-image/crop-unit',
    vendor: 'google',
    models: ['gemini-2.0-*', 'gemini-2.5-*'],
    class: 'formula',
    confidence: 'medium',
    source: `${geminiImages}; ${geminiMedia}, for the low resolution`,
    asOf: '2026-11-23',
    method: { kind: 'crop', tokensPerTile: 258, tokensLow: 64, tolerancePercent: 10 },
  },
  {
    id: 'google-image/budget',
    vendor: 'google',
    models: ['gemini-3-*', 'gemini-3.*'],
    class: 'calibrated',
    confidence: 'medium',
    source: geminiMedia,
    asOf: '2026-11-23',
    method: {
      kind: 'budget',
      levels: { default: 1120, low: 280, medium: 560, high: 1120, ultra_high: 2240 },
      tolerancePercent: 10,
    },
  },
]

function claudesBefore47(): readonly string[] {
  return [
    'claude-3-*',
    ...['claude-opus-4', 'claude-opus-4-0', 'claude-opus-4-1', 'claude-opus-4-5', 'claude-opus-4-6'],
    ...['claude-sonnet-4', 'claude-sonnet-4-0', 'claude-sonnet-4-5', 'claude-sonnet-4-6', 'claude-haiku-4-5'],
  ]
}

/** Who serves whose models by the same rules. */
const vendors: Readonly<Record<string, ImageRule['vendor']>> = {
  openai: 'openai',
  'azure-openai': 'openai',
  anthropic: 'anthropic',
  google: 'google',
}

/** The rule for a model as a provider calls it, at an instant, or the newest; null where none is known. Of a
 * tuned model (`ft:base:...`) it is that of its base, of a snapshot that of its model. */
export const imageRuleOf = (call: {
  readonly provider: string
  readonly model: string
  readonly at?: Instant | undefined
}): ImageRule | null => {
  const vendor = Object.hasOwn(vendors, call.provider) ? vendors[call.provider] : undefined
  const tuned = call.model.startsWith('ft:') ? (call.model.split(':', 2)[1] ?? '') : call.model
  const model = tuned.replace(/^models\//, '').replace(/-(?:\d{4}-\d{2}-\d{2}|\d{8})$/, '')
  const found = imageRules.filter((rule) => rule.vendor === vendor && holds(rule, model, call.at))
  return found.at(-1) ?? null
}

const holds = ({ models, from, to }: ImageRule, model: string, at: Instant | undefined): boolean =>
  models.some((name) => (name.endsWith('*') ? model.startsWith(name.slice(0, -1)) : model === name)) &&
  (from === undefined || at === undefined || at >= parseInstant(from)) &&
  (to === undefined || (at !== undefined && at < parseInstant(to)))
