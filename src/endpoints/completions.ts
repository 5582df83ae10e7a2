import { tokensAtMost } from '../tokens/text.ts'
import type { UsageShape } from '../usage/read.ts'
import type { Bound } from './bound.ts'
import type { Endpoint, Surroundings } from './endpoint.ts'
import { countOf, type Json, listOf, member, textOf } from './json.ts'
import { openaiTags } from './openai-tags.ts'
import { findOutputLimit } from './output-limit.ts'
import { plainEndpoint } from './plain-wire.ts'
import { idsIn, textsIn } from './prompts.ts'
import type { ReadWire, Reply } from './reply.ts'
import { openaiPlaces, shapeReader } from './reply-shape.ts'
import { askUsage, cutUsage } from './stream-usage.ts'
import { chunkStream } from './streams.ts'

/** Completions, the legacy wire that continues a text. */
export const completions = (counters: UsageShape): Endpoint =>
  plainEndpoint(
    { id: 'completions', path: '/completions' },
    completionReplies('completions', counters).reader,
    {
      read: (request) => ({
        model: textOf(member(request, 'model')),
        stream: member(request, 'stream') === true,
        tier: null,
        endUser: textOf(member(request, 'user')),
        tags: openaiTags(request),
      }),
      bound,
      askUsage,
      cutUsage,
      count: (request, produced, { counter }) => {
        const prompts = promptsOf(request)
        const prompt = textsIn(prompts).reduce((sum, text) => sum + counter.count(text), idsIn(prompts))
        const shown = produced.reduce((sum, text) => sum + counter.count(text), 0)
        const echoed = member(request, 'echo') === true ? prompt * candidatesOf(request) : 0
        return {
          usage: { input_text_tokens: prompt, output_text_tokens: Math.max(0, shown - echoed) },
          history: 0,
          rule: 'tokens of the prompts and of the choices that came back',
        }
      },
      history: (request) => ({
        resent: 0,
        total: textsIn(promptsOf(request)).reduce((sum, text) => sum + text.length, 0),
      }),
      outputLimit: (request) =>
        findOutputLimit(request, {
          fields: [['max_tokens']],
          unsaid: { field: ['max_tokens'], asked: outputTokensDefault },
        }),
    },
  )

/** The replies of Completions, the legacy wire that continues a text, and of Edits, which had the same shape.
 * `best_of` candidates that are not returned are in the usage all the same. */
export const completionReplies = (id: 'completions' | 'edits', counters: UsageShape): ReadWire => {
  const read = shapeReader({ ...openaiPlaces, counters })
  const visible = (choice: Json): string => textOf(member(choice, 'text')) ?? ''
  return {
    id,
    reader: {
      readReply: (reply, request): Reply => {
        const found = read(reply)
        return {
          ...found,
          model: found.model ?? textOf(member(request, 'model')),
          produced: listOf(member(reply, 'choices')).map(visible),
        }
      },
      meterStream: (request) => {
        const { soFar, ...meter } = chunkStream(read, visible)
        // What is echoed is no output.
        return member(request, 'echo') === true || soFar === undefined ? meter : { ...meter, soFar }
      },
    },
  }
}

/** `max_tokens` where a request leaves it out (openai 7.57.0, `CompletionCreateParams`, and the API reference of
 * November 2023). */
const outputTokensDefault = 16

/** Input: each prompt and the suffix, at most their bytes; ids of tokens one by one. Output: the limit for each
 * candidate of each prompt, returned or not. */
const bound = (request: Json, { contextWindow }: Surroundings): readonly Bound[] => {
  const prompts = promptsOf(request)
  const suffix = tokensAtMost(textOf(member(request, 'suffix')) ?? '')
  const texts = textsIn(prompts).reduce((sum, text) => sum + tokensAtMost(text), idsIn(prompts))
  const count = promptCount(prompts)
  const input = Math.max(1, texts + suffix * count)
  const asked = member(request, 'max_tokens') ?? outputTokensDefault
  const each = countOf(asked) ?? contextWindow
  return [
    { meters: ['input_text_tokens', 'cached_input_tokens', 'cache_write_tokens'], least: 1, most: input },
    {
      meters: ['output_text_tokens'],
      least: 0,
      most: each === null ? null : each * candidatesOf(request) * count,
      ...(each === null && { reason: 'max_tokens is no whole number' }),
    },
  ]
}

const promptsOf = (request: Json): readonly Json[] => {
  const prompt = member(request, 'prompt')
  return Array.isArray(prompt) ? listOf(prompt) : [prompt]
}

/** A list of ids of tokens is one prompt. */
const promptCount = (prompts: readonly Json[]): number =>
  prompts.some((prompt) => typeof prompt === 'number') ? 1 : Math.max(1, prompts.length)

const candidatesOf = (request: Json): number =>
  Math.max(1, countOf(member(request, 'n')) ?? 1, countOf(member(request, 'best_of')) ?? 1)
