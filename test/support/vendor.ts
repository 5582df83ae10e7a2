import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

/** What a vendor was asked. */
export type Asked = {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export type Answer = (reply: ServerResponse, asked: Asked) => void

/** A vendor that answers in one way and remembers what it was asked, until the test ends. */
export const startVendor = async (
  answer: Answer,
): Promise<{ readonly url: string; readonly asked: Asked[] }> => {
  const asked: Asked[] = []
  const server = createServer(async (request, reply) => {
    const chunks: Buffer[] = []
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
    const { method = '', url = '', headers } = request
    const one = { method, url, headers, body: Buffer.concat(chunks).toString('utf8') }
    asked.push(one)
    answer(reply, one)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}

export const json =
  (value: unknown, status = 200): Answer =>
  (reply) => {
    reply.writeHead(status, { 'content-type': 'application/json' })
    reply.end(JSON.stringify(value))
  }

/** A stream of events, each as it is given; `cut` breaks the connection instead of ending it. */
export const stream =
  (events: readonly string[], { cut = false }: { readonly cut?: boolean } = {}): Answer =>
  (reply) => {
    reply.writeHead(200, { 'content-type': 'text/event-stream' })
    for (const event of events) reply.write(event)
    if (cut) setTimeout(() => reply.destroy(), 20)
    else reply.end()
  }
