import { createServer } from 'node:http'
import { answerParent, listen } from '../gateway/child.ts'

/** A vendor whose replies cost nothing, so that a small budget lasts, and which reports no usage for a
 * request that says so. */
const reply = (more: object): string =>
  JSON.stringify({
    id: 'chatcmpl-bench',
    object: 'chat.completion',
    created: 1_748_736_000,
    model: 'gpt-4.1-nano-2025-04-14',
    choices: [{ index: 0, message: { role: 'assistant', content: 'Yes' }, finish_reason: 'stop' }],
    ...more,
  })

const reported = reply({ usage: { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 } })
const silent = reply({})

const server = createServer({ keepAliveTimeout: 75_000 }, (request, response) => {
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  request.on('end', () => {
    const told = Buffer.concat(parts).includes('"usage":"none"') ? silent : reported
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': told.length })
    response.end(told)
  })
})
answerParent({ url: await listen(server) }, async () => null)
