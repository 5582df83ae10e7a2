import type { ServedModel } from '../profiles/profile.ts'

const gpt4o = (name: Pick<ServedModel, 'id' | 'servedAs' | 'created'>): ServedModel => ({
  ...name,
  contextTokensMax: 128_000,
  outputTokensMax: 16_384,
  fingerprint: true,
  ownedBy: 'system',
})

/** The models that came with Assistants v2, as of November 2024. Windows, caps and snapshots:
 * `prices/models/openai.json` (gpt-tokenizer's catalogue, with which LiteLLM agrees). `created`: answers of
 * `GET /v1/models`, one captured on 2025-02-10 (in a public test of a verifier of such answers), gpt-4-turbo from
 * the reference of Lablup's Continuum Router. */
export const models2024: readonly ServedModel[] = [
  {
    id: 'gpt-4-turbo',
    servedAs: 'gpt-4-turbo-2024-04-09',
    contextTokensMax: 128_000,
    outputTokensMax: 4096,
    created: 1_712_361_441,
    fingerprint: true,
    ownedBy: 'system',
  },
  gpt4o({ id: 'gpt-4o', servedAs: 'gpt-4o-2024-08-06', created: 1_715_367_049 }),
  gpt4o({ id: 'gpt-4o-2024-08-06', servedAs: 'gpt-4o-2024-08-06', created: 1_722_814_719 }),
  gpt4o({ id: 'gpt-4o-mini', servedAs: 'gpt-4o-mini-2024-07-18', created: 1_721_172_741 }),
  gpt4o({ id: 'gpt-4o-mini-2024-07-18', servedAs: 'gpt-4o-mini-2024-07-18', created: 1_721_172_717 }),
]
