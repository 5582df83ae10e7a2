import { familyOf } from '../tokens/model-family.ts'
import { familyTally } from '../tokens/prompt-count.ts'
import { countTools } from '../tokens/tools.ts'
import { searchTokens } from './assistants-v2/file-search.ts'
import { readableFiles } from './attachments.ts'
import type { Run, ToolCall } from './objects.ts'
import type { ServedModel } from './profiles/profile.ts'
import { messagePlace } from './threads.ts'
import { tokensOfCall } from './tool-play.ts'
import type { World } from './world.ts'

/** The tokens that one model call of a run reads, or null where they do not fit into the window: the
 * instructions, the definitions of the tools, the messages of the thread, every call of a tool that the run
 * made so far with its result, and what it retrieved. All of it is sent again each time. Runs of v2 may have no more
 * than `most`, and no more messages than their truncation strategy says. */
export const promptTokens = (
  world: World,
  run: Run,
  {
    model,
    rounds,
    most = Number.POSITIVE_INFINITY,
  }: {
    readonly model: ServedModel
    readonly rounds: readonly (readonly ToolCall[])[]
    readonly most?: number
  },
): number | null => {
  const sizes = world.state
    .tokens(messagePlace(run.thread_id))
    .slice(-(run.v2?.truncation_strategy.last_messages ?? 0))
  const calls = rounds.flat()
  const said = calls.map((call) => tokensOfCall(world, call))
  const fixed =
    world.counter.count(run.instructions) +
    definitionTokens(world, run) +
    said.reduce((sum, { written, result }) => sum + written + result, 0)
  const room = Math.min(promptTokensMax(model), most) - fixed
  const found = foundTokens(world, run, { model, calls, room: Math.max(0, room - (sizes.at(-1) ?? 0)) })
  const sent = fitThread(sizes, room - found)
  return sent === null ? null : fixed + found + sent
}

const foundTokens = (
  world: World,
  run: Run,
  { model, calls, room }: { model: ServedModel; calls: readonly ToolCall[]; room: number },
): number => {
  const searches = calls.filter(({ type }) => type === 'file_search').length
  if (searches > 0) return Math.min(searches * searchTokens(world, run, model), room)
  if (!calls.some(({ type }) => type === 'retrieval')) return 0
  const chunks = model.id.startsWith('gpt-3.5') ? chunksOfOlder : chunksMost
  return retrievedTokens(readableFiles(world, run), { chunks, room })
}

/** Functions are shown to the model as the vendor renders those of a chat. How it describes its own tools was
 * never published: they cost nothing here but hidden tokens. */
const definitionTokens = (world: World, run: Run): number => {
  const tools = run.tools.filter(({ type }) => type === 'function')
  if (tools.length === 0) return 0
  const family = familyOf(run.model)
  return countTools({ tools }, familyTally(world.counter, family, {}), family, run.instructions !== '')
}

/** Of Assistants v2, which told what v1 did not (the vendor's page on file search, April 2024): chunks of 800
 * tokens, 20 of them a search, 5 on GPT-3.5. */
const chunkTokens = 800
const chunksMost = 20
const chunksOfOlder = 5

/** The tokens that retrieval adds. The vendor of 2023 said only that short documents are passed whole and longer
 * ones are searched, and that all relevant content is added. Here a file is short when it has no more tokens
 * than a search finds; one search serves all longer files; never more than there is room for. */
const retrievedTokens = (
  files: readonly number[],
  { chunks, room }: { readonly chunks: number; readonly room: number },
): number => {
  const most = chunks * chunkTokens
  const whole = files.filter((tokens) => tokens <= most).reduce((sum, tokens) => sum + tokens, 0)
  const searched = files.some((tokens) => tokens > most) ? most : 0
  return Math.min(whole + searched, room)
}

/** What a run's prompt may have: the window less the room kept for the reply, which is the model's output cap,
 * or a quarter of the window where it has none. The vendor never published its rule. */
const promptTokensMax = (model: ServedModel): number =>
  model.contextTokensMax - (model.outputTokensMax ?? Math.floor(model.contextTokensMax / 4))

/** The tokens of the messages that are sent: the oldest are left out whole until the rest fits. Null when
 * not even the newest one does. */
const fitThread = (sizes: readonly number[], room: number): number | null => {
  let total = sizes.reduce((sum, size) => sum + size, 0)
  for (const [index, size] of sizes.entries()) {
    if (total <= room || index === sizes.length - 1) break
    total -= size
  }
  return total <= room ? total : null
}
