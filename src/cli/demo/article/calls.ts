import type OpenAI from 'openai'
import { toFile } from 'openai'
import { drawPng } from '../../../sandbox/png.ts'
import { textOfTokens } from '../../../sandbox/replies.ts'
import type { ArticleCase, Ask } from './cases.ts'
import type { Made, Replay } from './replay.ts'
import { silence } from './sound.ts'

/** Tokens that a chat of one message has beside its text: 3 of the message, 1 of its role, 3 of the reply. */
const frameTokens = 7

/** What is asked in one call, by service: each gives the line of the ledger where its figure stands. */
export const calls: {
  readonly [Service in 'image' | 'speech' | 'transcription' | 'embedding' | 'chat' | 'vision']: (
    replay: Replay,
    asked: ArticleCase & { readonly ask: Extract<Ask, { readonly service: Service }> },
  ) => Promise<Made>
} = {
  chat: async (replay, { ask: { model, meter } }) => ({ team: await chatOnce(replay, model), meter }),

  vision: async (replay, { id, ask: { model, detail } }) => {
    const png = await drawPng({ width: 1000, height: 1000 }, 'article')
    const url = `data:image/png;base64,${png.toString('base64')}`
    const picture = { type: 'image_url' as const, image_url: { url, detail } }
    const text = { type: 'text' as const, text: 'What is this?' }
    const look = async (team: string, content: OpenAI.ChatCompletionContentPart[]): Promise<unknown> =>
      (await replay.client(team)).chat.completions.create({
        model,
        max_tokens: 100,
        messages: [{ role: 'user', content }],
      })
    const less = `${id} without it`
    await look(id, [text, picture])
    await look(less, [text])
    return { team: id, less, meter: 'input_text_tokens' }
  },

  image: async (replay, { id, ask: { service: _, ...asked } }) => {
    await (await replay.client(id)).images.generate({ ...asked, prompt: 'a toll gate' })
    return { team: id, meter: 'image' }
  },

  speech: async (replay, { id, ask: { model, characters } }) => {
    const client = await replay.client(id)
    const said = await client.audio.speech.create({ model, voice: 'alloy', input: 'x'.repeat(characters) })
    await said.arrayBuffer()
    return { team: id, meter: 'tts_characters' }
  },

  transcription: async (replay, { id, ask: { model, seconds } }) => {
    const file = await toFile(silence(seconds), 'sound.wav', { type: 'audio/wav' })
    await (await replay.client(id)).audio.transcriptions.create({ model, file })
    return { team: id, meter: 'audio_seconds' }
  },

  embedding: async (replay, { id, ask: { model, tokens } }) => {
    await (await replay.client(id)).embeddings.create({ model, input: textOfTokens(tokens, id) })
    return { team: id, meter: 'input_text_tokens' }
  },
}

/** A question of 1,000 tokens in all and its answer, once for each model: the figures of both directions are of one
 * call. Gives the team that asked. */
export const chatOnce = (replay: Replay, model: string): Promise<string> =>
  replay.once(`chat with ${model}`, async () => {
    const content = textOfTokens(1000 - frameTokens, model)
    const client = await replay.client(model)
    await client.chat.completions.create({ model, messages: [{ role: 'user', content }] })
    return model
  })
