import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { answerParent, listen } from './child.ts'

/** A vendor whose streams live: each sends an event every so many milliseconds, with the instant at which it was sent,
 * and ends after so many. What is due is sent in small turns, so that streams do not all speak at once.
 * `paced-upstream.ts MILLISECONDS EVENTS`. */
const everyMs = Number(process.argv[2])
const events = Number(process.argv[3])
const turnMs = 2
const head = { id: 'chatcmpl-bench', created: 1_748_736_000, model: 'gpt-4o-mini-2024-07-18' }

type Live = { readonly response: ServerResponse; due: number; left: number }
const live = new Set<Live>()

/** An event with the monotonic clock of this machine in it, which is the same in every process. */
const event = (): string =>
  chunk([{ index: 0, delta: { content: ` ${process.hrtime.bigint()}` }, finish_reason: null }])

const usage = { prompt_tokens: 21, completion_tokens: events, total_tokens: 21 + events }
const chunk = (choices: readonly object[], more: object = {}): string =>
  `data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', choices, ...more })}\n\n`
const last = `${chunk([{ index: 0, delta: {}, finish_reason: 'stop' }])}${chunk([], { usage })}data: [DONE]\n\n`

setInterval(() => {
  const now = performance.now()
  for (const stream of live) {
    if (stream.due > now) continue
    stream.due += everyMs
    stream.left -= 1
    if (stream.left > 0) stream.response.write(event())
    else {
      live.delete(stream)
      stream.response.end(last)
    }
  }
}, turnMs)

const answer = (request: IncomingMessage, response: ServerResponse): void => {
  request.resume().on('end', () => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(event())
    const stream = { response, due: performance.now() + everyMs, left: events }
    live.add(stream)
    response.on('close', () => live.delete(stream))
  })
}

const server = createServer({ keepAliveTimeout: 75_000 }, answer)
answerParent({ url: await listen(server) }, async () => null)
