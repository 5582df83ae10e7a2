import { type Json, member } from './json.ts'

/** How many tags a call keeps, and how long their names and values may be; OpenAI's own bounds for `metadata`
 * are 16 pairs of 64 and 512 characters (API reference). */
const tagsMax = 16
const nameCharactersMax = 64
const valueCharactersMax = 128

/** The tags in a body's `metadata`: text pairs within the bounds; what is over them is left out. */
export const openaiTags = (request: Json): Readonly<Record<string, string>> => {
  const metadata = member(request, 'metadata')
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) return {}
  const pairs = Object.entries(metadata).filter(
    (pair): pair is [string, string] =>
      typeof pair[1] === 'string' &&
      pair[0].length <= nameCharactersMax &&
      pair[1].length <= valueCharactersMax,
  )
  return Object.fromEntries(pairs.slice(0, tagsMax))
}
