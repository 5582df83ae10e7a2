import { tokensAtMost } from '../tokens/text.ts'
import type { UsageShape } from '../usage/read.ts'
import { countedReplies } from './counted-replies.ts'
import type { Endpoint } from './endpoint.ts'
import { type Json, listOf, member, textOf } from './json.ts'
import { openaiTags } from './openai-tags.ts'
import { plainEndpoint } from './plain-wire.ts'
import { idsIn, textsIn } from './prompts.ts'

/** Embeddings: input alone is billed, texts by their tokens, or ids of tokens one by one. */
export const embeddings = (counters: UsageShape): Endpoint =>
  plainEndpoint({ id: 'embeddings', path: '/embeddings' }, countedReplies('embeddings', counters).reader, {
    read: (request) => ({
      model: textOf(member(request, 'model')),
      stream: false,
      tier: null,
      endUser: textOf(member(request, 'user')),
      tags: openaiTags(request),
    }),
    bound: (request) => {
      const input = listed(member(request, 'input'))
      const most = textsIn(input).reduce((sum, text) => sum + tokensAtMost(text), idsIn(input))
      return [{ meters: ['input_text_tokens'], least: Math.min(1, most), most }]
    },
    count: (request, _produced, { counter }) => {
      const input = listed(member(request, 'input'))
      const tokens = textsIn(input).reduce((sum, text) => sum + counter.count(text), idsIn(input))
      return { usage: { input_text_tokens: tokens }, history: 0, rule: 'tokens of the input' }
    },
    history: (request) => ({
      resent: 0,
      total: textsIn(listed(member(request, 'input'))).reduce((sum, text) => sum + text.length, 0),
    }),
  })

const listed = (input: Json): readonly Json[] => (Array.isArray(input) ? listOf(input) : [input])
