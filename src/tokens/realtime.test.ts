import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { countAudio } from './audio.ts'
import { realtimeInputMax, realtimeInputs } from './realtime.ts'
import { countVideo } from './video.ts'

type Vector = { readonly id: string; readonly inputs: never; readonly expected: never }
const { vectors }: { readonly vectors: readonly Vector[] } = JSON.parse(
  readFileSync(new URL('../../test/vectors/conversations.json', import.meta.url), 'utf8'),
)
const vector = <Inputs, Expected>(id: string): { inputs: Inputs; expected: Expected } => {
  const found = vectors.find((each) => each.id === id)
  if (found === undefined) throw new Error(`there is no ${id}`)
  return found
}

describe('a realtime session', () => {
  it('conv-038: sends everything again at each turn, text and sound apart', () => {
    const { inputs, expected } = vector<
      {
        instructions_text: number
        user_audio: readonly [number, number]
        assistant_turn1: { audio: number; text: number }
      },
      Record<'turn1_input' | 'turn2_input', { text: number; audio: number }>
    >('conv-038')
    const silent = { text: 0, audio: 0 }
    const [first, second] = realtimeInputs({ text: inputs.instructions_text, audio: 0 }, [
      { user: { text: 0, audio: inputs.user_audio[0] }, assistant: inputs.assistant_turn1 },
      { user: { text: 0, audio: inputs.user_audio[1] }, assistant: silent },
    ])
    expect(first).toEqual(expected.turn1_input)
    // The guide prints 64; 20 + 20 + 25 is 65.
    expect(second).toEqual(expected.turn2_input)
  })

  it('conv-039: takes at most what the guide says, which its window contradicts', () => {
    const { inputs, expected } = vector<
      { context: number; max_output: number },
      { max_input_tokens: number }
    >('conv-039')
    const asked = { contextWindow: inputs.context, outputTokensMax: inputs.max_output }
    expect(realtimeInputMax(asked)).toBe(expected.max_input_tokens)
    expect(realtimeInputMax({ contextWindow: 128_000, outputTokensMax: 4096 })).toBe(123_904)
  })
})

describe('sound and film of Gemini', () => {
  it('conv-041: a minute of each', () => {
    const { inputs, expected } = vector<
      Record<'gemini_audio_seconds' | 'gemini_2_video_seconds', number>,
      Record<'audio_tokens' | 'video_tokens_at_263_per_s', number>
    >('conv-041')
    const model = { provider: 'google', model: 'gemini-2.5-flash' }
    const heard = countAudio({ ...model, direction: 'input', seconds: inputs.gemini_audio_seconds })
    expect(heard.tokens).toBe(expected.audio_tokens)
    const seen = countVideo({ ...model, seconds: inputs.gemini_2_video_seconds })
    expect(seen).toEqual({
      tokens: expected.video_tokens_at_263_per_s,
      class: 'formula',
      rule: 'google-video/263',
    })
  })

  it('says where no rule is known, and refuses what is no length', () => {
    const film = { provider: 'google', model: 'gemini-3.1-pro', seconds: 60 }
    expect(countVideo(film)).toMatchObject({ tokens: null, class: 'unknown' })
    expect(() => countVideo({ ...film, seconds: -1 })).toThrow('cannot be -1 seconds long')
  })
})
