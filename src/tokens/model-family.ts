/** A vocabulary that splits text into tokens. */
export type Encoding = 'cl100k_base' | 'o200k_base'

/** Models whose prompts are counted by one rule. `models` are exact names, or prefixes that end in `*`.
 * `confidence`: `exact` where recorded usage of the vendor agrees with the rule to the token, `formula` where
 * published measurements agree but not in every case, `unknown` where nobody has published any.
 * A prompt is `priming` + for every message `perMessage` + its texts (+ `perName` where it has a name). */
export type ModelFamily = {
  readonly rule: string
  readonly models: readonly string[]
  readonly encoding: Encoding
  readonly perMessage: number
  readonly perName: number
  readonly priming: number
  readonly confidence: 'exact' | 'formula' | 'unknown'
  readonly source: string
}

/** The longest pattern that matches wins. */
const families: readonly ModelFamily[] = [
  {
    rule: 'openai-chat/gpt-3.5-turbo-0301',
    models: ['gpt-3.5-turbo-0301'],
    encoding: 'cl100k_base',
    perMessage: 4,
    perName: -1,
    priming: 3,
    confidence: 'exact',
    source: 'openai/openai-cookbook, How_to_count_tokens_with_tiktoken.ipynb at 06d9feb',
  },
  {
    rule: 'openai-chat/gpt-4',
    models: ['gpt-3.5-turbo', 'gpt-3.5-turbo-*', 'gpt-35-turbo', 'gpt-35-turbo-*', 'gpt-4', 'gpt-4-*'],
    encoding: 'cl100k_base',
    perMessage: 3,
    perName: 1,
    priming: 3,
    confidence: 'exact',
    source: 'openai/openai-cookbook at c81359c (129 = API); hmarr/openai-chat-tokens at b8e3b11',
  },
  {
    rule: 'openai-chat/gpt-4o',
    models: ['gpt-4o', 'gpt-4o-*', 'chatgpt-4o-*', 'gpt-4.1', 'gpt-4.1-*', 'gpt-5-chat*'],
    encoding: 'o200k_base',
    perMessage: 3,
    perName: 1,
    priming: 3,
    confidence: 'exact',
    source:
      'openai/openai-cookbook at c81359c (124 = API); pamelafox/openai-messages-token-helper at b60075e',
  },
  {
    rule: 'openai-chat/reasoning',
    models: ['o1', 'o1-*', 'o3', 'o3-*', 'o4-mini', 'o4-mini-*', 'gpt-5', 'gpt-5-*'],
    encoding: 'o200k_base',
    perMessage: 3,
    perName: 1,
    priming: 2,
    confidence: 'formula',
    source:
      'coder/ai-tokenizer at 9fa777a; pydantic/pydantic-ai pull request 3447 (109, not 110); contradicted by ' +
      'openai/openai-cookbook pull request 2515; assistant messages in the history add 1 or 2 tokens each',
  },
  {
    rule: 'openai-chat/unmeasured',
    models: ['gpt-4.5', 'gpt-4.5-*', 'gpt-5.*'],
    encoding: 'o200k_base',
    perMessage: 3,
    perName: 1,
    priming: 3,
    confidence: 'unknown',
    source:
      'encoding: openai/tiktoken model.py at 4e71bbe; overhead: no public measurement, taken from gpt-4o',
  },
  {
    rule: 'openai-chat/gpt-6-assumed',
    models: ['gpt-6', 'gpt-6-*', 'gpt-6.*'],
    encoding: 'o200k_base',
    perMessage: 3,
    perName: 1,
    priming: 3,
    confidence: 'unknown',
    source: 'nothing published: openai/tiktoken 0.14.0 (2026-08-16) knows no gpt-6; o200k_base is assumed',
  },
  {
    rule: 'openai-text/cl100k',
    models: ['text-embedding-ada-002', 'text-embedding-3-*', 'davinci-002', 'babbage-002'],
    encoding: 'cl100k_base',
    perMessage: 3,
    perName: 1,
    priming: 3,
    confidence: 'unknown',
    source: 'encoding: openai/tiktoken model.py at 4e71bbe; these models take no chat messages',
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
