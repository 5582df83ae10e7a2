import type { Counter } from '../../tokens/text.ts'
import type { Random } from '../random.ts'
import { replyPieces } from '../replies.ts'
import { stopAt } from '../stops.ts'
import type { World } from '../world.ts'
import { fittingValue } from './fitting-value.ts'

/** A function that the model may call, whatever the wire calls it. */
export type DefinedTool = { readonly name: string; readonly schema: unknown }

/** What decides an answer. `newest`: the text of the newest message where it is a user's, else null. `forced`:
 * the tool it must call. `schema`: that of the JSON it must be; undefined for plain text. `room`: its tokens. */
export type Question = {
  readonly newest: string | null
  readonly tools: readonly DefinedTool[]
  readonly forced: string | null
  readonly schema?: unknown
  readonly stops: readonly string[]
  readonly room: number
}

/** A call of a tool. `input` is a value, of an object. */
export type SaidCall = { readonly name: string; readonly input: unknown }

/** An answer: a text in pieces, or calls of tools, and how many tokens it is. */
export type Said = {
  readonly pieces: readonly string[]
  readonly calls: readonly SaidCall[]
  readonly tokens: number
  readonly finish: 'stop' | 'length' | 'calls'
}

/** Answers. `[call NAME]` in the newest message calls that tool, `[call NAME {"a": 1}]` with those arguments;
 * several call several. Otherwise the text is of chance, or the smallest JSON that fits. */
export const say = (
  world: World,
  { question, random, counter }: { question: Question; random: Random; counter: Counter },
): Said => {
  const calls = callsOf(question, random)
  if (calls.length > 0) {
    const tokens = calls.reduce((sum, call) => sum + tokensOfCall(call, counter), 0)
    if (tokens <= question.room) return { pieces: [], calls, tokens, finish: 'calls' }
    return { pieces: [], calls: [], tokens: question.room, finish: 'length' }
  }
  if (question.schema !== undefined)
    return written(JSON.stringify(fittingValue(question.schema, random)), question, counter)
  // One token more than there is room for, so that a reply that does not fit is cut and not rounded off.
  const made = replyPieces(Math.min(random.whole(world.outputTokens), question.room + 1), random)
  const { pieces, finish } = stopAt(question.stops, made, question.room)
  return { pieces, calls: [], tokens: pieces.length, finish }
}

/** The tokens of a call as it is shown: its name and its arguments. */
const tokensOfCall = ({ name, input }: SaidCall, counter: Counter): number =>
  counter.count(name) + counter.count(JSON.stringify(input))

const tag = /\[call ([a-zA-Z0-9_.-]{1,64})(?: (\{[^\]]{0,4000}\}))?\]/g
const callsMax = 16

const callsOf = ({ newest, tools, forced }: Question, random: Random): readonly SaidCall[] => {
  const known = new Map(tools.map((tool) => [tool.name, tool.schema]))
  const made = (name: string, given?: string): SaidCall => ({
    name,
    input:
      (given === undefined ? null : parsed(given)) ?? fittingValue(known.get(name) ?? objectSchema, random),
  })
  if (newest === null) return []
  const asked = [...newest.matchAll(tag)].filter(([, name = '']) => known.has(name)).slice(0, callsMax)
  if (asked.length > 0) return asked.map(([, name = '', given]) => made(name, given))
  return forced !== null && known.has(forced) ? [made(forced)] : []
}

const objectSchema = { type: 'object' }

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** A text that was not made token by token: in short pieces, cut where there is no more room. */
const written = (text: string, { room }: Question, counter: Counter): Said => {
  const pieces = text.match(/[\s\S]{1,12}/g) ?? []
  const tokens = counter.count(text)
  if (tokens <= room) return { pieces, calls: [], tokens, finish: 'stop' }
  const kept = pieces.slice()
  while (kept.length > 0 && counter.count(kept.join('')) > room) kept.pop()
  return { pieces: kept, calls: [], tokens: room, finish: 'length' }
}
