import { tokensAtMost } from '../tokens/text.ts'
import { type Json, listOf, member, textOf } from './json.ts'
import { documentPart, imagePart } from './prompt-bound.ts'

/** Every block of a request to Messages: of its instructions, of its messages, and of what stands inside results and
 * documents. */
export const blocksOf = (request: Json): readonly Json[] => {
  const found: Json[] = []
  const waiting: Json[] = [
    ...listOf(member(request, 'system')),
    ...listOf(member(request, 'messages')).flatMap((message) => listOf(member(message, 'content'))),
  ]
  for (let block = waiting.pop(); block !== undefined; block = waiting.pop()) {
    found.push(block)
    waiting.push(...listOf(member(block, 'content')), ...listOf(member(member(block, 'source'), 'content')))
  }
  return found
}

/** Blocks whose text stands in the body. What the vendor signed or encrypted of thinking is no shorter than it. */
const written = new Set([
  'text',
  'tool_use',
  'tool_result',
  'thinking',
  'redacted_thinking',
  'server_tool_use',
  'search_result',
])

/** A block as a part of a chat message; null where the bytes of the body hold all its text. */
export const partOfBlock = (block: Json): Json | null => {
  const type = textOf(member(block, 'type'))
  const source = member(block, 'source')
  if (type === null) return textOf(member(block, 'text')) === null ? { type: 'unknown' } : null
  if (written.has(type)) return null
  if (type === 'image') {
    return imagePart({ type: textOf(member(source, 'media_type')), base64: textOf(member(source, 'data')) })
  }
  if (type === 'document') {
    const kind = textOf(member(source, 'type'))
    return kind === 'text' || kind === 'content' ? null : documentPart
  }
  return { type: 'unknown' }
}

/** The bytes of text in the content of a message. */
export const contentBytes = (content: Json): number => {
  if (typeof content === 'string') return tokensAtMost(content)
  return listOf(content).reduce<number>(
    (sum, block) =>
      sum + tokensAtMost(textOf(member(block, 'text')) ?? '') + shallowBytes(member(block, 'content')),
    0,
  )
}

const shallowBytes = (content: Json): number =>
  typeof content === 'string'
    ? tokensAtMost(content)
    : listOf(content).reduce<number>(
        (sum, block) => sum + tokensAtMost(textOf(member(block, 'text')) ?? ''),
        0,
      )
