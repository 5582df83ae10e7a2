import type { OtherModel, Profile, ServedModel } from './profile.ts'
import { refusals2023 } from './refusals-2023.ts'

/** OpenAI between 2023-11-06 and 2023-12-11: Assistants v1 with polling only and no usage on runs, streams
 * without usage, one number for input and one for output.
 *
 * Windows and caps: the vendor's models page between those dates, from copies of it (kler.cn/a/133209.html;
 * gptteams.ai, "maximum context length is 4097 tokens"). Two facts differ from the page, or from the catalogue
 * in gpt-tokenizer 4.0.0, which knows the models as they became later:
 * - the page gives gpt-3.5-turbo 4,096 tokens, the vendor's refusals of that year say 4,097
 *   (Quivr issue 505, 2023-07-04); the refusals are followed;
 * - only the models of November 2023 had an output cap of their own, 4,096; older ones were bounded by their
 *   window alone (NextChat issue 3195, 2023-11-08: `max_tokens` 8192 passes on gpt-3.5-turbo-16k).
 * Snapshots: the same pages. `created`: lists of `GET /v1/models` of early 2024, published by many;
 * gpt-4-32k from lists of 2023. */
export const november2023 = (features: { readonly streamUsage: boolean }): Profile => ({
  name: '2023-11',
  models,
  otherModels,
  organization: 'org-sandbox',
  apiVersion: '2020-10-01',
  chatArguments: new Set([...chatArguments, ...(features.streamUsage ? ['stream_options'] : [])]),
  refusals: refusals2023,
})

/** `CreateChatCompletionRequest` of the vendor's API description 2.0.0. */
const chatArguments = [
  ...['messages', 'model', 'frequency_penalty', 'logit_bias', 'max_tokens', 'n', 'presence_penalty'],
  ...['response_format', 'seed', 'stop', 'stream', 'temperature', 'top_p', 'tools', 'tool_choice', 'user'],
  ...['function_call', 'functions'],
]

const turbo = { outputTokensMax: 4096, fingerprint: true, ownedBy: 'system' } as const
const older = { outputTokensMax: null, fingerprint: false, ownedBy: 'openai' } as const

const models: readonly ServedModel[] = [
  {
    id: 'gpt-4-1106-preview',
    servedAs: 'gpt-4-1106-preview',
    contextTokensMax: 128_000,
    created: 1_698_957_206,
    ...turbo,
  },
  // 16 tokens unless asked for more: chatbot-ui issue 1344, 2024-01-31.
  {
    id: 'gpt-4-vision-preview',
    servedAs: 'gpt-4-1106-vision-preview',
    contextTokensMax: 128_000,
    created: 1_698_894_917,
    vision: true,
    outputTokensDefault: 16,
    ...turbo,
    fingerprint: false,
  },
  { id: 'gpt-4', servedAs: 'gpt-4-0613', contextTokensMax: 8192, created: 1_687_882_411, ...older },
  { id: 'gpt-4-0613', servedAs: 'gpt-4-0613', contextTokensMax: 8192, created: 1_686_588_896, ...older },
  { id: 'gpt-4-32k', servedAs: 'gpt-4-32k-0613', contextTokensMax: 32_768, created: 1_687_979_321, ...older },
  {
    id: 'gpt-3.5-turbo-1106',
    servedAs: 'gpt-3.5-turbo-1106',
    contextTokensMax: 16_385,
    created: 1_698_959_748,
    ...turbo,
  },
  {
    id: 'gpt-3.5-turbo',
    servedAs: 'gpt-3.5-turbo-0613',
    contextTokensMax: 4097,
    created: 1_677_610_602,
    ...older,
  },
  {
    id: 'gpt-3.5-turbo-0613',
    servedAs: 'gpt-3.5-turbo-0613',
    contextTokensMax: 4097,
    created: 1_686_587_434,
    ...older,
  },
  {
    id: 'gpt-3.5-turbo-16k',
    servedAs: 'gpt-3.5-turbo-16k-0613',
    contextTokensMax: 16_385,
    created: 1_683_758_102,
    ...older,
    ownedBy: 'openai-internal',
  },
]

const ofSystem = { ownedBy: 'system' } as const
const internal = { ownedBy: 'openai-internal' } as const

const otherModels: readonly OtherModel[] = [
  { id: 'dall-e-2', wire: 'images', created: 1_698_798_177, ...ofSystem },
  { id: 'dall-e-3', wire: 'images', created: 1_698_785_189, ...ofSystem },
  { id: 'tts-1', wire: 'speech', created: 1_681_940_951, ...internal },
  { id: 'tts-1-1106', wire: 'speech', created: 1_699_053_241, ...ofSystem },
  { id: 'tts-1-hd', wire: 'speech', created: 1_699_046_015, ...ofSystem },
  { id: 'tts-1-hd-1106', wire: 'speech', created: 1_699_053_533, ...ofSystem },
  { id: 'whisper-1', wire: 'transcriptions', created: 1_677_532_384, ...internal },
  { id: 'text-embedding-ada-002', wire: 'embeddings', created: 1_671_217_299, ...internal },
  { id: 'gpt-3.5-turbo-instruct', wire: 'completions', created: 1_692_901_427, ...ofSystem },
  { id: 'gpt-3.5-turbo-instruct-0914', wire: 'completions', created: 1_694_122_472, ...ofSystem },
]
