import type { PromptCount } from '../tokens/prompt-count.ts'
import type { Counted } from './endpoint.ts'

/** What a call used, as counted: its prompt, the sounds in it apart, and the tokens of what came back. */
export const counted = (prompt: PromptCount, outputTokens: number): Counted => {
  const { tokens, sound = 0, history, rule } = prompt
  return {
    usage: {
      input_text_tokens: tokens - sound,
      ...(sound > 0 && { input_audio_tokens: sound }),
      output_text_tokens: outputTokens,
    },
    history,
    rule,
  }
}
