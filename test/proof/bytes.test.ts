import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readScenarios } from '../../scripts/generate-wires.ts'
import { providers } from '../../src/providers/index.gen.ts'
import { type Case, eventsOf, parseScenario, type Scenario } from '../support/scenario.ts'
import { silentWav } from '../support/sounds.ts'
import { startWorld, type TestWorld } from '../support/world.ts'
import { longForm } from './work.ts'

/** What a client receives through the gateway is what it would receive without one: for every scenario whose reply
 * answers a call that is sent, whole and streamed, however the vendor's bytes are cut on their way. */

/** A reply that the vendor gives, under the name that a request asks for it by. */
type Given = { readonly contentType: string; readonly bytes: Buffer; readonly pieces: readonly number[] }
const given = new Map<string, Given>()

const answer = async (request: IncomingMessage, reply: ServerResponse): Promise<void> => {
  const body: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) body.push(chunk)
  const asked = Buffer.concat(body).toString('latin1')
  if (request.method !== 'POST') {
    // What works in the background is asked after.
    reply.writeHead(404, { 'content-type': 'application/json' }).end('{"error":{"message":"not here"}}')
    return
  }
  const name = String(request.headers['x-reply'])
  // As OpenAI does: usage comes in a stream where it was asked for.
  const one = given.get(
    name.endsWith('unasked') && asked.includes('include_usage') ? `${name} after all` : name,
  )
  if (one === undefined) throw new Error(`There is no reply "${name}".`)
  const { contentType, bytes, pieces } = one
  const isZipped = name.endsWith('zipped')
  reply.writeHead(200, {
    'content-type': contentType,
    'x-request-id': 'req_1',
    'openai-processing-ms': '12',
    'set-cookie': ['a=1', 'b=2'],
    ...(isZipped && { 'content-encoding': 'gzip' }),
    ...(!contentType.startsWith('text/event-stream') && { 'content-length': bytes.length }),
  })
  for (let at = 0, piece = 0; at < bytes.length; piece += 1) {
    const size = pieces[piece % pieces.length] ?? bytes.length
    await new Promise<void>((written) => reply.write(bytes.subarray(at, at + size), () => written()))
    at += size
  }
  reply.end()
}

let vendor: Server
let vendorUrl: string
let world: TestWorld
beforeAll(async () => {
  vendor = createServer({ noDelay: true }, (request, reply) => {
    answer(request, reply).catch(() => reply.destroy())
  })
  await new Promise<void>((resolve) => vendor.listen(0, '127.0.0.1', resolve))
  vendorUrl = `http://127.0.0.1:${(vendor.address() as AddressInfo).port}`
  const names = Object.keys(providers).filter((name) => (providers[name]?.endpoints.length ?? 0) > 0)
  world = await startWorld({
    at: '2026-11-23T00:00:00Z',
    config: {
      providers: Object.fromEntries(
        names.map((name) => [name, { baseUrl: `${vendorUrl}/${name}`, keyVariable: 'VENDOR_KEY' }]),
      ),
    },
  })
})
afterAll(async () => {
  vendor.closeAllConnections()
  vendor.close()
  await world.close()
})

/** A call of a scenario: where it goes, and what it sends. */
type Sent = {
  readonly path: string
  readonly request: Readonly<Record<string, unknown>>
  readonly form: boolean
}

/** How a case is sent; null where its reply answers no call that is billed by it: a job, a list, something kept. */
const sentBy = ({ provider, endpoint }: Scenario, { sections }: Case, stream: boolean): Sent | null => {
  const routes = providers[provider]?.endpoints.find(({ id }) => id === endpoint)?.routes ?? []
  const fitting = routes.filter((route) => route.billing === 'reply')
  const route = fitting.find(({ path }) => /:stream\w+$/.test(path) === stream) ?? fitting[0]
  if (route === undefined) return null
  const asked = JSON.parse(sections.get('request') ?? '{}') as Record<string, unknown>
  const model = String(asked['model'] ?? asked['modelId'] ?? modelOf(sections))
  const version = providers[provider]?.versions?.[0]
  const path = `${version === undefined ? '' : `/${version}`}${route.path}`
    .replace(/:(model|deployment)(?=[:/])/, model)
    .replaceAll(/\/:(project|location)\//g, '/$1-1/')
    .concat(stream && endpoint === 'generate-content' ? '?alt=sse' : '')
  return {
    path: `/${provider}${path}`,
    form: 'form' in route && route.form !== undefined,
    request: {
      ...(asked['model'] === undefined && !route.path.includes(':model') && { model }),
      ...asked,
      ...(stream && { stream: true }),
      ...(stream && endpoint.endsWith('completions') && { stream_options: { include_usage: true } }),
    },
  }
}

const modelOf = (sections: ReadonlyMap<string, string>): string =>
  /^model (\S+)$/m.exec(sections.get('usage') ?? '')?.[1] ?? 'some-model'

const bodyOf = ({ request, form }: Sent): string | FormData => {
  if (!form) return JSON.stringify(request)
  const body = new FormData()
  for (const [name, value] of Object.entries(request)) body.append(name, String(value))
  body.append('file', new Blob([silentWav(1)]), 'a.wav')
  return body
}

const fetched = async (url: string, sent: Sent, reply: string) => {
  const headers = {
    'x-reply': reply,
    'anthropic-version': '2023-06-01',
    ...(!sent.form && { 'content-type': 'application/json' }),
  }
  const got = await fetch(url + sent.path, { method: 'POST', headers, body: bodyOf(sent) })
  const bytes = Buffer.from(await got.arrayBuffer())
  return { status: got.status, headers: [...got.headers], text: bytes.toString('latin1') }
}

/** Of one connection, or of the moment. */
const passing = new Set(['connection', 'keep-alive', 'transfer-encoding', 'date'])
/** Octroi gives whole replies a length, and unpacks what is packed. */
const reframed = new Set(['content-length', 'content-encoding'])

const compare = async (sent: Sent, reply: string): Promise<void> => {
  const [through, direct] = await Promise.all([
    fetched(world.gateway.url, sent, reply),
    fetched(vendorUrl, sent, reply),
  ])
  expect(through.text).toBe(direct.text)
  expect(through.status).toBe(direct.status)
  const kept = (headers: readonly (readonly [string, string])[]) =>
    headers.filter(([name]) => !passing.has(name) && !reframed.has(name) && !name.startsWith('octroi-'))
  expect(kept(through.headers)).toEqual(kept(direct.headers))
  expect(through.headers.map(([name]) => name)).toContain('octroi-call-id')
}

/** Sizes of the pieces in which bytes leave the vendor: whole, one by one, and of sizes that fit nothing. */
const cuts = { whole: [1_000_000], 'byte by byte': [1], oddly: [7, 1, 64, 3, 29, 2] } as const

const sentScenarios = [...readScenarios()].flatMap(([name, text]) => {
  const scenario = parseScenario(text)
  return scenario.cases.flatMap((each) => {
    const label = `${name}${each.label === '' ? '' : `: ${each.label}`}`
    const broken = each.sections.get('usage')?.includes('not ended\n') === true
    return (['response', 'stream'] as const).flatMap((section) => {
      const shown = each.sections.get(section)
      const sent = shown === undefined ? null : sentBy(scenario, each, section === 'stream')
      if (shown === undefined || sent === null || (broken && section === 'stream')) return []
      return [{ label: `${label} (${section})`, section, shown, sent }]
    })
  })
})

describe('through the gateway comes what the vendor sent', () => {
  it.each(sentScenarios)('$label', async ({ label, section, shown, sent }) => {
    const isStream = section === 'stream'
    const contentType = isStream ? 'text/event-stream; charset=utf-8' : 'application/json'
    for (const [cut, pieces] of Object.entries(cuts)) {
      const forms = isStream
        ? formsOf(shown)
        : { plain: shown, compact: JSON.stringify(JSON.parse(shown)), zipped: shown }
      for (const [form, text] of Object.entries(forms)) {
        if (!longForm && cut === 'byte by byte' && form !== 'plain') continue
        const reply = `${label} ${cut} ${form}`.replaceAll(/[^ -~]/g, '?')
        const bytes = form === 'zipped' ? gzipSync(text) : Buffer.from(text)
        given.set(reply, { contentType, bytes, pieces })
        await compare(sent, reply)
      }
    }
    // What works in the background is asked after, and is not here.
    const others = world.faults.filter((fault) => !String(fault).includes('when asked for'))
    expect(others).toEqual([])
  })

  it('for every scenario but those whose reply is of a job, a run, a list or something kept', () => {
    const names = new Set(sentScenarios.map(({ label }) => label.split(/[: ]/)[0]))
    expect([...readScenarios().keys()].filter((name) => !names.has(name)).sort()).toEqual([
      ...['anthropic.batches', 'gemini.interactions', 'oai.agents', 'oai.batches', 'oai.containers'],
      ...['oai.decisions', 'oai.edits', 'oai.evals', 'oai.ft.jobs', 'oai.runs.poll', 'oai.runs.read'],
      ...['oai.runs.sse', 'oai.vector_stores', 'oai.videos'],
    ])
  })
})

/** The same stream with other ends of lines, comments between its events, and without its last blank line. */
const formsOf = (stream: string) => {
  const events = eventsOf(stream).map((event) => `${event.trimEnd()}\n\n`)
  const plain = events.join('')
  return {
    plain,
    crlf: plain.replaceAll('\n', '\r\n'),
    commented: events.map((event) => `: keep-alive\n\n${event}`).join(''),
    unended: plain.trimEnd(),
  }
}

/** The documented exception: usage that only Octroi asked for is taken out again. */
describe('a stream whose client did not ask for its usage', () => {
  const unasked = sentScenarios.filter(
    ({ section, sent, shown }) =>
      section === 'stream' && 'stream_options' in sent.request && /"usage": ?null/.test(shown),
  )

  it.each(unasked)('is what the vendor sends to who did not ask: $label', async ({ label, shown, sent }) => {
    const { stream_options: _, ...request } = sent.request
    for (const [cut, pieces] of Object.entries(cuts)) {
      const reply = `${label} ${cut} unasked`
      const events = eventsOf(shown).map((event) => `${event.trimEnd()}\n\n`)
      const contentType = 'text/event-stream'
      const without = events.filter((event) => !/"choices":\[\],.*"usage":\{/.test(event))
      const plain = without.join('').replaceAll(/,"usage":null/g, '')
      given.set(reply, { contentType, bytes: Buffer.from(plain), pieces })
      given.set(`${reply} after all`, { contentType, bytes: Buffer.from(events.join('')), pieces })
      await compare({ ...sent, request }, reply)
    }
  })

  it('is in some scenarios', () => {
    expect(unasked.length).toBeGreaterThan(2)
  })
})

/** The other documented exception: where an operator has a limit lower outputs, the field that limits them. */
describe('a request whose output a limit lowers', () => {
  it('reaches the vendor as its client wrote it, but for that field', async () => {
    let received = ''
    const vendor = createServer(async (request, reply) => {
      const chunks: Buffer[] = []
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
      received = Buffer.concat(chunks).toString('utf8')
      const usage = { prompt_tokens: 5, completion_tokens: 5, total_tokens: 10 }
      reply
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ model: 'gpt-4o', usage }))
    })
    await new Promise<void>((resolve) => vendor.listen(0, '127.0.0.1', resolve))
    const baseUrl = `http://127.0.0.1:${(vendor.address() as AddressInfo).port}/v1`
    const limit = { name: 'outputs', measure: 'output_tokens', cap: '300', window: { bucket: '1m' } }
    const clamping = await startWorld({
      at: '2026-11-23T00:00:00Z',
      config: { providers: { openai: { baseUrl } }, limits: [{ ...limit, action: 'clamp' }] },
    })
    const before =
      '{ "model":"gpt-4o","seed" : 1.0e2,\r\n\t"messages":[{"role":"user","content":"\\u00e9 \\"max_completion_tokens\\":4"}], '
    const after = ' , "n":2, "x-unknown":{"max_completion_tokens":9}}\n'
    const got = await fetch(`${clamping.gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: `${before}"max_completion_tokens":4096${after}`,
    })
    await got.arrayBuffer()
    await clamping.close()
    vendor.closeAllConnections()
    vendor.close()
    expect([got.status, got.headers.get('octroi-clamped')]).toEqual([200, 'max_completion_tokens=150'])
    expect(received).toBe(`${before}"max_completion_tokens":150${after}`)
  })
})
