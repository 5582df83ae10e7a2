import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Pool } from 'undici'
import { answerParent, listen } from './child.ts'

/** The least a proxy can do on the same parts: `node:http` in, an `undici` pool out, the body passed on as it
 * comes. It reads, checks and writes down nothing. `raw-proxy.ts URL`. */
const upstream = new Pool(process.argv[2] ?? '', { connections: 10_000 })

const pass = (request: IncomingMessage, response: ServerResponse): void => {
  const { host: _, connection: __, ...headers } = request.headers
  upstream
    .stream(
      { method: 'POST', path: request.url ?? '/', headers, body: request },
      ({ statusCode, headers: { connection: ___, 'keep-alive': ____, ...returned } }) =>
        response.writeHead(statusCode, returned),
    )
    .catch(() => response.destroy())
}

const server = createServer({ keepAliveTimeout: 75_000 }, pass)
answerParent({ url: await listen(server) }, async () => null)
