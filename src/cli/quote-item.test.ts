import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { exampleCall } from '../../test/conformance/ledger.ts'
import { createCounting } from '../gateway/counting.ts'
import { estimateCounted } from '../gateway/estimate.ts'
import { openModelFacts } from '../pricing/model-facts.ts'
import { openai } from '../providers/openai.ts'
import { parseInstant } from '../time.ts'
import { bundledBook, bundledModels } from './bundled.ts'
import { quoteRequest } from './quote-item.ts'

const [book, facts] = [await bundledBook(), openModelFacts(await bundledModels())]
const at = parseInstant('2026-10-15')

const asks = { role: 'user', content: 'Say hello in French. '.repeat(50) }
const requests: readonly { readonly model: string; readonly [field: string]: unknown }[] = [
  { model: 'gpt-4o-mini', messages: [asks] },
  { model: 'gpt-4o', max_tokens: 7, n: 3, messages: [{ role: 'system', content: 'Be short.' }, asks] },
  { model: 'gpt-4.1', max_completion_tokens: 50, service_tier: 'priority', messages: [asks] },
]

describe('a quote of the command line', () => {
  it.each(requests)('is the gateway’s own, with the prompt counted: %j', async (request) => {
    const wire = openai.endpoints
      .flatMap(({ routes }) => routes)
      .flatMap((route) => (route.billing === 'reply' ? [route.wire] : []))[0]
    if (wire === undefined) throw new Error('openai has no wire')
    const body = Buffer.from(JSON.stringify(request))
    const counting = createCounting()
    const place = { provider: 'openai', endpoint: 'chat-completions', path: null }
    const held = await estimateCounted(
      { book, models: facts, counting },
      {
        call: { ...exampleCall('a', {}), provider: 'openai', model: request.model, at },
        upstream: {
          ...{ name: 'openai', provider: openai, pricesFrom: 'openai', credential: () => null, tier: null },
          baseUrl: new URL('https://api.openai.com/v1'),
          learnsLimits: false,
        },
        ...{ wire, request, bodyBytes: body.length, objects: {} },
        tier: wire.read(request, {}).tier,
      },
      { place, body },
    )
    await counting.close()
    const asked = { provider: 'openai', endpoint: 'chat-completions', at, model: null, expectedOutput: null }
    const { quote } = await quoteRequest(request, { ...asked, book, facts })
    expect(quote.most).toBeGreaterThan(0n)
    expect([quote.least, quote.most, quote.usage]).toEqual([held?.least, held?.most, held?.usage])
  })
})
