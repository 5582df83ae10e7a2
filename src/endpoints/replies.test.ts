import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { providers } from '../providers/index.gen.ts'
import { replyReader } from '../providers/provider.ts'
import { cacheLifetimes } from './cache-lifetimes.ts'
import type { ReplyReader } from './reply.ts'
import { emptyReply } from './reply-shape.ts'

const wires = Object.values(providers).flatMap((provider) =>
  [...provider.endpoints, ...(provider.readOnly ?? [])]
    .filter(({ reader }) => reader !== null)
    .map(({ id }): readonly [string, ReplyReader] => [
      `${provider.id} ${id}`,
      replyReader(provider, id) as ReplyReader,
    ]),
)

/** Names that readers look for, so that hostile values end up where they look. */
const names = [
  ...['usage', 'usageMetadata', 'id', 'model', 'status', 'data', 'output', 'tools', 'tool_usage', 'choices'],
  ...['message', 'response', 'candidates', 'content', 'iterations', 'cache_creation', 'per_model_usage'],
  ...['prompt_tokens', 'input_tokens', 'promptTokenCount', 'type', 'seconds', 'duration', 'interaction'],
]

const hostile = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(null, -1, 1.5, 2 ** 60, 7, '', 'completed', true, Number.NaN),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...names), tie('value'), { maxKeys: 6 }),
  ),
})).value

describe.each(wires)('the replies of %s', (_name, reader) => {
  it('are read without an error, whatever they are, and say nothing that cannot be', () => {
    fc.assert(
      fc.property(hostile, hostile, (reply, request) => {
        const read = reader.readReply(reply, request)
        for (const quantity of Object.values(read.usage?.usage ?? {})) {
          expect(typeof quantity === 'number' ? quantity >= 0 : quantity.numerator > 0n).toBe(true)
        }
      }),
      { numRuns: 50 },
    )
  })

  it('may come as any stream of events', () => {
    const types = [
      'message_start',
      'message_delta',
      'response.completed',
      'thread.run.completed',
      'interaction.completed',
    ]
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(...types), hostile), { maxLength: 5 }), (events) => {
        const meter = reader.meterStream?.()
        for (const [type, data] of events) meter?.event(`event: ${type}\ndata: ${JSON.stringify(data)}\n\n`)
        meter?.event('data: {broken\n\n')
        expect(typeof meter?.reply().ended).toBe(meter === undefined ? 'undefined' : 'boolean')
      }),
      { numRuns: 30 },
    )
  })
})

describe('lifetimes of what is written to a cache', () => {
  const reply = {
    ...emptyReply,
    usage: { usage: { input_text_tokens: 10, cache_write_tokens: 50 }, problems: [] },
  }

  it('are the request\u2019s where the reply does not count them', () => {
    const request = { prompt_cache_options: { ttl: '12h' } }
    expect(cacheLifetimes(reply, undefined, request).attributes).toEqual({ cache_ttl: '12h' })
  })

  it('that do not add up are billed at the dearer one, and named', () => {
    const read = cacheLifetimes(reply, { ttl_30m_tokens: 30, ttl_12h_tokens: 30 }, undefined)
    expect(read.attributes).toEqual({ cache_ttl: '12h' })
    expect(read.usage?.usage.cache_write_tokens).toBe(50)
    expect(read.usage?.problems).toEqual(['cache_write_tokens is 50, its lifetimes are 30 and 30'])
  })
})
