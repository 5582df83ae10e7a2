import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { answerParent, listen } from './child.ts'

/** A vendor that costs as little as can be: the same chat reply each time, whole or as a stream of EVENTS
 * events. `upstream.ts EVENTS`. */
const events = Number(process.argv[2])
const usage = { prompt_tokens: 210, completion_tokens: events, total_tokens: 210 + events }
const head = { id: 'chatcmpl-bench', created: 1_748_736_000, model: 'gpt-4o-mini-2024-07-18' }

const whole = Buffer.from(
  JSON.stringify({
    ...head,
    object: 'chat.completion',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: 'the river crosses '.repeat(events / 3) },
        finish_reason: 'stop',
      },
    ],
    usage,
  }),
)

const chunk = (choices: readonly object[], more: object = {}): string =>
  `data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', choices, ...more })}\n\n`
const token = Buffer.from(chunk([{ index: 0, delta: { content: ' river' }, finish_reason: null }]))
const last = Buffer.from(
  `${chunk([{ index: 0, delta: {}, finish_reason: 'stop' }])}${chunk([], { usage })}data: [DONE]\n\n`,
)

const answer = (request: IncomingMessage, response: ServerResponse): void => {
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  request.on('end', () => {
    if (!Buffer.concat(parts).includes('"stream":true')) {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': whole.length })
      response.end(whole)
      return
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    let left = events
    const next = (): void => {
      if (left === 0) {
        response.end(last)
        return
      }
      left -= 1
      response.write(token)
      setImmediate(next)
    }
    next()
  })
}

const server = createServer({ keepAliveTimeout: 75_000 }, answer)
answerParent({ url: await listen(server) }, async () => null)
