import type { Run } from '../objects.ts'
import type { Random } from '../random.ts'
import { replyPieces } from '../replies.ts'
import { fitting } from '../tool-play.ts'
import { isFields, type World } from '../world.ts'

/** The answer of a run: its text, its tokens, and whether it was cut at `most`. */
export type Reply = { readonly text: string; readonly tokens: number; readonly cut: boolean }

/** Writes an answer of `length` tokens, or JSON where the run asks for it, cut at `most` tokens. JSON that does not
 * fit becomes as many words: a cut answer is no JSON at the vendor either. */
export const writeReply = (
  world: World,
  run: Run,
  { length, most, random }: { readonly length: number; readonly most: number; readonly random: Random },
): Reply => {
  const json = jsonOf(run, length, random)
  const tokens = json === null ? length : world.counter.count(json)
  if (json !== null && tokens <= most) return { text: json, tokens, cut: false }
  const kept = Math.min(tokens, most)
  return { text: replyPieces(kept, random).join(''), tokens: kept, cut: tokens > most }
}

const jsonOf = (run: Run, length: number, random: Random): string | null => {
  const format = run.v2?.response_format ?? 'auto'
  if (format === 'auto' || format.type === 'text') return null
  const { json_schema: given } = format
  const schema = isFields(given) && isFields(given['schema']) ? given['schema'] : null
  if (schema !== null) return JSON.stringify(fitting(schema, random, 0))
  return JSON.stringify({ answer: replyPieces(length, random).join('') })
}
