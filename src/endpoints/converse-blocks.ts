import { tokensAtMost } from '../tokens/text.ts'
import { type Json, listOf, member, textOf } from './json.ts'
import { documentPart, imagePart } from './prompt-bound.ts'

/** Every block of a request to Converse, those within the results of tools too. */
export const blocksOf = (request: Json): readonly Json[] =>
  [
    ...listOf(member(request, 'system')),
    ...listOf(member(request, 'messages')).flatMap((message) => listOf(member(message, 'content'))),
  ].flatMap((block) => [block, ...listOf(member(member(block, 'toolResult'), 'content'))])

/** Blocks whose text stands in the body. */
const written = ['text', 'json', 'toolUse', 'toolResult', 'reasoningContent', 'cachePoint']

/** A block as a part of a chat message; null where the bytes of the body hold all its text. */
export const partOfBlock = (block: Json): Json | null => {
  if (written.some((name) => member(block, name) !== undefined)) return null
  const image = member(block, 'image')
  if (image !== undefined) {
    const base64 = textOf(member(member(image, 'source'), 'bytes'))
    return imagePart({ type: `image/${textOf(member(image, 'format')) ?? 'png'}`, base64 })
  }
  return member(block, 'document') === undefined ? { type: 'unknown' } : documentPart
}

/** The bytes of text in the blocks of a message. */
export const contentBytes = (content: Json): number =>
  listOf(content).reduce<number>((sum, block) => sum + tokensAtMost(textOf(member(block, 'text')) ?? ''), 0)
