import { tokensAtMost } from '../tokens/text.ts'
import { countOf, type Json, listOf, member, textOf } from './json.ts'
import { documentPart, imagePart } from './prompt-bound.ts'

/** A member of a request to Google, which takes each name in either of two spellings. */
export const either = (value: Json, name: string): Json =>
  member(value, name) ??
  member(
    value,
    name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
  )

/** How the reply shall be made. */
export const configOf = (request: Json): Json => either(request, 'generationConfig')

/** How many candidates a request asks for, one unless said. */
export const candidatesAsked = (request: Json): number =>
  Math.max(1, countOf(either(configOf(request), 'candidateCount')) ?? 1)

/** The parts of a request: of its instruction, of its contents, and those within the results of functions. */
export const partsOf = (request: Json): readonly Json[] => {
  const contents = [either(request, 'systemInstruction'), ...listOf(member(request, 'contents'))]
  return contents
    .flatMap((content) => listOf(member(content, 'parts')))
    .flatMap((part) => [part, ...listOf(member(either(part, 'functionResponse'), 'parts'))])
}

/** A part as one of a chat message; null where the bytes of the body hold all its text. */
export const partOfContent = (part: Json): Json | null => {
  const inline = either(part, 'inlineData')
  const stored = either(part, 'fileData')
  if ((inline ?? stored ?? null) === null) return null
  const type = (textOf(either(inline ?? stored, 'mimeType')) ?? '').toLowerCase()
  const data = textOf(member(inline, 'data'))
  if (type.startsWith('image/')) return imagePart({ type, base64: data })
  if (data !== null && type.startsWith('audio/')) return { type: 'input_audio', input_audio: { data } }
  if (data !== null && type.startsWith('text/')) return null
  return type === 'application/pdf' ? documentPart : unheardPart
}

/** What may hold sound, as a film does, and has no bound. */
export const unheardPart: Json = { type: 'input_audio' }

/** The bytes of text in the parts of a content. */
export const contentBytes = (content: Json): number =>
  listOf(member(content, 'parts')).reduce<number>(
    (sum, part) => sum + tokensAtMost(textOf(member(part, 'text')) ?? ''),
    0,
  )
