import type { IncomingMessage } from 'node:http'
import { hexFrom } from '../random.ts'

/** Whose request it was, as a bill tells it: the vendor's id of the key, and the project or workspace. */
export type Caller = { readonly apiKey: string; readonly project: string | null }

/** The callers of the requests that are being answered. */
export type Callers = {
  readonly enter: (requestId: string, request: IncomingMessage) => void
  readonly of: (requestId: string) => Caller | null
  readonly leave: (requestId: string) => void
}

/** The project of OpenAI that a key without one belongs to. Anthropic's default workspace has no id. */
export const defaultProject = 'proj_sandbox'

/** `projects` says which key belongs to which project or workspace. */
export const openCallers = (projects: Readonly<Record<string, string>>): Callers => {
  const known = new Map(Object.entries(projects))
  const callers = new Map<string, Caller>()
  return {
    enter: (requestId, request) => {
      const [key, id] = keyOf(request)
      const named = request.headers['openai-project']
      const project = typeof named === 'string' && id === 'key_' ? named.slice(0, 128) : known.get(key)
      callers.set(requestId, {
        apiKey: id + hexFrom(16, 'api key', key),
        project: project ?? (id === 'key_' ? defaultProject : null),
      })
    },
    of: (requestId) => callers.get(requestId) ?? null,
    leave: (requestId) => {
      callers.delete(requestId)
    },
  }
}

/** A key, and how the ids of such keys begin. */
const keyOf = ({ headers, url = '' }: IncomingMessage): readonly [string, string] => {
  const bearer = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1] ?? ''
  if (url.startsWith('/anthropic/')) return [String(headers['x-api-key'] ?? bearer), 'apikey_']
  if (url.startsWith('/google/')) return [String(headers['x-goog-api-key'] ?? ''), 'google_']
  return [bearer, 'key_']
}
