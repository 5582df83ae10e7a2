import type { Meter } from '../usage/meter.ts'
import type { Bound } from './bound.ts'
import type { Surroundings } from './endpoint.ts'
import { countOf, type Json, listOf, member, textOf } from './json.ts'
import { promptBounds } from './prompt-bound.ts'
import { chainOf, isChained } from './response-objects.ts'
import { responseInput } from './response-parts.ts'
import { containerOf } from './response-tools.ts'

/** Bounds a Responses request. Input: its text, its pictures and sounds by their rules, and all that the response it
 * follows or its conversation read and wrote; where one of them has no bound, the model's window. A tool that the
 * vendor runs lets the model read everything once more after each call: then the window as often as
 * `max_tool_calls` allows, and without a bound where it is not set. Output: `max_output_tokens`, reasoning
 * included, else the model's cap. */
export const boundResponse = (request: Json, surroundings: Surroundings): readonly Bound[] => {
  const passes = passesOf(request)
  return [
    ...boundInput(request, surroundings, passes),
    boundOutput(request, surroundings, passes),
    ...boundCalls(request),
    ...boundContainers(request),
    ...boundPictures(request),
  ]
}

const textMeters = ['input_text_tokens', 'cached_input_tokens', 'cache_write_tokens'] as const
const soundMeters = ['input_audio_tokens', 'cached_input_tokens', 'cache_write_tokens'] as const

/** Tokens that a vendor may add for tool definitions beside their text, as on Chat Completions. */
const toolsOverheadTokensMax = 512

/** How often the model reads its input, at most. `reads`: to answer, once, and once more after each call of a tool that
 * the vendor runs; null where nothing bounds that. `compactions`: the vendor may compact the input before each, which
 * is a pass of its own. */
type Passes = {
  readonly reads: number | null
  readonly compactions: number | null
  readonly isHosted: boolean
}

const passesOf = (request: Json): Passes => {
  const isHosted = listOf(member(request, 'tools')).some((tool) => !ownKinds.has(kindOf(tool)))
  const calls = callsMost(request)
  const reads = !isHosted ? 1 : calls === null ? null : calls + 1
  const compacts = listOf(member(request, 'context_management')).length > 0
  return { reads, compactions: compacts ? reads : 0, isHosted }
}

const sum = (a: number | null, b: number | null): number | null => (a === null || b === null ? null : a + b)
const times = (a: number | null, b: number | null): number | null =>
  a === 0 || b === 0 ? 0 : a === null || b === null ? null : a * b

/** The tools that a client runs itself, of which the request shows all that the model reads. */
const ownKinds: ReadonlySet<string> = new Set(['function', 'custom'])

const kindOf = (tool: Json): string => textOf(member(tool, 'type')) ?? ''

const callsMost = (request: Json): number | null => countOf(member(request, 'max_tool_calls'))

const withoutCallsMax = 'the vendor runs its tools, and the request sets no max_tool_calls'

const boundInput = (request: Json, surroundings: Surroundings, passes: Passes): readonly Bound[] => {
  const { parts, unseen } = responseInput(member(request, 'input'))
  const chain = chainOf(request, surroundings.objects)
  const tools = listOf(member(request, 'tools')).length > 0 ? toolsOverheadTokensMax : 0
  const lifetime = textOf(member(member(request, 'prompt_cache_options'), 'ttl'))
  const bounds = promptBounds(
    {
      parts,
      vendor: surroundings.provider,
      unseen: unseenOf(request, chain?.tokensMost ?? null, passes) ?? unseen,
      overhead: tools + (chain?.tokensMost ?? 0),
      meters: textMeters,
      soundMeters,
      ...(lifetime !== null && { attributes: { cache_ttl: lifetime } }),
    },
    surroundings,
  )
  const count = sum(passes.reads, passes.compactions)
  if (count === null) return bounds.map((bound) => ({ ...bound, most: null, reason: withoutCallsMax }))
  return bounds.map((bound) => ({ ...bound, most: bound.most === null ? null : bound.most * count }))
}

/** What the model reads and the request does not show. */
const unseenOf = (request: Json, chainTokens: number | null, passes: Passes): string | null => {
  if (passes.isHosted) return 'a tool that the vendor runs'
  if (passes.compactions !== 0) return 'a history that the vendor may compact'
  if ((member(request, 'prompt') ?? null) !== null) return 'a prompt that the vendor keeps'
  return isChained(request) && chainTokens === null ? 'a history of unknown length' : null
}

/** The limit is for the whole response, over all its passes; what a compaction writes is beside it. */
const boundOutput = (request: Json, { outputTokensMax }: Surroundings, passes: Passes): Bound => {
  const asked = countOf(member(request, 'max_output_tokens')) ?? times(outputTokensMax, passes.reads)
  const most = sum(asked, times(outputTokensMax, passes.compactions))
  const bound = { meters: ['output_text_tokens', 'output_reasoning_tokens'], least: 0, most } as const
  if (most !== null) return bound
  return {
    ...bound,
    reason:
      outputTokensMax === null
        ? 'the request sets no max_output_tokens, and the output cap of the model is not known'
        : withoutCallsMax,
  }
}

/** Calls that are billed by the piece. */
const callMeters: readonly (readonly [string, Meter])[] = [
  ['web_search_preview', 'web_search_preview_call'],
  ['web_search', 'web_search_call'],
  ['file_search', 'file_search_call'],
]

const boundCalls = (request: Json): readonly Bound[] => {
  const kinds = listOf(member(request, 'tools')).map(kindOf)
  const [first, ...others] = [
    ...new Set(kinds.flatMap((kind) => callMeters.find(([prefix]) => kind.startsWith(prefix))?.[1] ?? [])),
  ]
  if (first === undefined) return []
  const most = callsMost(request)
  const shared = { meters: [first, ...others] as const, least: 0, attributes: { api: 'responses' } }
  return [most === null ? { ...shared, most, reason: withoutCallsMax } : { ...shared, most }]
}

/** A container may be opened for each tool that runs in one, used or not; one that is named was opened before. */
const boundContainers = (request: Json): readonly Bound[] =>
  listOf(member(request, 'tools')).flatMap((tool) => {
    const place = kindOf(tool) === 'shell' ? member(tool, 'environment') : member(tool, 'container')
    const opens = textOf(member(place, 'type')) === 'auto' || kindOf(place) === 'container_auto'
    if (!opens) return []
    const { meter, attributes } = containerOf('', member(place, 'memory_limit'))
    return [{ meters: [meter], least: 0, most: 1, attributes } satisfies Bound]
  })

const boundPictures = (request: Json): readonly Bound[] =>
  listOf(member(request, 'tools')).some((tool) => kindOf(tool) === 'image_generation')
    ? [
        {
          meters: ['output_text_tokens'],
          least: 0,
          most: null,
          reason: 'what the image_generation tool makes is billed by its own model, and nothing bounds it',
        },
      ]
    : []
