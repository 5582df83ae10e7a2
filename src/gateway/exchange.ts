import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Told } from '../endpoints/endpoint.ts'
import type { Json } from '../endpoints/json.ts'
import type { KnownObjects } from '../endpoints/objects.ts'
import type { Caller } from './identify.ts'
import type { Target } from './route.ts'

/** One request on its way: where it goes, who sends it, what it says. */
export type Exchange = {
  readonly target: Target
  readonly caller: Caller
  readonly incoming: IncomingMessage
  readonly outgoing: ServerResponse
  readonly body: Buffer
  /** The body as JSON, with what the path says; an empty object where there is none. */
  readonly request: Json
  /** What of the request does not stand in its body; null where there is nothing. */
  readonly told: Told | null
  /** The objects it names, all of them the caller's own. */
  readonly objects: KnownObjects
}
