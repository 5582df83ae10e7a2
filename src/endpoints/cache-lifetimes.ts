import { inputTokens } from '../usage/usage.ts'
import { countOf, type Json, member, textOf } from './json.ts'
import type { Reply } from './reply.ts'

/** The lifetimes OpenAI counts apart (openai 7.57.0, `CacheWriteTokensDetails`). */
const lifetimes = { ttl_30m_tokens: '30m', ttl_12h_tokens: '12h' } as const

/** Says how long what a reply wrote to the cache lives, which selects its price: as the reply counts it under
 * `details`, else as the request asked for it. Where both lifetimes were written, the longer one is a portion
 * of its own. */
export const cacheLifetimes = (reply: Reply, details: Json, request: Json): Reply => {
  const written = reply.usage?.usage.cache_write_tokens
  if (reply.usage === null || written === undefined) return reply
  const [short, long] = [
    countOf(member(details, 'ttl_30m_tokens')) ?? 0,
    countOf(member(details, 'ttl_12h_tokens')) ?? 0,
  ]
  if (short + long === 0) {
    const asked = textOf(member(member(request, 'prompt_cache_options'), 'ttl'))
    return asked === null ? reply : withLifetime(reply, asked)
  }
  if (long === 0) return withLifetime(reply, lifetimes.ttl_30m_tokens)
  if (short === 0) return withLifetime(reply, lifetimes.ttl_12h_tokens)
  if (short + long !== written) {
    const problem = `cache_write_tokens is ${String(written)}, its lifetimes are ${short} and ${long}`
    const usage = { ...reply.usage, problems: [...reply.usage.problems, problem] }
    return withLifetime({ ...reply, usage }, lifetimes.ttl_12h_tokens)
  }
  const portion = {
    id: lifetimes.ttl_12h_tokens,
    model: reply.model,
    tier: reply.tier,
    attributes: { ...reply.attributes, cache_ttl: lifetimes.ttl_12h_tokens },
    usage: { usage: { cache_write_tokens: long }, problems: [] },
    contextTokens: inputTokens(reply.usage.usage),
  }
  const usage = { ...reply.usage, usage: { ...reply.usage.usage, cache_write_tokens: short } }
  return {
    ...withLifetime({ ...reply, usage }, lifetimes.ttl_30m_tokens),
    apart: [...reply.apart, portion],
  }
}

const withLifetime = (reply: Reply, lifetime: string): Reply => ({
  ...reply,
  attributes: { ...reply.attributes, cache_ttl: lifetime },
})
