import type { UsageShape } from '../usage/read.ts'

/** What OpenAI counts on Chat Completions and Completions (openai 7.57.0, `CompletionUsage`): all details are
 * inside their totals. Pictures and rejected predictions are billed at the price of the whole. */
export const chatCounters: UsageShape = {
  at: {
    input_text_tokens: 'prompt_tokens',
    cached_input_tokens: 'prompt_tokens_details.cached_tokens',
    cache_write_tokens: 'prompt_tokens_details.cache_write_tokens',
    input_audio_tokens: 'prompt_tokens_details.audio_tokens',
    output_text_tokens: 'completion_tokens',
    output_reasoning_tokens: 'completion_tokens_details.reasoning_tokens',
    output_audio_tokens: 'completion_tokens_details.audio_tokens',
  },
  inside: [
    'cached_input_tokens',
    'cache_write_tokens',
    'input_audio_tokens',
    'output_reasoning_tokens',
    'output_audio_tokens',
  ],
  known: [
    'total_tokens',
    'prompt_tokens_details.text_tokens',
    'prompt_tokens_details.image_tokens',
    'completion_tokens_details.text_tokens',
    'completion_tokens_details.accepted_prediction_tokens',
    'completion_tokens_details.rejected_prediction_tokens',
  ],
}

/** What OpenAI counts on Responses and what grew from it (openai 7.57.0, `ResponseUsage`). The lifetimes of
 * what was written to the cache are read apart (`cacheLifetimes`). */
export const responsesCounters: UsageShape = {
  at: {
    input_text_tokens: 'input_tokens',
    cached_input_tokens: 'input_tokens_details.cached_tokens',
    cache_write_tokens: 'input_tokens_details.cache_write_tokens',
    output_text_tokens: 'output_tokens',
    output_reasoning_tokens: 'output_tokens_details.reasoning_tokens',
  },
  inside: ['cached_input_tokens', 'cache_write_tokens', 'output_reasoning_tokens'],
  known: [
    'total_tokens',
    'input_tokens_details.cache_write_tokens_details.ttl_30m_tokens',
    'input_tokens_details.cache_write_tokens_details.ttl_12h_tokens',
  ],
}

/** What OpenAI's image models count (openai 7.57.0, `ImagesResponse.Usage`). The output is pictures where no
 * details say otherwise. */
export const imageCounters: UsageShape = {
  at: {
    input_text_tokens: 'input_tokens',
    input_image_tokens: 'input_tokens_details.image_tokens',
    output_image_tokens: ['output_tokens_details.image_tokens', 'output_tokens'],
    output_text_tokens: 'output_tokens_details.text_tokens',
  },
  inside: ['input_image_tokens'],
  known: ['total_tokens', 'output_tokens', 'input_tokens_details.text_tokens'],
  sparse: true,
}

/** What OpenAI's speech counts in a stream of events (`speech.audio.done`). */
export const speechCounters: UsageShape = {
  at: { input_text_tokens: 'input_tokens', output_audio_tokens: 'output_tokens' },
  known: ['total_tokens'],
}

/** What OpenAI's transcription counts (openai 7.57.0, `Transcription.Tokens`): sound unless the details say
 * that it is text. */
export const transcriptionCounters: UsageShape = {
  at: {
    input_text_tokens: 'input_tokens',
    input_audio_tokens: ['input_token_details.audio_tokens', 'input_tokens'],
    output_text_tokens: 'output_tokens',
  },
  inside: ['input_audio_tokens'],
  known: ['total_tokens', 'input_token_details.text_tokens'],
}

/** What an evaluation counts for each model (openai 7.57.0, `PerModelUsage`). */
export const evalCounters: UsageShape = {
  at: {
    input_text_tokens: 'prompt_tokens',
    cached_input_tokens: 'cached_tokens',
    output_text_tokens: 'completion_tokens',
  },
  inside: ['cached_input_tokens'],
  known: ['total_tokens', 'invocation_count'],
}

/** What wires without output count. */
export const inputCounters: UsageShape = {
  at: { input_text_tokens: 'prompt_tokens' },
  known: ['total_tokens'],
}

/** What runs and legacy wires count: two numbers and their sum. */
export const plainCounters: UsageShape = {
  at: { input_text_tokens: 'prompt_tokens', output_text_tokens: 'completion_tokens' },
  known: ['total_tokens'],
}
