import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type OpenAI from 'openai'
import { expect } from 'vitest'
import type { GatewayOptions } from '../../src/gateway/app.ts'
import { openVendorLimits } from '../../src/limits/vendor-limits.ts'
import { startWorld, type TestWorld } from '../support/world.ts'

export const model = 'gpt-4-1106-preview'
const stated = { source: 'test', confidence: 'high', effectiveFrom: '2023-11-06', effectiveTo: null }
/** A hundred requests a minute. */
export const hundred = {
  schema: 'octroi-limits/1',
  provider: 'openai',
  sources: { test: { text: 'this test', asOf: '2023-11' } },
  tiers: [],
  limits: [{ model, tiers: ['1'], requestsPerMinute: 100, ...stated }],
}

let world: TestWorld | null = null
let servers: Server[] = []

/** Closes all that was started. */
export const closeAll = async (): Promise<void> => {
  await world?.close()
  world = null
  for (const server of servers) server.closeAllConnections()
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  servers = []
}

/** A server of the test. */
export const listen = async (answer: (incoming: IncomingMessage, outgoing: ServerResponse) => void) => {
  const server = createServer(answer)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Stands before a vendor and notes when calls come there, and how many of them are there at once. */
const watch = async (target: () => string, now: () => number) => {
  const seen: number[] = []
  let open = 0
  const pass = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const parts: Buffer[] = []
    for await (const part of incoming) parts.push(part)
    seen.push(now())
    open += 1
    const reply = await fetch(target() + (incoming.url ?? ''), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: String(incoming.headers.authorization),
      },
      body: Buffer.concat(parts),
    })
    const body = Buffer.from(await reply.arrayBuffer())
    open -= 1
    const { 'content-encoding': _, 'transfer-encoding': __, ...headers } = Object.fromEntries(reply.headers)
    outgoing.writeHead(reply.status, { ...headers, 'content-length': body.length })
    outgoing.end(body)
  }
  const url = await listen((incoming, outgoing) => {
    void pass(incoming, outgoing)
  })
  return { url, seen, open: () => open }
}

/** A gateway before a vendor that is watched: the sandbox, which holds its callers to its limits, or `baseUrl`. */
export const start = async (
  settings: object,
  options: {
    limits?: readonly object[]
    files?: readonly unknown[]
    gateway?: Partial<GatewayOptions>
    baseUrl?: string
    providers?: object
  } = {},
) => {
  const files = options.files ?? [hundred]
  let baseUrl = ''
  const watched = await watch(
    () => new URL(baseUrl).origin,
    () => world?.clock.now() ?? 0,
  )
  world = await startWorld({
    config: (sandbox) => {
      baseUrl = options.baseUrl ?? sandbox.baseUrl
      const openai = { baseUrl: `${watched.url}/v1`, keyVariable: 'VENDOR_KEY', ...settings }
      return { providers: { openai, ...options.providers }, limits: options.limits ?? [] }
    },
    sandbox: { limits: { files: [...files], tier: '1' }, outputTokens: 5 },
    gateway: {
      vendorLimits: openVendorLimits(files),
      bounds: { waitMsMax: 60_000, waitersMax: 2_000 },
      ...options.gateway,
    },
  })
  return { world, watched, client: await world.client('search') }
}

export const request = (of = model) => ({
  model: of,
  messages: [{ role: 'user' as const, content: 'Hello' }],
  max_tokens: 5,
})

/** Asks, and gives the status of the answer. */
export const statusOf = (client: OpenAI, of = model): Promise<number> =>
  client.chat.completions.create(request(of)).then(
    () => 200,
    (error: { status?: number }) => error.status ?? 0,
  )

/** Until nothing changes any more: nothing is at the vendor, and what could be sent was. */
export const quiet = async (watched: { seen: readonly number[]; open: () => number }): Promise<void> => {
  for (let before = -1; before !== watched.seen.length || watched.open() > 0; ) {
    before = watched.seen.length
    await new Promise((resolve) => setTimeout(resolve, 130))
  }
}

/** So many calls came to the vendor, and no more do. */
export const settled = async (
  watched: { seen: readonly number[]; open: () => number },
  calls: number,
): Promise<void> => {
  await expect.poll(() => watched.seen.length, { timeout: 30_000 }).toBe(calls)
  await quiet(watched)
  expect(watched.seen).toHaveLength(calls)
}

/** A reply of Chat Completions. */
export const chatReply = JSON.stringify({
  id: 'c',
  object: 'chat.completion',
  created: 1,
  model,
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 8, completion_tokens: 1, total_tokens: 9 },
})

/** A vendor that refuses its first call and asks for seven seconds, then answers when it is told to. */
export const startRefusing = async (
  bounds: Partial<GatewayOptions['bounds']> = {},
  limits: readonly object[] = [],
) => {
  let refused = false
  const held: (() => void)[] = []
  const vendor = await listen((incoming, outgoing) => {
    incoming.resume()
    if (!refused) {
      refused = true
      outgoing.writeHead(429, { 'content-type': 'application/json', 'retry-after': '7' })
      outgoing.end('{"error":{"message":"slower","type":"requests","code":"rate_limit_exceeded"}}')
      return
    }
    held.push(() => {
      outgoing.writeHead(200, { 'content-type': 'application/json' })
      outgoing.end(chatReply)
    })
  })
  const started = await start(
    { rateLimits: 'learn' },
    { limits, baseUrl: vendor, gateway: { bounds: { waitMsMax: 60_000, ...bounds } } },
  )
  const answer = (): void => {
    for (const each of held.splice(0)) each()
  }
  return { ...started, held, answer }
}
