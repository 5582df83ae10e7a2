import type { IncomingHttpHeaders } from 'node:http'
import { learnAssistant } from '../endpoints/assistant-objects.ts'
import { countOf, type Json, member, parseJson, textOf } from '../endpoints/json.ts'
import type { Page, Run, RunWire, SeenRun } from '../endpoints/run.ts'
import { OctroiError } from '../errors.ts'
import type { Exchange } from './exchange.ts'
import { holdWhole } from './hold-whole.ts'
import type { Caller } from './identify.ts'
import type { Parts } from './parts.ts'
import type { Upstream } from './upstream.ts'

/** Whom the vendor is asked as: the credential of a call, which stays in memory where it is the client's own. */
export type Asking = {
  readonly upstream: Upstream
  readonly caller: Caller
  readonly headers: IncomingHttpHeaders
}

export const askingAs = ({ target, caller, incoming }: Exchange): Asking => ({
  upstream: target.upstream,
  caller,
  headers: incoming.headers,
})

/** The header that opens the Assistants API, in the version that the call itself asked for. */
export const betaOf = ({ headers }: Pick<Asking, 'headers'>): string | null => {
  const beta = headers['openai-beta']
  return typeof beta === 'string' ? beta : null
}

/** Asks the vendor for something that costs nothing. Throws `unknown_object` where it is not there (any more),
 * `upstream_broken` on any other refusal. */
export const ask = async (parts: Parts, asking: Asking, path: string): Promise<Json> => {
  const { upstream, caller } = asking
  const beta = betaOf(asking)
  const reply = await parts.forward.send({
    upstream,
    method: 'GET',
    path,
    headers: beta === null ? {} : { 'openai-beta': beta },
    caller,
    body: null,
  })
  const held = await holdWhole(reply, null, parts.bounds)
  if (reply.status < 300) return parseJson(held.toString('utf8'))
  throw new OctroiError(
    reply.status === 404 ? 'unknown_object' : 'upstream_broken',
    `${upstream.name} answered ${reply.status} when asked for ${path.slice(0, 200)}.`,
  )
}

/** The model of the assistant that a request names, where it was not created through this gateway. */
export const askAssistantModel = async (parts: Parts, exchange: Exchange): Promise<string | null> => {
  const id = textOf(member(exchange.request, 'assistant_id'))
  if (id === null || !/^[A-Za-z0-9_-]{1,128}$/.test(id)) return null
  return learnAssistant(await ask(parts, askingAs(exchange), `/assistants/${id}`))[0]?.model ?? null
}

/** The size of a file: as it was seen when it was uploaded, else as the vendor says. Null where it says nothing. */
export const askFileBytes = async (
  parts: Parts,
  asking: Asking,
  file: { id: string; path: string },
): Promise<number | null> => {
  const known = await parts.registry.object({ upstream: asking.upstream.name, kind: 'file', id: file.id })
  const bytes = known?.facts.bytes ?? null
  return bytes ?? countOf(member(await ask(parts, asking, file.path), 'bytes'))
}

/** Pages read of one list; the vendor gives at most 100 items on each. */
const pagesMax = 200

/** Everything of a run that its count needs. Steps are read only where it had tools, sizes only of files it searched. */
export const askRunSeen = async (parts: Parts, asking: Asking, run: Run, wire: RunWire): Promise<SeenRun> => {
  const all = async <Item>(
    pathOf: (after: string | null) => string,
    read: (reply: Json) => Page<Item>,
  ): Promise<readonly Item[]> => {
    const items: Item[] = []
    let after: string | null = null
    for (let pages = 0; pages < pagesMax; pages += 1) {
      const page = read(await ask(parts, asking, pathOf(after)))
      items.push(...page.items)
      if (page.next === null) break
      after = page.next
    }
    return items
  }
  const messages = await all((after) => wire.messagesPath(run, after), wire.readMessages)
  const steps = run.tools.length === 0 ? [] : await all((after) => wire.stepsPath(run, after), wire.readSteps)
  const fileBytes: (number | null)[] = []
  for (const id of wire.searched(run, messages, steps)) {
    fileBytes.push(await askFileBytes(parts, asking, { id, path: wire.filePath(id) }).catch(unlessGone))
  }
  return { messages, steps, fileBytes }
}

/** What was deleted meanwhile is null; every other error is one. */
export const unlessGone = (error: unknown): null => {
  if (error instanceof OctroiError && error.code === 'unknown_object') return null
  throw error
}
