import type { Meter } from '../usage/meter.ts'
import type { Bound } from './bound.ts'
import { type MediaPart, mediaParts } from './content-parts.ts'
import type { Surroundings } from './endpoint.ts'
import type { Json } from './json.ts'

/** A prompt before it is sent. `parts`: what in it is not text, as parts of chat messages; `vendor`: by whose rules
 * they count, whoever serves the model; `detail`: how closely its images are looked at, where the request says so;
 * `unseen`: what belongs to it and is not in the body; `overhead`: tokens that the vendor may add beside its text. */
type Prompt = {
  readonly parts: readonly Json[]
  readonly vendor: string
  readonly detail?: string | null
  readonly unseen: string | null
  readonly overhead: number
  readonly meters: readonly [Meter, ...Meter[]]
  readonly soundMeters?: readonly [Meter, ...Meter[]]
  readonly attributes?: Readonly<Record<string, string>>
}

/** The input of a prompt, text and sound apart: no text has more tokens than bytes, and the JSON around it is longer
 * than the tokens it stands for; what is no text has rules of its own. Where a part has no bound, or there is more
 * than the body shows, the model's window alone bounds it. */
export const promptBounds = (prompt: Prompt, surroundings: Surroundings): readonly Bound[] => {
  const { bodyBytes, contextWindow, model, at } = surroundings
  const { meters, soundMeters, attributes, overhead } = prompt
  const shown = {
    provider: prompt.vendor,
    model,
    at,
    ...(prompt.detail != null && { detail: prompt.detail }),
  }
  const media = mediaParts({ messages: [{ content: prompt.parts }] }, shown)
  const [sounds, others] = [media.filter(({ isSound }) => isSound), media.filter(({ isSound }) => !isSound)]
  const [soundMost, otherMost] = [mostOf(sounds), mostOf(others)]
  const shared = attributes === undefined ? {} : { attributes }
  const unbounded = prompt.unseen ?? media.find(({ high }) => high === null)?.what ?? null
  if (unbounded !== null || soundMost === null || otherMost === null) {
    const both = sounds.length > 0 ? [...meters, ...(soundMeters ?? [])] : meters
    const reason = `the request has ${unbounded}, and ${
      contextWindow === null
        ? 'the context window of the model is not known'
        : 'only the context window of the model bounds its input'
    }`
    return [{ meters: both as Bound['meters'], least: 1, most: contextWindow, ...shared, reason }]
  }
  const within = (tokens: number): number => Math.min(tokens, contextWindow ?? tokens)
  const characters = media.reduce((sum, part) => sum + part.characters, 0)
  const textMost = Math.max(1, bodyBytes - characters + otherMost + overhead)
  const text: Bound = { meters, least: 1, most: within(textMost), ...shared }
  if (sounds.length === 0 || soundMeters === undefined) return [text]
  const soundLeast = sounds.reduce((sum, { low }) => sum + low, 0)
  return [text, { meters: soundMeters, least: within(soundLeast), most: within(soundMost), ...shared }]
}

/** What parts have at most together; null as soon as one has no bound. */
const mostOf = (parts: readonly MediaPart[]): number | null =>
  parts.reduce<number | null>((sum, { high }) => (sum === null || high === null ? null : sum + high), 0)

/** An image as a part of a chat message: by its base64, or one that cannot be seen before the call. */
export const imagePart = (image: { readonly type: string | null; readonly base64: string | null }): Json => ({
  type: 'image_url',
  image_url: {
    url: image.base64 === null ? 'unseen' : `data:${image.type ?? 'image/png'};base64,${image.base64}`,
  },
})

/** A part of which no rule says how many tokens it has. */
export const documentPart: Json = { type: 'file' }
