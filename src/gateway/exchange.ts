import type { IncomingMessage, ServerResponse } from 'node:http'
import type { KnownObjects } from '../endpoints/endpoint.ts'
import type { Json } from '../endpoints/json.ts'
import type { Caller } from './identify.ts'
import type { Target } from './route.ts'

/** One request on its way: where it goes, who sends it, what it says. */
export type Exchange = {
  readonly target: Target
  readonly caller: Caller
  readonly incoming: IncomingMessage
  readonly outgoing: ServerResponse
  readonly body: Buffer
  /** The body as JSON; an empty object where there is none. */
  readonly request: Json
  /** The objects it names, all of them the caller's own. */
  readonly objects: KnownObjects
}
