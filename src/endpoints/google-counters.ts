import type { UsageShape } from '../usage/read.ts'

/** What is cached is inside the prompt; what a tool brought in, and thoughts, are outside (@google/genai 3.1.0,
 * `GenerateContentResponseUsageMetadata`). Pictures and video come in at the price of text. */
export const contentCounters: UsageShape = {
  at: {
    input_text_tokens: 'promptTokenCount + toolUsePromptTokenCount',
    cached_input_tokens: ['cacheTokensDetails[modality!=AUDIO].tokenCount', 'cachedContentTokenCount'],
    input_audio_tokens:
      'promptTokensDetails[modality=AUDIO].tokenCount + toolUsePromptTokensDetails[modality=AUDIO].tokenCount',
    cached_input_audio_tokens: 'cacheTokensDetails[modality=AUDIO].tokenCount',
    output_text_tokens: 'candidatesTokenCount',
    output_reasoning_tokens: 'thoughtsTokenCount',
    output_audio_tokens: 'candidatesTokensDetails[modality=AUDIO].tokenCount',
    output_image_tokens: 'candidatesTokensDetails[modality=IMAGE].tokenCount',
    output_video_tokens: 'candidatesTokensDetails[modality=VIDEO].tokenCount',
  },
  inside: [
    'cached_input_tokens',
    'input_audio_tokens',
    'cached_input_audio_tokens',
    'output_audio_tokens',
    'output_image_tokens',
    'output_video_tokens',
  ],
  known: ['totalTokenCount', 'initialPromptTokenCount'],
  sparse: true,
}

/** The same under other names (@google/genai 3.1.0, `Usage`). */
export const interactionCounters: UsageShape = {
  at: {
    input_text_tokens: 'total_input_tokens + total_tool_use_tokens',
    cached_input_tokens: ['cached_tokens_by_modality[modality!=audio].tokens', 'total_cached_tokens'],
    input_audio_tokens:
      'input_tokens_by_modality[modality=audio].tokens + tool_use_tokens_by_modality[modality=audio].tokens',
    cached_input_audio_tokens: 'cached_tokens_by_modality[modality=audio].tokens',
    output_text_tokens: 'total_output_tokens',
    output_reasoning_tokens: 'total_thought_tokens',
    output_audio_tokens: 'output_tokens_by_modality[modality=audio].tokens',
    output_image_tokens: 'output_tokens_by_modality[modality=image].tokens',
    output_video_tokens: 'output_tokens_by_modality[modality=video].tokens',
  },
  inside: [
    'cached_input_tokens',
    'input_audio_tokens',
    'cached_input_audio_tokens',
    'output_audio_tokens',
    'output_image_tokens',
    'output_video_tokens',
  ],
  known: ['total_tokens', 'initial_input_tokens', 'grounding_tool_count[].count'],
  sparse: true,
}
