/** A vocabulary that splits text into tokens. */
export type Encoding = 'cl100k_base' | 'o200k_base' | 'o200k_harmony' | 'p50k_base' | 'r50k_base'

/** Tokens a vendor adds to a prompt that has any tool at all, beside what the published formula gives. */
export type ToolsBlock = { readonly expected: number; readonly most: number }

/** Models whose prompts are counted by one rule. `models` are exact names, or prefixes that end in `*`.
 * `confidence`: `exact` where recorded usage of the vendor agrees with the rule to the token, `formula` where
 * published measurements agree but not in every case, `calibrated` where the rule is a neighbour's and only a
 * margin is known, `unknown` where nobody has published anything.
 * A prompt is `priming` + for every message `perMessage` + its texts (+ `perName` where it has a name).
 * `margins`: by how much each message may cost more or less, each assistant's message more, and priming more.
 * `toolsBlock` is null where nobody has measured it. `dated`: the day or month of the evidence. */
export type ModelFamily = {
  readonly rule: string
  readonly models: readonly string[]
  readonly encoding: Encoding
  readonly perMessage: number
  readonly perName: number
  readonly priming: number
  readonly confidence: 'exact' | 'formula' | 'calibrated' | 'unknown'
  readonly margins?: { readonly message?: number; readonly assistant?: number; readonly priming?: number }
  readonly toolsBlock: ToolsBlock | null
  readonly dated: string
  readonly source: string
}

const openai = { perMessage: 3, perName: 1, priming: 3 }
const noBlock: ToolsBlock = { expected: 0, most: 0 }

/** Reasoning models prime with one token less, says everyone but openai/openai-cookbook pull request 2515; an
 * assistant's message in the history was seen to cost 1 or 2 more. */
const reasoning = {
  encoding: 'o200k_base',
  ...openai,
  priming: 2,
  confidence: 'formula',
  margins: { assistant: 2, priming: 1 },
  dated: '2025-12',
  source:
    'coder/ai-tokenizer at 9fa777a; pydantic/pydantic-ai pull request 3447 (109, not 110); contradicted by ' +
    'openai/openai-cookbook pull request 2515',
} as const

const unmeasured = {
  encoding: 'o200k_base',
  ...openai,
  margins: { message: 3 },
  dated: '2026-11-23',
} as const

const textOnly = {
  dated: '2026-11-23',
  source: 'encoding: openai/tiktoken model.py at 4e71bbe; these models take no chat messages',
}

/** The longest pattern that matches wins. Of the blocks for tools, all measured in December 2025 (coder/
 * ai-tokenizer at 9fa777a), the 16 of gpt-4o and gpt-4.1 is contradicted by recorded usage, so nothing is
 * expected there; they change without notice from one snapshot to the next. */
const families: readonly ModelFamily[] = [
  {
    rule: 'openai-chat/gpt-3.5-turbo-0301',
    models: ['gpt-3.5-turbo-0301'],
    encoding: 'cl100k_base',
    perMessage: 4,
    perName: -1,
    priming: 3,
    confidence: 'exact',
    toolsBlock: null,
    dated: '2026-11-23',
    source: 'openai/openai-cookbook, How_to_count_tokens_with_tiktoken.ipynb at 06d9feb',
  },
  {
    rule: 'openai-chat/gpt-4',
    models: ['gpt-3.5-turbo', 'gpt-3.5-turbo-*', 'gpt-35-*', 'gpt-4', 'gpt-4-*'],
    encoding: 'cl100k_base',
    ...openai,
    confidence: 'exact',
    toolsBlock: noBlock,
    dated: '2026-11-23',
    source: 'openai/openai-cookbook at c81359c (129 = API); hmarr/openai-chat-tokens at b8e3b11',
  },
  {
    rule: 'openai-chat/gpt-4o',
    models: ['gpt-4o', 'gpt-4o-*', 'chatgpt-4o-*', 'gpt-4.1', 'gpt-4.1-*', 'gpt-5-chat*'],
    encoding: 'o200k_base',
    ...openai,
    confidence: 'exact',
    toolsBlock: { expected: 0, most: 16 },
    dated: '2026-11-23',
    source:
      'openai/openai-cookbook at c81359c (124 = API); pamelafox/openai-messages-token-helper at b60075e',
  },
  {
    rule: 'openai-chat/reasoning',
    models: ['o1', 'o1-*', 'o3', 'o3-*', 'o4-mini', 'o4-mini-*'],
    ...reasoning,
    toolsBlock: { expected: 19, most: 19 },
  },
  {
    rule: 'openai-chat/gpt-5',
    models: ['gpt-5', 'gpt-5-*'],
    ...reasoning,
    toolsBlock: { expected: 24, most: 24 },
  },
  {
    rule: 'openai-chat/gpt-5-mini',
    models: ['gpt-5-mini', 'gpt-5-mini-*', 'gpt-5-nano', 'gpt-5-nano-*'],
    ...reasoning,
    toolsBlock: { expected: 21, most: 24 },
  },
  {
    rule: 'openai-chat/gpt-5.1',
    models: ['gpt-5.1', 'gpt-5.1-*'],
    ...unmeasured,
    confidence: 'calibrated',
    toolsBlock: { expected: 103, most: 103 },
    source: 'block for tools: coder/ai-tokenizer at 9fa777a; overhead: no public measurement, from gpt-4o',
  },
  {
    rule: 'openai-chat/unmeasured',
    models: ['gpt-4.5', 'gpt-4.5-*', 'gpt-5.*'],
    ...unmeasured,
    confidence: 'calibrated',
    toolsBlock: null,
    source:
      'encoding: openai/tiktoken model.py at 4e71bbe; overhead: no public measurement, taken from gpt-4o',
  },
  {
    rule: 'openai-chat/gpt-6-assumed',
    models: ['gpt-6', 'gpt-6-*', 'gpt-6.*'],
    ...unmeasured,
    confidence: 'unknown',
    toolsBlock: null,
    source: 'nothing published: openai/tiktoken 0.14.0 (2026-08-16) knows no gpt-6; o200k_base is assumed',
  },
  {
    rule: 'openai-chat/gpt-oss-assumed',
    models: ['gpt-oss-*'],
    ...unmeasured,
    encoding: 'o200k_harmony',
    confidence: 'unknown',
    toolsBlock: null,
    source: 'encoding: openai/tiktoken model.py at 4e71bbe; overhead: whoever serves it writes the prompt',
  },
  {
    rule: 'openai-text/cl100k',
    models: ['text-embedding-ada-002', 'text-embedding-3-*', 'davinci-002', 'babbage-002'],
    encoding: 'cl100k_base',
    ...openai,
    confidence: 'unknown',
    toolsBlock: null,
    ...textOnly,
  },
  {
    rule: 'openai-text/p50k',
    models: [
      ...['text-davinci-002', 'text-davinci-003', 'text-davinci-edit-001', 'code-davinci-edit-001'],
      ...['code-davinci-002', 'code-cushman-*', 'davinci-codex', 'cushman-codex'],
    ],
    encoding: 'p50k_base',
    ...openai,
    confidence: 'unknown',
    toolsBlock: null,
    ...textOnly,
  },
  {
    rule: 'openai-text/r50k',
    models: [
      ...['davinci', 'curie', 'babbage', 'ada', 'davinci:*', 'curie:*', 'babbage:*', 'ada:*', 'gpt2'],
      ...['text-davinci-001', 'text-curie-001', 'text-babbage-001', 'text-ada-001', 'code-davinci-001'],
      ...['text-similarity-*', 'text-search-*', 'code-search-*'],
    ],
    encoding: 'r50k_base',
    ...openai,
    confidence: 'unknown',
    toolsBlock: null,
    ...textOnly,
  },
]

const byPattern: readonly { pattern: string; prefix: boolean; family: ModelFamily }[] = families
  .flatMap((family) =>
    family.models.map((name) => ({
      pattern: name.replace(/\*$/, ''),
      prefix: name.endsWith('*'),
      family,
    })),
  )
  .sort((a, b) => b.pattern.length - a.pattern.length)

/** The family of a model by its name; of a tuned model (`ft:base:...`) that of its base. Null when no rule
 * knows the name. */
export const familyOf = (model: string): ModelFamily | null => {
  const base = model.startsWith('ft:') ? (model.split(':', 2)[1] ?? '') : model
  const found = byPattern.find(({ pattern, prefix }) =>
    prefix ? base.startsWith(pattern) : base === pattern,
  )
  return found?.family ?? null
}
